"""Models as .npz files without pickles: the arrays in order, and the layers as JSON.

save(model, path)
model = load(path)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from assignment.nn import LAYERS, Conv2D, Dense, Sequential

FOLDER = Path(__file__).parent / "models"
KINDS = {kind.__name__: kind for kind in LAYERS}


def save(model: Sequential, path: Path) -> None:
    layers = [[type(layer).__name__, layer.config()] for layer in model.layers]
    arrays = {str(i): array for i, array in enumerate(model.parameters())}
    np.savez_compressed(path, layers=np.frombuffer(json.dumps(layers).encode(), np.uint8), **arrays)


def load(path: Path) -> Sequential:
    with np.load(path, allow_pickle=False) as file:
        layers = json.loads(file["layers"].tobytes())
        arrays = iter([file[str(i)] for i in range(len(file.files) - 1)])
    model = []
    for name, settings in layers:
        kind = KINDS[name]
        if kind is Dense:
            model.append(Dense.from_arrays(next(arrays), next(arrays)))
        elif kind is Conv2D:
            stride_and_padding = {key: settings[key] for key in ("stride", "padding")}
            model.append(Conv2D.from_arrays(next(arrays), next(arrays), **stride_and_padding))
        else:
            model.append(kind(**settings))
    return Sequential(model)


def models(folder: Path = FOLDER) -> dict[str, Sequential]:
    """Every model of a folder by its name, sorted."""
    return {path.stem: load(path) for path in sorted(folder.glob("*.npz"))}

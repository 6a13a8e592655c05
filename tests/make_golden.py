"""Write the golden files: packed models, and the bits that must come out of them, for every decoder to read.

    python tests/make_golden.py NEW_NAME ...     # adds files; those that exist are never written again

Format version 1 is what tests/golden/*.fw holds. For each: NAME.fw, the artifact; NAME.f32, all arrays one after
the other, float32 little-endian in C order; and in models.json its layers, each with its settings and the shapes
of its arrays.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from assignment.artifact import pack
from assignment.nn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Reshape, Sequential
from benchmarks.stored_models import FOLDER, load
from tests.artifact_models import FILLERS, dense_model, every_layer, filled, grid, small_file_model, sparse

GOLDEN = Path(__file__).parent / "golden"
TRAINED = (
    "convolutional-697",
    "pooled-2k",
    "sparse-2k",
    "tiny",
    "deep-compression",
    "dense-4-bit-unit-grids",
)


def wide() -> Sequential:
    """More columns than a strip has, in a picture and in a row of units; a bias for each."""
    return filled(Sequential([Dense(9, 700), ReLU(), Dense(700, 3)]), sparse(grid(0.3), 0.9))


def picture() -> Sequential:
    """A convolution between others: planes of pictures, of kernels, and features that were planes."""
    layers = [Reshape((1, 28, 28)), Conv2D(1, 4, 3, 2, 1), ReLU(), MaxPool2D(2), Conv2D(4, 6, 3), ReLU()]
    return filled(Sequential([*layers, Flatten(), Dense(150, 10)]), sparse(grid(0.05, 20), 0.5), 3)


def deep() -> Sequential:
    """Counters overflow: the same few contexts see thousands of bits."""
    return filled(Sequential([Dense(784, 20), ReLU(), Dense(20, 10)]), sparse(grid(0.1, 1), 0.5), 4)


def raw() -> Sequential:
    return Sequential([Dense.from_arrays(np.ones((40_000, 1), np.float32), np.ones(1, np.float32))])


MODELS: dict[str, Callable[[], Sequential]] = {
    "no-layers": lambda: Sequential([]),
    "one-relu": lambda: Sequential([ReLU()]),
    "worked-example": lambda: Sequential(
        [Dense.from_arrays(np.array([[0.3, -0.3], [0, 0.6]], np.float32), np.zeros(2, np.float32))]
    ),
    "small": small_file_model,
    "wide": wide,
    "picture": picture,
    "deep": deep,
    "raw": raw,
    **{f"every-layer-{k.replace(' ', '-')}": (lambda f=f: filled(every_layer(), f)) for k, f in FILLERS.items()},
    **{f"dense-{k.replace(' ', '-')}": (lambda f=f: filled(dense_model(), f, 1)) for k, f in FILLERS.items()},
    **{f"trained-{name}": (lambda name=name: load(FOLDER / f"{name}.npz")) for name in TRAINED},
}  # fmt: skip


def described(model: Sequential) -> list[dict[str, object]]:
    return [
        {
            "kind": type(layer).__name__,
            "settings": layer.config(),
            "shapes": [array.shape for array in layer.parameters()],
        }
        for layer in model.layers
    ]


def main(names: list[str]) -> None:
    GOLDEN.mkdir(exist_ok=True)
    index = GOLDEN / "models.json"
    known = json.loads(index.read_text()) if index.exists() else {}
    for name in names or MODELS:
        if name in known:
            continue
        model = MODELS[name]()
        (GOLDEN / f"{name}.fw").write_bytes(pack(model))
        bits = [np.ascontiguousarray(array, "<f4").tobytes() for array in model.parameters()]
        (GOLDEN / f"{name}.f32").write_bytes(b"".join(bits))
        known[name] = described(model)
    index.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

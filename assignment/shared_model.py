"""The class's shared model: LeNet-300-100, trained by `python -m grader baseline`, to be compressed by all.

Its weights lie in `models/lenet-300-100.npz`, and beside them a card that says how they were made
and how accurate they are.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .data import DataError
from .nn import Dense, Layer, ReLU, Sequential

NAME = "lenet-300-100"
SIZES = (784, 300, 100, 10)
FOLDER = Path(__file__).parent / "models"
ARRAY_NAMES = tuple(f"{kind}{i}" for i in range(len(SIZES) - 1) for kind in ("weight", "bias"))


def lenet_300_100(rng: np.random.Generator | None = None) -> Sequential:
    """A fresh 784-300-100-10 network with ReLU between its layers: 266,610 parameters."""
    rng = np.random.default_rng(0) if rng is None else rng
    return _with_relus([Dense(*sizes, rng=rng) for sizes in itertools.pairwise(SIZES)])


def _with_relus(dense_layers: list[Dense]) -> Sequential:
    layers: list[Layer] = []
    for dense in dense_layers:
        layers += [dense, ReLU()]
    return Sequential(layers[:-1])


def shared_model(folder: Path = FOLDER) -> Sequential:
    """A new copy of the shared model, for the caller to change as it likes.

    Raises DataError when its files are missing, or are not the ones its card describes.
    """
    path = folder / f"{NAME}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[name] for name in ARRAY_NAMES]
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read ({error}): restore it from the repository") from error
    if weights_sha256(arrays) != model_card(folder).get("weights_sha256"):
        raise DataError(f"{path} holds other weights than its card says: restore both from the repository")
    pairs = zip(arrays[::2], arrays[1::2], strict=True)
    return _with_relus([Dense.from_arrays(weight, bias) for weight, bias in pairs])


def model_card(folder: Path = FOLDER) -> dict[str, Any]:
    """How the shared model was made: command, seed, hyper-parameters, accuracies, hash, machine.

    Raises DataError when the card is missing or is no JSON.
    """
    path = folder / f"{NAME}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}): restore it from the repository") from error


def weights_sha256(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 of the arrays' float32 little-endian bytes, one after the other."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
    return digest.hexdigest()

"""What a packed model holds, worked out once when it is posted, so that its page needs no script to show it.

    anatomy_of(artifact)    # {"arrays": the ledger, "histograms": of each layer's weights}
    shared_histograms()     # the same of the model that everybody starts from
    test_digits("mnist", "public")

This is the one file of the package that looks beyond the result record, into what students are given: the
packed format's own reader (which takes its bytes for a stranger's: bounded in memory and work), the shared
model, and the test images.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from assignment.artifact import ArtifactError, read
from assignment.data import DataError, load_mnist, load_mnist_5k
from assignment.nn import Sequential
from assignment.shared_model import shared_model

BINS = 41
PARTS = {"public": slice(0, None, 2), "private": slice(1, None, 2), "full": slice(None)}


def anatomy_of(artifact: bytes) -> dict[str, Any] | None:
    """The ledger and the histograms of a packed model; None where it is none."""
    try:
        model, ledger = read(artifact)
    except ArtifactError:
        return None
    rows = []
    for row in ledger:
        values = np.zeros(0, np.float32)
        if row.layer_index is not None:
            values = getattr(model.layers[row.layer_index], row.array)
        rows.append(
            {
                "layer": row.layer,
                "array": row.array,
                "shape": list(row.shape),
                "bytes": round(row.size_bytes, 1),
                "coding": row.coding,
                "entropy_bytes": round(row.entropy_bytes, 1),
                "zeros": int(values.size - np.count_nonzero(values)),
                "levels": len(np.unique(values[values != 0])),
            }
        )
    return {"arrays": rows, "histograms": _histograms(model)}


@cache
def shared_histograms() -> list[dict[str, Any]]:
    """Histograms of the shared model's weights: what everybody starts from."""
    return _histograms(shared_model())


@cache
def test_digits(data: str, split: str) -> tuple[np.ndarray, np.ndarray] | None:
    """The test images as bytes, (N, 784), and their labels, in the order of `correct`; None where not to be had."""
    try:
        mnist = load_mnist(allow_fallback=False) if data == "mnist" else load_mnist_5k()
    except DataError:
        return None
    part = PARTS[split]
    return np.rint(mnist.test.images[part] * 255).astype(np.uint8), mnist.test.labels[part]


def _histograms(model: Sequential) -> list[dict[str, Any]]:
    found = []
    for layer in model.layers:
        if not layer.parameters():
            continue
        weights = np.asarray(layer.parameters()[0], np.float64).ravel()
        weights = weights[np.isfinite(weights) & (weights != 0)]
        limit = float(f"{np.abs(weights).max(initial=0):.3g}")
        limit = limit or 1.0
        counts = np.histogram(np.clip(weights, -limit, limit), BINS, (-limit, limit))[0]
        found.append({"layer": repr(layer), "limit": limit, "counts": counts.tolist()})
    return found

"""What is done with a model that a submission returned: our own code, yet in a worker, under limits.

A model that nobody has seen can be built to take for ever or to eat all memory while it is packed or
run. All three functions answer with a sentence where the model itself is at fault.
"""

from __future__ import annotations

import numpy as np

from assignment.artifact import ArtifactError, pack, unpack
from assignment.nn import Dense, Sequential
from assignment.nn.layers import WeightedLayer
from assignment.weighing import weighed

__all__ = ["packed", "predicted", "weighed"]


def packed(model: Sequential) -> np.ndarray | str:
    """The artifact's bytes as (n,) uint8, or why there is none."""
    try:
        return np.frombuffer(pack(model), np.uint8)
    except ArtifactError as error:
        return f"compress returned a model that cannot be packed: {error}"


def predicted(artifact: np.ndarray, images: np.ndarray) -> tuple[np.ndarray, str] | str:
    """The (N,) labels that the unpacked model gives and its division, or why there are none."""
    try:
        model = unpack(artifact.tobytes())
    except ArtifactError as error:
        return f"the artifact cannot be unpacked: {error}"
    try:
        classes = model.forward(images[:1]).shape[1:]
        if classes != (10,):
            return f"the unpacked model must give 10 logits for an image, got an array of shape {classes}"
        labels = model.predict(images)
    except ValueError as error:
        return f"the unpacked model does not run on images of shape (N, {images.shape[1]}): {error}"
    return labels, division(model)


def division(model: Sequential) -> str:
    """ "mlp" where only Dense layers have weights, else "open"."""
    weighted = [layer for layer in model.layers if isinstance(layer, WeightedLayer)]
    return "mlp" if all(isinstance(layer, Dense) for layer in weighted) else "open"

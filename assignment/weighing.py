"""What a returned model packs to and answers: our own code, on a model that may be built to be slow."""

from __future__ import annotations

import numpy as np

from .artifact import ArtifactError, pack
from .nn import Sequential

CLASSES = 10
BATCH = 100


def weighed(model: Sequential, images: np.ndarray) -> tuple[int, np.ndarray] | str:
    """Packed bytes, and the (N,) labels for (N, 784) images; a sentence's end where there are none."""
    try:
        size_bytes = len(pack(model))
    except ArtifactError as error:
        return f"must be a model that pack takes:\n{error}"
    try:
        for_one = model.forward(images[:1]).shape[1:]
        if for_one != (CLASSES,):
            return f"must give ten logits for each image, not\n{for_one}"
        return size_bytes, model.predict(images, batch_size=BATCH)
    except ValueError:
        return "must take images of shape (N, 784)"

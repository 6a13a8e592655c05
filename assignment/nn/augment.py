"""Small changes to images that leave the digit what it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .layers import Array


def random_shifts(max_shift: int) -> Callable[[Array, np.random.Generator], Array]:
    """An `augment` for `fit`: each image moved by up to `max_shift` pixels each way, zeros moving in.

    Images are (N, side * side) float32, square.
    """

    def augment(images: Array, rng: np.random.Generator) -> Array:
        n, side = len(images), int(np.sqrt(images.shape[1]))
        edge = (max_shift, max_shift)
        padded = np.pad(images.reshape(n, side, side), ((0, 0), edge, edge))
        views = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
        dy, dx = rng.integers(0, 2 * max_shift + 1, size=(2, n))
        return views[np.arange(n), dy, dx].reshape(n, side * side)

    return augment

"""Random warps of images: what a pen, a scanner and an unsteady hand do to a digit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .layers import Array


def random_distortions(
    *,
    degrees: float = 10.0,
    stretch: float = 0.1,
    shear: float = 0.1,
    shift: float = 1.5,
    wobble: float = 1.0,
    smoothness: float = 4.0,
    group: int = 16,
) -> Callable[[Array, np.random.Generator], Array]:
    """An `augment` for `fit`: turned, stretched, sheared, shifted and bent (Simard et al. 2003, section 2).

    degrees, stretch, shear, shift: the largest rotation, relative change of size, shear and move (pixels).
    wobble: how far pixels stray from that, on average (standard deviation, pixels); near ones stray alike.
    smoothness: over how many pixels they do (standard deviation of the Gaussian that smooths the field).
    group: how many images in a row share one warp, which makes all of this cheap.

    Images are (N, side * side) float32, square. Values between pixels are bilinear, outside them zero.
    """

    def augment(images: Array, rng: np.random.Generator) -> Array:
        side = int(np.sqrt(images.shape[1]))
        count = -(-len(images) // group)
        rows, columns = affine_field(rng, count, side, degrees, stretch, shear, shift)
        if wobble:
            bends = wobble * _smooth_noise(rng, 2 * count, side, smoothness)
            rows, columns = rows + bends[:count], columns + bends[count:]
        return sample(images, rows, columns, group)

    return augment


def affine_field(
    rng: np.random.Generator,
    count: int,
    side: int,
    degrees: float,
    stretch: float,
    shear: float,
    shift: float,
) -> tuple[Array, Array]:
    """Where each pixel of a warped image is read from: two arrays (count, side * side) float32."""

    def draw(largest: float) -> Array:
        return rng.uniform(-largest, largest, (count, 1)).astype(np.float32)

    centre = np.float32((side - 1) / 2)
    y, x = (axis.reshape(1, -1).astype(np.float32) - centre for axis in np.mgrid[:side, :side])
    angle = np.deg2rad(draw(degrees))
    tall, wide, slant = 1 + draw(stretch), 1 + draw(stretch), draw(shear)
    rows = tall * np.cos(angle) * y + (slant - tall * np.sin(angle)) * x + draw(shift) + centre
    columns = wide * np.sin(angle) * y + wide * np.cos(angle) * x + draw(shift) + centre
    return rows, columns


def _smooth_noise(rng: np.random.Generator, count: int, side: int, smoothness: float) -> Array:
    """Noise of standard deviation about 1, alike in neighbouring pixels: (count, side * side) float32."""
    distance = np.subtract.outer(np.arange(side), np.arange(side))
    blur = np.exp(-0.5 * (distance / smoothness) ** 2).astype(np.float32)
    blur /= np.sqrt(np.square(blur).sum(axis=1, keepdims=True))
    return (blur @ rng.standard_normal((count, side, side), dtype=np.float32) @ blur.T).reshape(count, -1)


def sample(images: Array, rows: Array, columns: Array, group: int) -> Array:
    """Images read at these positions, group after group: (N, side * side) float32."""
    side = int(np.sqrt(images.shape[1]))
    width = side + 4  # two pixels of margin each way: what lies outside reads as 0
    framed = np.pad(images.reshape(-1, side, side), ((0, 0), (2, 2), (2, 2))).reshape(len(images), -1)
    rows, columns = np.clip(rows + 2, 0, side + 2), np.clip(columns + 2, 0, side + 2)
    top, left = rows.astype(np.int64), columns.astype(np.int64)
    below, right = rows - top.astype(np.float32), columns - left.astype(np.float32)
    corner = top * width + left
    neighbours = (
        (corner, (1 - below) * (1 - right)),
        (corner + 1, (1 - below) * right),
        (corner + width, below * (1 - right)),
        (corner + width + 1, below * right),
    )
    out = np.zeros_like(images)
    for index in range(len(rows)):
        block = slice(index * group, (index + 1) * group)
        for position, weight in neighbours:
            out[block] += framed[block].take(position[index], axis=1) * weight[index]
    return out

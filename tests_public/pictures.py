"""Small data that are like MNIST, for tests of `compress`: ten classes of blurred strokes on black.

A class is a few blobs in the middle of a 28 x 28 image. Each picture of it has them moved a little,
brighter or darker. The rim is always black, most pixels are 0, and all lie in [0, 1], so that a recipe
made for MNIST (shifts, pools, dead pixels dropped) finds what it expects; a network learns them in
seconds.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise

import numpy as np

from assignment.nn import Data, Dataset, Dense, ReLU, Sequential, fit

BLOBS, WIDTH = 4, 1.6


def pictures(rng: np.random.Generator, centres: np.ndarray, count: int) -> Dataset:
    """`count` pictures, all classes alike in number. centres: (10, blobs, 2), in pixels."""
    labels = rng.permutation(np.arange(count) % 10)
    moved = rng.uniform(-1.5, 1.5, (count, 1, 2)) + rng.normal(0, 0.7, (count, BLOBS, 2))
    y, x = np.moveaxis(centres[labels] + moved, 2, 0)[..., None]
    pixels = np.arange(28)
    rows, columns = (np.exp(-((pixels - at) ** 2) / (2 * WIDTH**2)) for at in (y, x))
    ink = np.einsum("nbi,nbj->nij", rows, columns) * rng.uniform(0.7, 1.1, (count, 1, 1))
    ink = np.clip(np.where(ink < 0.1, 0, ink), 0, 1)
    return Dataset(ink.reshape(count, 784).astype(np.float32), labels.astype(np.int64))


def problem(rng: np.random.Generator, train: int = 1500) -> tuple[Sequential, Data, Dataset]:
    """A trained LeNet-300-100, data to compress it with, and pictures that those do not contain."""
    made, after = problem_from(json.dumps(rng.bit_generator.state), train)
    rng.bit_generator.state = json.loads(after)
    return made


@cache
def problem_from(state: str, train: int) -> tuple[tuple[Sequential, Data, Dataset], str]:
    """The same from a generator's state, and its state afterwards: trained once for a class, which has one seed."""
    rng = np.random.default_rng()
    rng.bit_generator.state = json.loads(state)
    centres = rng.uniform(7, 20, (10, BLOBS, 2))
    data = Data(pictures(rng, centres, train), pictures(rng, centres, train // 5))
    sizes = (784, 300, 100, 10)
    dense = [Dense(*pair, rng=rng) for pair in pairwise(sizes)]
    for layer in dense:
        # Training from small weights makes most of them stay small, as in a network trained for long.
        layer.weight *= np.float32(0.3)
    model = Sequential([dense[0], ReLU(), dense[1], ReLU(), dense[2]])
    fit(model, data.train, epochs=8)
    made = model, data, pictures(rng, centres, 1000)
    return made, json.dumps(rng.bit_generator.state)

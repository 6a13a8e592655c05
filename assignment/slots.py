"""In which contexts each question is asked: a counter for every one, and what it has counted before the first.

USED: has a row anything but zeros? ZERO: is this one no zero? SIGN: is it negative? SIZE: the questions about a magnitude.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from .contexts import BALANCES, DENSITIES, SIZES, TILE
from .mixing import Mixture, counts_of
from .priors import EXPECTED, SIGN_WEIGHTS, SIZE_WEIGHTS, USED_WEIGHTS, ZERO_WEIGHTS

Array = np.ndarray
KINDS = 4  # weights of pictures, of kernels, other weights, biases: each keeps statistics of its own
LEVELS = 40  # buckets of an array's mean magnitude
NEAR = 24  # buckets of what the neighbours weigh
NODES = 83  # questions about a magnitude
LAST = 10


class Contexts:
    """Slots of a `Mixture`: a part for each input, each part a grid of its context's values."""

    def __init__(self, sizes: dict[str, int], *inputs: str) -> None:
        """sizes: how many values each thing known has; inputs: which of them are an input's context, with spaces."""
        self.names = tuple(sizes)
        self.strides = np.zeros((len(inputs), len(sizes)), np.int64)
        self.starts = [0]
        for row, names in zip(self.strides, inputs, strict=True):
            slots = 1
            for name in reversed(names.split()):
                row[self.names.index(name)] = slots
                slots *= sizes[name]
            self.starts.append(self.starts[-1] + slots)
        self._first = np.array(self.starts[:-1])[:, None]

    def slots(self, count: int, **values: Array | int) -> Array:
        """(inputs, count) slots where what is known is `values`, each (count,) or one for all."""
        known = np.empty((len(self.names), count), np.int64)
        for row, name in enumerate(self.names):
            known[row] = values[name]
        return self.strides @ known + self._first


K, D, S, B, N = KINDS, DENSITIES, SIZES, BALANCES, NODES
CONTEXTS = {
    "USED": Contexts(
        {"kind": K, "pattern": 16, "amount": 16, "density": D + 1, "hint": D + 1},
        "kind pattern hint",
        "kind amount density",
    ),
    "ZERO": Contexts(
        {"kind": K, "unit": TILE, "pattern": 128, "near": NEAR, "some": 16, "column": D, "window": D}
        | {"density": D, "so_far": D, "hint": D + 1},
        "kind unit",
        "kind pattern",
        "kind near column",
        "kind column density",
        "kind density hint",
        "kind density some",
        "kind",
        "kind window column",
        "kind so_far hint",
        "kind so_far column",
    ),
    "SIGN": Contexts(
        {"kind": K, "unit": TILE, "pattern": 81, "column": B, "behind": 3, "lean": 25, "leaning": 3}
        | {"so_far": B, "window": B},
        "kind unit",
        "kind pattern",
        "kind column behind",
        "kind lean",
        "kind column leaning",
        "kind",
        "kind so_far",
        "kind window column",
    ),
    "SIZE": Contexts(
        {"kind": K, "near": S, "column": S, "negative": 2, "density": D, "row": S, "window": S, "so_far": S}
        | {"last": LAST, "level": LEVELS, "question": N},
        "kind near question",
        "kind column question",
        "kind negative question",
        "kind density question",
        "kind near column question",
        "kind row question",
        "kind window question",
        "kind so_far question",
        "kind last question",
        "level question",
    ),
}
WEIGHTS = {"USED": USED_WEIGHTS, "ZERO": ZERO_WEIGHTS, "SIGN": SIGN_WEIGHTS, "SIZE": SIZE_WEIGHTS}


@cache
def expected_counts(name: str) -> tuple[Array, Array]:
    """(places, counts): what counters of the mixture `name` begin with, where that is not nothing."""
    contexts = CONTEXTS[name]
    counts = np.zeros(2 * contexts.starts[-1], np.int64)
    for (mixture, part), halves in EXPECTED.items():
        if mixture == name:
            start = 2 * contexts.starts[part]
            counts[start : start + 2 * len(halves)] = counts_of(halves)
    places = np.flatnonzero(counts)
    return places, counts[places]


def beginning(name: str) -> Mixture:
    return Mixture(CONTEXTS[name].starts[-1], WEIGHTS[name], *expected_counts(name))

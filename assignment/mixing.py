"""Predictions for binary events: several counters, each in its own context, mixed.

Each input of a `Mixture` looks at the next bit in another context and has counted what came there
before. Their odds are weighed by how well each input has predicted, and the weights learn on the way
(logistic mixing: Mahoney 2005, "Adaptive weighing of context models for lossless data compression").

Bits come in batches that are predicted from the same state, so that NumPy does the work. A batch is
never more than a quarter of what came before and so costs next to nothing in bytes. All state is
integer: decoders agree to the bit.
"""

from __future__ import annotations

import numpy as np

from .entropy import HALF, ONE, Coder

Array = np.ndarray
MAX_BATCH = 512
COUNT_LIMIT = 1023  # a slot that has seen more bits forgets half of them
ODDS_LIMIT = 12 * 256 - 1  # log2 of odds, in 1/256, lies in -ODDS_LIMIT..ODDS_LIMIT
SEEN = (1, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256)  # round(2 * 2**(h / 2)), but 1 for nothing
WEIGHT_LIMIT = 16 * ONE


def log_table() -> Array:
    """LOG[n] = floor(256 * log2(n + 1)), exactly."""
    return np.array([((n + 1) ** 256).bit_length() - 1 for n in range(2 * COUNT_LIMIT + 2)], np.int64)


def squash_table() -> Array:
    """SQUASH[x + ODDS_LIMIT] = 65536 / (1 + 2**(-x / 256)): log odds to probability."""
    root, power, powers = 33645407, 1 << 25, []  # 2**(1/256) in units of 2**-25
    for _ in range(256):
        powers.append(power >> 5)
        power = power * root >> 25
    upper = []
    for x in range(ODDS_LIMIT + 1):
        odds = powers[x & 255] << (x >> 8)
        upper.append(odds * ONE // (odds + (1 << 20)))
    return np.array([ONE - p for p in reversed(upper[1:])] + upper, np.int64)


LOG = log_table()
SQUASH = squash_table()


def within(values: Array, limit: int) -> Array:
    """values, cut to -limit..limit (np.clip takes longer)."""
    return np.maximum(np.minimum(values, limit), -limit)


def counts_of(halves: Array) -> Array:
    """(2 * slots,) zeros and ones, slot by slot, as if bits with log2 of odds of `halves` / 2 had been seen."""
    seen, few = np.array(SEEN, np.int64)[np.abs(halves)] - 1, (halves != 0).astype(np.int64)
    return np.stack([np.where(halves < 0, seen, few), np.where(halves < 0, few, seen)], axis=1).ravel()


class Mixture:
    """Predicts bits from counters, out of one table of `slots` counters, and from odds that the caller knows.

    The caller gives each counter's input its own part of the table. There are several sets of mixing
    weights; each call names the one to use.
    """

    def __init__(self, slots: int, weights: Array, places: Array | int = 0, counts: Array | int = 0) -> None:
        """weights: (sets, inputs) int64 in 1/65536, those of counters first. counts: those to begin with at `places`."""
        self._counts = np.zeros(2 * slots, np.int64)  # zeros and ones seen, slot by slot
        self._counts[places] = counts
        self._weights = weights.copy()
        self._seen = 0

    def forget(self, start: int, stop: int) -> None:
        """Reset the counters of slots start..stop - 1."""
        self._counts[2 * start : 2 * stop] = 0

    def code(self, coder: Coder, slots: Array, known: Array, weight_set: int, bits: Array) -> Array:
        """Code bits (n,) int64, bit i in the contexts slots[:, i]; returns them.

        slots: (counters, n) int64; known: (others, n) int64, log2 of odds in 1/256. A decoder's `bits`
        matter only by their number.
        """
        if len(bits) <= self._most():
            return self._batch(coder, 2 * slots, known, weight_set, bits)
        result, start = np.empty(len(bits), np.int64), 0
        while start < len(bits):
            part = slice(start, start + self._most())
            result[part] = self._batch(coder, 2 * slots[:, part], known[:, part], weight_set, bits[part])
            start = part.stop
        return result

    def _most(self) -> int:
        """How many bits to predict from the same state."""
        return min(4 + self._seen // 4, MAX_BATCH)

    def _batch(self, coder: Coder, places: Array, known: Array, weight_set: int, bits: Array) -> Array:
        counts, weights = self._counts, self._weights[weight_set]
        zeros, ones = counts.take(places), counts.take(places + 1)
        inputs = np.concatenate([LOG.take(ones) - LOG.take(zeros), known])
        probabilities = SQUASH.take((weights @ inputs >> 16) + ODDS_LIMIT, mode="clip")
        found = np.array(coder.code(bits.tolist(), probabilities.tolist()), np.int64)
        gain = (inputs @ (found * ONE - probabilities)) >> 18
        if len(bits) > 16:
            gain = gain * 16 // len(bits)
        weights[:] = within(weights + gain, WEIGHT_LIMIT)
        np.add.at(counts, (places + found).ravel(), 1)
        self._seen += len(bits)
        if (
            self._seen > COUNT_LIMIT and int((zeros + ones).max()) + len(bits) > COUNT_LIMIT
        ):  # else none is full
            full = places[counts.take(places) + counts.take(places + 1) > COUNT_LIMIT]
            counts[full] = counts[full] + 1 >> 1
            counts[full + 1] = counts[full + 1] + 1 >> 1
        return found


def evenly(coder: Coder, bits: Array) -> Array:
    """Code bits (n,) that nothing predicts."""
    return np.array(coder.code(bits.tolist(), [HALF] * len(bits)), np.int64)

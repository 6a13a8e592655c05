"""What a logistic distribution around a guess says about the next symbol: odds for every question asked of it.

The logistic with centre m and scale s has F(x) = 1 / (1 + 2**((m - x) / s)); a symbol k takes what lies between
k - 1/2 and k + 1/2. Centres and scales are integers in 1/256 of a level, log2 of odds integers in 1/256.
"""

from __future__ import annotations

import math

import numpy as np

from .mixing import LOG, within

Array = np.ndarray
ODDS = 6 * 256  # what a guess says is cut to -ODDS..ODDS: guesses are never certain
FLAT = 3072  # log2(1 + 2**-x) is 0 from here on
WIDEST = 21 * 256  # of a width, log2 in 1/256, counted from 2**-16
POWERS = np.array([1 << k for k in range(11, 53)], np.int64)


def soft_table() -> Array:
    """SOFT[x] = 256 * log2(1 + 2**(-x / 256)), rounded. No entry comes near a half: doubles will do."""
    return np.array([math.floor(256 * math.log2(1 + 2.0 ** (-x / 256)) + 0.5) for x in range(FLAT + 1)])


def width_table() -> Array:
    """WIDTH[t] = 256 * log2(2**d - 1) for d = 2**(t / 256 - 16), rounded. No entry comes near a half."""
    steps = [math.log(2) * 2.0 ** (t / 256 - 16) for t in range(WIDEST + 1)]
    return np.array([math.floor(256 * math.log2(math.expm1(step)) + 0.5) for step in steps])


SOFT, WIDTH = soft_table(), width_table()


def log2_of(n: Array) -> Array:
    """256 * log2(n + 1), about: exact to LOG's own steps below 2048, from the leading 11 bits above."""
    shift = np.searchsorted(POWERS, n, side="right")
    return LOG.take(n >> shift) + (shift << 8)


def soft(x: Array) -> Array:
    """256 * log2(1 + 2**(x / 256))."""
    return np.maximum(x, 0) + SOFT.take(np.minimum(np.abs(x), FLAT))


def rise(width: int | Array, scale: Array) -> Array:
    """256 * log2(2**(width / scale) - 1), `width` in levels."""
    return WIDTH.take(np.minimum(log2_of((width << 24) // scale), WIDEST))


def nonzero(centre: Array, scale: Array) -> Array:
    """Odds of a symbol that is not 0."""
    low, high = ((-128 - centre) << 8) // scale, ((128 - centre) << 8) // scale
    below = soft(low)
    return within(below + soft(low + soft(high) - below) - low - rise(1, scale), ODDS)


def negative(centre: Array, scale: Array) -> Array:
    """Odds of a negative symbol, if it is not 0."""
    low, high = ((-128 - centre) << 8) // scale, ((128 - centre) << 8) // scale
    return within(low - soft(low) + soft(high), ODDS)


def more(centre: Array, scale: Array, least: int | Array, width: int | Array) -> Array:
    """Odds of a symbol of `least` + `width` or more, if it is `least` or more."""
    low = ((least << 8) - 128 - centre << 8) // scale
    return within(soft(-low) - rise(width, scale), ODDS)


def upper(centre: Array, scale: Array, least: int | Array, half: int | Array) -> Array:
    """Odds of the upper half of the 2 * `half` symbols from `least` on, if it is one of them."""
    low, width = ((least << 8) - 128 - centre << 8) // scale, (half << 16) // scale
    return within(soft(-low) - soft(-low - 2 * width) - width, ODDS)

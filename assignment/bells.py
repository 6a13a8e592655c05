"""What a bell around a guess says about the next symbol: odds for every question asked of it.

A guess has a centre m and a scale s, in 1/256 of a level; a symbol k takes what lies between k - 1/2 and k + 1/2.
Two shapes: `sharp` is nearly a normal distribution of standard deviation 2.5 s, `broad` one whose tails are halfway to
those of a Laplace distribution. Both are a table of what lies beyond -256, ..., 256 cells, 16 to a scale, made of integers.
"""

from __future__ import annotations

import numpy as np

from .mixing import LOG, within

Array = np.ndarray
ODDS = 6 * 256  # what a guess says is cut to -ODDS..ODDS: guesses are never certain
# Cells of a half, each of 256 steps; 16 are a scale, 40 the standard deviation of the normal part.
CELLS = 256
ALL = 1 << 40  # what lies beyond minus infinity
NORMAL_FALL = 1152201153799543898  # exp(-1 / 1600) in units of 2**-60
LAPLACE_FALL = 1117449839007427528  # exp(-1 / 32)
POWERS = np.array([1 << k for k in range(11, 53)], np.int64)


def falling(fall: int, faster: int) -> list[int]:
    """1 in units of 2**-60, and what is left of it cell after cell: `fall`, which itself falls by `faster`."""
    left, result = 1 << 60, []
    while left:
        result.append(left)
        left, fall = left * fall >> 60, fall * faster >> 60
    return result


def beyond_table(laplace: int) -> list[int]:
    """(2 * CELLS + 1,) what lies beyond -CELLS, ..., CELLS cells, in 1/ALL; laplace: share of that distribution, in 1/32."""
    normal, tails = falling(NORMAL_FALL, NORMAL_FALL), falling(LAPLACE_FALL, 1 << 60)
    of_normal, of_tails, upper = sum(normal), sum(tails), [ALL >> 1]
    for cell in range(CELLS):
        inside = normal[cell] * (32 - laplace << 34) // of_normal
        inside += tails[cell] * (laplace << 34) // of_tails
        upper.append(upper[-1] - inside)
    return [ALL - beyond for beyond in upper[:0:-1]] + upper


SHARP, BROAD = beyond_table(1), beyond_table(16)
SHAPES = (SHARP, BROAD, BROAD)  # of the guesses, see `contexts.Row`
BEYOND = np.array([value for shape in SHAPES for value in shape], np.int64)
INSIDE = np.array([a - b for shape in SHAPES for a, b in zip(shape, [*shape[1:], 0], strict=True)], np.int64)
MIDDLE = np.array([[CELLS + guess * len(SHARP)] for guess in range(len(SHAPES))])  # of each guess's table


def log2_of(n: Array) -> Array:
    """256 * log2(n + 1), about: exact to LOG's own steps below 2048, from the leading 11 bits above."""
    shift = np.searchsorted(POWERS, n, side="right")
    return LOG.take(n >> shift) + (shift << 8)


def beyond(level: int | Array, centre: Array, scale: Array) -> Array:
    """What of each bell lies beyond the lower edge of `level`, in 1/ALL; the last axis but one is of guesses."""
    steps = within(((level << 8) - 128 - centre << 12) // scale, CELLS * 256 - 1)
    cell = (steps >> 8) + MIDDLE
    return BEYOND.take(cell) - (INSIDE.take(cell) * (steps & 255) >> 8)


def odds(yes: Array, no: Array) -> Array:
    """log2 of the odds of two shares of a bell, in 1/256."""
    return within(log2_of(yes) - log2_of(no), ODDS)


def nonzero(centre: Array, scale: Array) -> Array:
    """Odds of a symbol that is not 0."""
    low, high = beyond(0, centre, scale), beyond(1, centre, scale)
    return odds(ALL - low + high, low - high)


def negative(centre: Array, scale: Array) -> Array:
    """Odds of a negative symbol, if it is not 0."""
    return odds(ALL - beyond(0, centre, scale), beyond(1, centre, scale))

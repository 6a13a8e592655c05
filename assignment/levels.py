"""What structure a float32 array has: the fewest facts from which its exact bits follow.

A quantized array takes few distinct values. They may lie on a uniform grid (a step, and perhaps an
offset, give them all), on one grid for each unit, or anywhere (a codebook). Everything found here is
checked against the bits before it is believed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

Array = np.ndarray
MAX_LEVEL = 32767
BEYOND = 1 << 40  # as good as infinity: no level is so far from zero
STEP_BITS = 37  # level * step stays under 2**53, so that a double holds the product exactly


@dataclass(frozen=True)
class Step:
    """`mantissa` * 2**`exponent`: a grid's step, with no more bits than exactness needs."""

    mantissa: int
    exponent: int

    @classmethod
    def of(cls, value: float) -> Step:
        """A double that is not zero, exactly."""
        numerator, denominator = value.as_integer_ratio()
        zeros = (numerator & -numerator).bit_length() - 1
        return cls(numerator >> zeros, zeros - (denominator.bit_length() - 1))

    def __float__(self) -> float:
        return math.ldexp(self.mantissa, self.exponent)

    def __neg__(self) -> Step:
        return Step(-self.mantissa, self.exponent)

    def nearest(self, values: Array) -> Array:
        """Which levels are nearest to `values`: integers k."""
        with np.errstate(over="ignore"):
            ks = np.rint(values.astype(np.float64) / float(self))
        return ks.clip(-BEYOND, BEYOND).astype(np.int64)

    def levels(self, ks: Array) -> Array:
        """float32(k * step) for integers k, rounded once."""
        with np.errstate(over="ignore"):
            return (ks * float(self)).astype(np.float32)


def bits_of(values: Array) -> Array:
    """The bit patterns of float32 values, as uint32: the only equality that counts here."""
    return np.ascontiguousarray(values, np.float32).view(np.uint32)


def same_bits(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool((bits_of(a) == bits_of(b)).all())


def distinct(array: Array) -> Array:
    """The distinct bit patterns of an array as float32 values, ascending by pattern."""
    return np.unique(bits_of(array)).view(np.float32)


def fit_step(values: Array) -> tuple[Step, Array] | None:
    """The largest step that gives all `values` as float32(k * step); with it the ks."""
    exact = values.astype(np.float64)
    order = np.argsort(np.abs(exact))
    sizes = np.abs(exact)[order]
    sizes, kept = sizes[sizes > 0], order[sizes > 0]
    if not len(sizes) or len(sizes) > 2 * MAX_LEVEL:
        return None
    below, above = rounding(np.abs(values[kept]))
    bounds = list(zip(sizes.tolist(), (sizes - below).tolist(), (sizes + above).tolist(), strict=True))
    for step in candidate_steps(sizes):
        interval = narrow(step, bounds)
        if interval is None:
            continue
        nearest = Step.of(
            float(np.float32(sum(interval) / 2))
        )  # where the end itself serves, by ties to even
        for found in (shortest(*interval), nearest):
            ks = found.nearest(values)
            if same_bits(found.levels(ks), values):
                return found, ks
    return None


def candidate_steps(sizes: Array) -> list[float]:
    """Where a common step may be: parts of the smallest size, and of the smallest gap."""
    parts = np.arange(1, 65)
    gaps = np.diff(sizes)
    gaps = gaps[gaps > sizes[1:] * 2.0**-22] if len(gaps) else gaps
    steps = sizes[0] / parts
    if len(gaps):
        steps = np.concatenate([steps, gaps.min() / parts[:8]])
    steps = np.unique(steps)[::-1]
    return steps[sizes[-1] / steps < MAX_LEVEL + 0.5].tolist()


def rounding(sizes: Array) -> tuple[Array, Array]:
    """How far below and above positive float32 `sizes` what rounds to them lies: less below a power of two."""
    exact = sizes.astype(np.float64)
    below = (exact - np.nextafter(sizes, np.float32(0)).astype(np.float64)) / 2
    return below, np.spacing(sizes).astype(np.float64) / 2


def narrow(step: float, bounds: list[tuple[float, float, float]]) -> tuple[float, float] | None:
    """The interval of steps near `step` of which every size is a multiple, up to its rounding.

    bounds: each size, and the least and the largest number that rounds to it.
    """
    low, high = 0.0, math.inf
    for size, least, largest in bounds:
        level = round(size / step)
        if level == 0:
            return None
        low, high = max(low, least / level), min(high, largest / level)
        if low > high:
            return None
        step = min(max(step, low), high)
    return low, high


def shortest(low: float, high: float) -> Step:
    """The number strictly between low and high with the shortest mantissa, to STEP_BITS.

    Strictly, since a level exactly between two float32 goes to the even one, which may be its neighbour.
    """
    a, b = Fraction(low), Fraction(high)
    exponent = math.frexp(high)[1]
    for e in range(exponent, exponent - STEP_BITS - 1, -1):
        unit = Fraction(2) ** e
        m = a // unit + 1
        if m * unit < b:
            break
    middle = round((a + b) / 2 / unit)
    m = middle if a < middle * unit < b else m
    while m and m % 2 == 0:
        m, e = m // 2, e + 1
    return Step(int(m), e)

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
STEP_BITS = 37  # level * step stays under 2**53, so that a double holds the product exactly


@dataclass(frozen=True)
class Step:
    """`mantissa` * 2**`exponent`: a grid's step, with no more bits than exactness needs."""

    mantissa: int
    exponent: int

    def levels(self, ks: Array, offset: float = 0.0) -> Array:
        """float32(offset + k * step) for integers k, rounded once."""
        with np.errstate(over="ignore"):
            return (offset + ks * math.ldexp(self.mantissa, self.exponent)).astype(np.float32)


def bits_of(values: Array) -> Array:
    """The bit patterns of float32 values, as uint32: the only equality that counts here."""
    return np.ascontiguousarray(values, np.float32).view(np.uint32)


def same_bits(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool((bits_of(a) == bits_of(b)).all())


def distinct(array: Array) -> Array:
    """The distinct bit patterns of an array as float32 values, ascending by pattern."""
    return np.unique(bits_of(array)).view(np.float32)


def fit_step(values: Array, offset: float = 0.0) -> tuple[Step, Array] | None:
    """The largest step that gives all `values` as float32(offset + k * step); with it the ks."""
    exact = values.astype(np.float64) - offset
    order = np.argsort(np.abs(exact))
    sizes = np.abs(exact)[order]
    sizes, kept = sizes[sizes > 0], order[sizes > 0]
    if not len(sizes) or len(sizes) > 2 * MAX_LEVEL:
        return None
    half = np.abs(np.spacing(values[kept]).astype(np.float64)) / 2
    bounds = list(zip(sizes.tolist(), half.tolist(), strict=True))
    for step in candidate_steps(sizes):
        interval = narrow(step, bounds)
        if interval is None:
            continue
        found = shortest(*interval)
        ks = np.rint(exact / math.ldexp(found.mantissa, found.exponent)).astype(np.int64)
        if same_bits(found.levels(ks, offset), values):
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


def narrow(step: float, bounds: list[tuple[float, float]]) -> tuple[float, float] | None:
    """The interval of steps near `step` of which every size is a multiple, up to its rounding."""
    size, half = bounds[0]
    low, high = 0.0, np.inf
    for size, half in bounds:
        level = round(size / step)
        if level == 0:
            return None
        low = max(low, (size - half) / level)
        high = min(high, (size + half) / level)
        if low > high:
            return None
        step = min(max(step, low), high)
    return float(low), float(high)


def shortest(low: float, high: float) -> Step:
    """The number in [low, high] with the shortest mantissa, to STEP_BITS."""
    a, b = Fraction(low), Fraction(high)
    exponent = math.frexp(high)[1]
    for e in range(exponent, exponent - STEP_BITS - 1, -1):
        unit = Fraction(2) ** e
        m = -(-a // unit)
        if m * unit <= b:
            break
    middle = round((a + b) / 2 / unit)
    m = middle if a <= middle * unit <= b else m
    while m and m % 2 == 0:
        m, e = m // 2, e + 1
    return Step(int(m), e)

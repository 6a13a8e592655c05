"""Grids that do not pass through zero: levels at offset + k * step.

Quantizers that map codes 0..255 to [min, max] make such levels. Computed in float64, each level is the
float32 nearest to a point on a line; computed in float32, the product is rounded before the sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .levels import MAX_LEVEL, Step, bits_of, rounding, shortest

Array = np.ndarray
NEIGHBOURS = 256  # float32 steps to try on either side of the likely one


@dataclass(frozen=True)
class Affine:
    """A line of levels. `rounded`: the product is rounded to float32 before the offset is added."""

    step: Step
    offset: Step  # its mantissa has the sign
    rounded: bool = False

    def table(self, count: int) -> Array:
        """The levels k = 0..count - 1, ascending, less any that is zero."""
        ks, step, offset = np.arange(count), float(self.step), float(self.offset)
        with np.errstate(over="ignore"):
            products = ks * step
            if self.rounded:
                products = products.astype(np.float32).astype(np.float64)
            values = np.unique((offset + products).astype(np.float32))
        return values[values != 0]


def fit_affine(levels: Array) -> tuple[Affine, int] | None:
    """The line on which ascending float32 `levels` lie, none of them zero, and how many levels it needs."""
    found = fit_rounded_once(levels) or fit_rounded_twice(levels)
    return found if found is not None and found[1] <= 2 * MAX_LEVEL else None


def fit_rounded_once(levels: Array) -> tuple[Affine, int] | None:
    exact = levels.astype(np.float64)
    inward, outward = rounding(np.abs(levels))
    below, above = np.where(levels > 0, inward, outward), np.where(levels > 0, outward, inward)
    for part in range(1, 5):
        ks = places(exact, outward, float(np.diff(exact).min()) / part)
        if ks is None:
            continue
        found = line(exact - below, exact + above, ks)
        if found is not None and holds(found, levels, ks):
            return found, int(ks[-1]) + 1
    return None


def places(exact: Array, half: Array, step: float) -> Array | None:
    """Integers k with exact = exact[0] + k * step up to rounding, the step corrected on the way."""
    sizes, slack = (exact - exact[0]).tolist(), (half + half[0]).tolist()
    ks, low, high = [0], 0.0, math.inf
    for size, loose in zip(sizes[1:], slack[1:], strict=True):
        k = round(size / step)
        if k == 0 or k > 2 * MAX_LEVEL:
            return None
        low, high = max(low, (size - loose) / k), min(high, (size + loose) / k)
        if low > high:
            return None
        step = min(max(step, low), high)
        ks.append(k)
    return np.array(ks)


def line(least: Array, largest: Array, ks: Array) -> Affine | None:
    """Step and offset in the middle of all that pass between `least` and `largest`, with short mantissas."""

    def room(step: float) -> tuple[float, float]:
        return float((least - ks * step).max()), float((largest - ks * step).min())

    def width(step: float) -> float:
        low, high = room(step)
        return high - low

    lowest, highest = float(least[-1] - largest[0]) / int(ks[-1]), float(largest[-1] - least[0]) / int(ks[-1])
    low, high = lowest, highest
    for _ in range(100):  # the room is a concave function of the step
        third = (high - low) / 3
        if width(low + third) < width(high - third):
            low += third
        else:
            high -= third
    best = (low + high) / 2
    if width(best) <= 0:
        return None
    ends = []
    for far in (lowest, highest):
        near = best
        for _ in range(60):
            middle = (near + far) / 2
            near, far = (middle, far) if width(middle) > width(best) / 2 else (near, middle)
        ends.append(near)
    if not 0 < ends[0] < ends[1]:
        return None
    step = shortest(ends[0], ends[1])
    start, stop = room(float(step))
    if start <= 0 <= stop:
        return None  # through zero: an ordinary grid
    offset = shortest(start, stop) if start > 0 else -shortest(-stop, -start)
    return Affine(step, offset)


def fit_rounded_twice(levels: Array) -> tuple[Affine, int] | None:
    """As `codes * scale + minimum` comes out in float32, code 0 and the largest among the levels."""
    exact = levels.astype(np.float64)
    last = round((exact[-1] - exact[0]) / float(np.diff(exact).min()))
    if not 3 < last < 2 * MAX_LEVEL or last > 64 * len(levels):
        return None
    for top in range(last, max(len(levels) - 2, last - 3), -1):
        likely = np.float32((exact[-1] - exact[0]) / top)
        ks = np.rint((exact - exact[0]) / float(likely)).astype(np.int64)
        patterns = int(likely.view(np.uint32)) + np.arange(-NEIGHBOURS, NEIGHBOURS + 1)
        steps = patterns[(patterns > 0) & (patterns < 0x7F800000)].astype(np.uint32).view(np.float32)
        for step in sorted(steps, key=lambda s: abs(float(s) - float(likely))):
            if np.float32(ks[-1] * step) + levels[0] == levels[-1]:
                found = Affine(Step.of(float(step)), Step.of(float(levels[0])), True)
                if holds(found, levels, ks):
                    return found, int(ks[-1]) + 1
    return None


def holds(found: Affine, levels: Array, ks: Array) -> bool:
    """Whether the levels are those of the line, bit for bit."""
    values = ks * float(found.step)
    if found.rounded:
        values = values.astype(np.float32).astype(np.float64)
    return bool((bits_of((float(found.offset) + values).astype(np.float32)) == bits_of(levels)).all())

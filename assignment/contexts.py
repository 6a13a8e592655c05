"""What is known about a weight before it is coded: its neighbours in the picture, its row, its unit.

Both sides see the same past, so both compute the same contexts from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mixing import LOG

Array = np.ndarray
TILE = 512  # wider matrices are coded in strips of so many columns
DENSITY_STEPS = np.array([1, 3, 6, 10, 16, 24, 36, 52, 76, 108, 150, 200])  # in 1/256
DENSITIES = len(DENSITY_STEPS) + 1
SIZE_STEPS = np.array([3, 5, 7, 9, 12, 16, 24, 36, 60, 120, 300, 1000, 4000])  # twice a mean magnitude
SIZES = len(SIZE_STEPS) + 2
BALANCE_STEPS = np.array([-150, -80, -25, 26, 81, 151])  # (negative - positive) / all, in 1/256
BALANCES = len(BALANCE_STEPS) + 1
REACH = 3  # how far a window sees, in pixels
NEARNESS = {1: 8, 2: 5, 4: 3, 5: 3, 8: 2, 9: 1, 10: 1, 13: 1, 18: 1}  # by the square of a distance
LEAST_SEGMENT = 16


@dataclass(frozen=True)
class Layout:
    """Rows of a matrix as `planes` images of `height` x `width`; `columns` units that read them."""

    planes: int
    height: int
    width: int
    columns: int

    @property
    def rows(self) -> int:
        return self.planes * self.height * self.width

    @property
    def strips(self) -> int:
        """Rows to walk, those of wide matrices once for every TILE columns."""
        return self.rows * -(-self.columns // TILE)

    @property
    def flat(self) -> bool:
        """Whether the rows are no pictures."""
        return self.height * self.width == 1


def density_bucket(count: Array | int, of: Array | int) -> Array:
    """Which step of density `count` out of `of` is."""
    return np.searchsorted(DENSITY_STEPS, (count * 256 + 64) // (of + 1), side="right")


def size_bucket(total: Array | int, count: Array | int) -> Array:
    """Which step of size a mean magnitude is; 0 where nothing was counted."""
    steps = 1 + np.searchsorted(SIZE_STEPS, 2 * total // np.maximum(count, 1), side="right")
    return np.where(count > 0, steps, 0)


def balance_bucket(balance: Array | int, count: Array | int) -> Array:
    """Which step of lean `balance` out of `count` is."""
    return np.searchsorted(BALANCE_STEPS, balance * 256 // (count + 1), side="right")


def log_odds(ones: int, zeros: int) -> int:
    """log2 of (ones + 1) / (zeros + 1) in 1/256, of no more than the table's numbers."""
    while max(ones, zeros) >= len(LOG):
        ones, zeros = ones >> 1, zeros >> 1
    return int(LOG[ones] - LOG[zeros])


class Known:
    """What both sides know of a matrix so far: `sizes` and `signs` by row, sums by row and column."""

    def __init__(self, layout: Layout) -> None:
        rows, columns = layout.rows, layout.columns
        self.layout = layout
        self.signs = np.zeros((rows + 1, columns), np.int8)  # the row behind the last stays zero: it stands
        self.sizes = np.zeros((rows + 1, columns), np.int16)  # for neighbours that are not there
        self.row_count = np.zeros(rows + 1, np.int64)
        self.row_size = np.zeros(rows + 1, np.int64)
        self.column_count = np.zeros(columns, np.int64)
        self.column_balance = np.zeros(columns, np.int64)
        self.column_size = np.zeros(columns, np.int64)
        self.column_last = np.zeros(columns, np.int64)

    def neighbours(self, row: int) -> list[int]:
        """Rows that read left, up, up left, up right, two left, two up, and the same pixel one plane before.

        -1 where there is none. Rows that are no picture have the row before as their left.
        """
        height, width = self.layout.height, self.layout.width
        plane, pixel = divmod(row, height * width)
        y, x = divmod(pixel, width)
        flat = height * width == 1
        return [
            row - 1 if x or (flat and row) else -1,
            row - width if y else -1,
            row - width - 1 if y and x else -1,
            row - width + 1 if y and x + 1 < width else -1,
            row - 2 if x > 1 else -1,
            row - 2 * width if y > 1 else -1,
            row - height * width if plane and not flat else -1,
        ]

    def window(self, row: int) -> tuple[list[int], list[int]]:
        """Earlier rows within REACH pixels, and how near they are."""
        height, width = self.layout.height, self.layout.width
        y, x = divmod(row % (height * width), width)
        rows, weights = [], []
        for dy in range(-min(y, REACH), 1):
            for dx in range(-min(x, REACH), min(width - 1 - x, REACH) + 1 if dy else 0):
                rows.append(row + dy * width + dx)
                weights.append(NEARNESS[dy * dy + dx * dx])
        return rows, weights

    def add(self, row: int, symbols: Array) -> None:
        signs, sizes = np.sign(symbols), np.abs(symbols)
        self.signs[row], self.sizes[row] = signs, sizes
        self.row_count[row], self.row_size[row] = np.count_nonzero(symbols), sizes.sum()
        self.column_count += sizes > 0
        self.column_balance -= signs
        self.column_size += sizes
        self.column_last = np.where(sizes > 0, sizes, self.column_last)


class Row:
    """One row's surroundings."""

    def __init__(self, known: Known, index: int, kind: int, hint: int) -> None:
        """kind: 0 for weights of pictures, 1 of kernels, 2 others, 3 biases; hint: 0 where unknown."""
        self.index, self.kind, self.hint = index, kind, hint
        columns = known.layout.columns
        neighbours = known.neighbours(index)
        near = [i for i in neighbours[:4] if i >= 0]
        self.counts = known.row_count[neighbours[:4]].tolist()
        self.signs = known.signs[neighbours].astype(np.int64)
        self.sizes = known.sizes[neighbours].astype(np.int64)
        total = sum(self.counts)
        if near:
            self.density = int(density_bucket(total, len(near) * columns))
        else:
            self.density = hint - 1 if hint else DENSITIES // 2
        self.mean = int(size_bucket(known.row_size[near].sum(), total))
        self.odds = log_odds(total, len(near) * columns - total)
        if known.layout.flat:
            nothing = np.zeros(columns, np.int64)
            self.window_total, self.window_count = 0, nothing
            self.window_balance = self.window_size = nothing
            return
        rows, weights = known.window(index)
        nearness = np.array(weights, np.int64)
        signs, sizes = known.signs[rows].astype(np.int64), known.sizes[rows].astype(np.int64)
        self.window_total = int(nearness.sum())
        self.window_count = nearness @ (sizes > 0)
        self.window_balance = -(nearness @ signs)
        self.window_size = nearness @ sizes

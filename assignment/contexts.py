"""What is known about a weight before it is coded: its neighbours in the picture, its row, its unit.

Both sides see the same past, so both compute the same contexts from it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

import numpy as np

from .least_squares import PLACES, REACH, LeastSquares
from .mixing import LOG, within

Array = np.ndarray
TILE = 512  # wider matrices are coded in strips of so many columns
CLASSES = 3  # of density: each kind of matrix has weights for each
DENSITY_STEPS = (1, 3, 6, 10, 16, 24, 36, 52, 76, 108, 150, 200)  # in 1/256
DENSITIES = len(DENSITY_STEPS) + 1
SIZE_STEPS = (3, 5, 7, 9, 12, 16, 24, 36, 60, 120, 300, 1000, 4000)  # twice a mean magnitude
SIZES = len(SIZE_STEPS) + 2
BALANCE_STEPS = (-150, -80, -25, 26, 81, 151)  # (negative - positive) / all, in 1/256
BALANCES = len(BALANCE_STEPS) + 1
NEARNESS = {1: 8, 2: 5, 4: 3, 5: 3, 8: 2, 9: 1, 10: 1, 13: 1, 18: 1}  # by the square of a distance
LEAST_SEGMENT = 32
WIDEST = 64  # pixels of a row: wider pictures are none
GUESSES = 3  # two from the least squares and one from the window's mean: see `Row`
FIRST_SLOPE, SLOPE_LIMIT = 160, 384  # 1/256: how much of a guess is believed at first, and at most
SLOPE_PATIENCE = 1 << 17
# What averages weigh in an error that is expected, beside the window; the first two for each guess.
COLUMN, OF_ROW = np.array([[40], [20], [20]]), np.array([[400], [60], [60]])
ALL, SO_FAR = 5, 8
FEW = 6  # cells as wide as all are, that a column has seen before its first
LEAST_SCALE = 16
VALUE, NONZERO, LEAN, SIZE, ERRORS = range(5)  # what `Known.recent` keeps of a cell


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

    def seen(self) -> Layout:
        """The layout as contexts see it: pictures too wide to keep in mind are no pictures."""
        return self if self.width <= WIDEST else Layout(self.rows, 1, 1, self.columns)


@cache
def window_of(y: int, x: int, right: int, width: int) -> tuple[Array, Array, Array]:
    """Earlier rows within reach: where from here, how near, and which of PLACES; y, x, right: pixels there, REACH at most."""
    found = [(dy, dx, place) for place, (dy, dx) in enumerate(PLACES) if dy >= -y and -x <= dx <= right]
    steps = [dy * width + dx for dy, dx, _ in found]
    weights = [NEARNESS[dy * dy + dx * dx] for dy, dx, _ in found]
    return (
        np.array(steps, np.int64),
        np.array(weights, np.int64),
        np.array([place for *_, place in found], np.int64),
    )


@cache
def _array(steps: tuple[int, ...]) -> Array:
    return np.array(steps)


def step_of(value: Array | int, steps: tuple[int, ...]) -> Array | int:
    """How many of the ascending `steps` are no larger than `value`."""
    if isinstance(value, int):
        return bisect_right(steps, value)  # many times as fast as NumPy for one number
    return _array(steps).searchsorted(value, side="right")


def density_bucket(count: Array | int, of: Array | int) -> Array | int:
    """Which step of density `count` out of `of` is."""
    return step_of((count * 256 + 64) // (of + 1), DENSITY_STEPS)


def size_bucket(total: Array | int, count: Array | int) -> Array | int:
    """Which step of size a mean magnitude is; 0 where nothing was counted."""
    if isinstance(count, int):
        return 1 + step_of(2 * total // count, SIZE_STEPS) if count else 0
    return (1 + step_of(2 * total // np.maximum(count, 1), SIZE_STEPS)) * (count > 0)


def balance_bucket(balance: Array | int, count: Array | int) -> Array | int:
    """Which step of lean `balance` out of `count` is."""
    return step_of(balance * 256 // (count + 1), BALANCE_STEPS)


def log_odds(ones: int, zeros: int) -> int:
    """log2 of (ones + 1) / (zeros + 1) in 1/256, of no more than the table's numbers."""
    while max(ones, zeros) >= len(LOG):
        ones, zeros = ones >> 1, zeros >> 1
    return int(LOG[ones] - LOG[zeros])


class Known:
    """What both sides know of a strip so far: the last rows cell by cell, sums over all by column.

    Beside each symbol stands by how much each guess at it was wrong, in 1/256 of a level.
    """

    def __init__(self, layout: Layout, largest: int) -> None:
        """largest: size of a symbol."""
        columns = layout.columns
        self.layout = layout
        self.kept = REACH * (layout.width + 1) + 1
        self.recent = np.zeros((self.kept + 1, ERRORS + GUESSES, columns), np.int32)  # the last row stays 0
        self.counts = [0] * (self.kept + 1)  # of those rows' symbols that are not 0
        self.signs = np.zeros((layout.rows if layout.planes > 1 and not layout.flat else 0, columns), np.int8)
        self.rows_used = 0
        self.column_count = np.zeros(columns, np.int64)
        self.column_lean = np.zeros(columns, np.int64)
        self.column_size = np.zeros(columns, np.int64)
        self.column_last = np.zeros(columns, np.int64)
        self.column_errors = np.zeros((GUESSES, columns), np.int64)
        self.first_errors = 200 * largest  # of two cells
        self.least_squares = LeastSquares()
        self.line = 0
        self.slope_up = np.full(GUESSES, FIRST_SLOPE * SLOPE_PATIENCE, np.int64)
        self.slope_down = np.full(GUESSES, 256 * SLOPE_PATIENCE, np.int64)

    def neighbours(self, row: int) -> list[int]:
        """Rows that read left, up, up left, up right, two left, two up; -1 where there is none.

        Rows that are no picture have the row before as their left.
        """
        width = self.layout.width
        if self.layout.flat:
            return [row - 1, -1, -1, -1, -1, -1]
        y, x = divmod(row % (self.layout.height * width), width)
        return [
            row - 1 if x else -1,
            row - width if y else -1,
            row - width - 1 if y and x else -1,
            row - width + 1 if y and x + 1 < width else -1,
            row - 2 if x > 1 else -1,
            row - 2 * width if y > 1 else -1,
        ]

    def behind(self, row: int) -> Array:
        """Signs of the same pixel one plane before."""
        pixels = self.layout.height * self.layout.width
        return self.signs[row - pixels] if len(self.signs) and row >= pixels else self.recent[-1, LEAN]

    def window(self, row: int) -> tuple[Array, Array, Array]:
        """Earlier rows within reach, how near they are, and which of PLACES."""
        width = self.layout.width
        y, x = divmod(row % (self.layout.height * width), width)
        steps, nearness, places = window_of(min(y, REACH), min(x, REACH), min(width - 1 - x, REACH), width)
        return row + steps, nearness, places

    def add(self, row: Row, symbols: Array) -> None:
        signs, sizes = np.sign(symbols), np.abs(symbols)
        used = sizes > 0
        errors = np.abs((symbols << 8) - row.centre)
        place = row.index % self.kept
        self.counts[place] = int(np.count_nonzero(used))
        kept = self.recent[place]
        kept[VALUE], kept[NONZERO], kept[LEAN], kept[SIZE], kept[ERRORS:] = (
            symbols,
            used,
            -signs,
            sizes,
            errors,
        )
        if len(self.signs):
            self.signs[row.index] = signs
        self.rows_used += 1
        self.column_count += used
        self.column_lean -= signs
        self.column_size += sizes
        self.column_last = np.where(used, sizes, self.column_last)
        self.column_errors += errors
        if not self.layout.flat:
            self.least_squares.learn(
                row.window, symbols, row.scale[0], row.index // self.layout.width != self.line
            )
            self.line = row.index // self.layout.width
            true, guess = within((symbols << 12) // row.scale, 64), within((row.guess << 4) // row.scale, 64)
            self.slope_up += (true * guess).sum(axis=1) << 8
            self.slope_down += (guess * guess).sum(axis=1) << 8

    def add_zeros(self, index: int) -> None:
        """A row that has nothing but zeros."""
        place = index % self.kept
        if self.counts[place]:
            self.counts[place] = 0
            self.recent[place] = 0
        else:
            self.recent[place, ERRORS:] = 0


class Row:
    """One row's surroundings."""

    def __init__(self, known: Known, index: int, kind: int, hint: int) -> None:
        """kind: 0 for weights of pictures, 1 of kernels, 2 others, 3 biases; hint: 0 where unknown."""
        self.index, self.kind, self.hint = index, kind, hint
        columns = known.layout.columns
        neighbours = known.neighbours(index)
        near = sum(i >= 0 for i in neighbours[:4])
        self.places = [i % known.kept if i >= 0 else -1 for i in neighbours]
        self.counts = [known.counts[place] for place in self.places[:4]]
        total = sum(self.counts)
        if near:
            self.density = density_bucket(total, near * columns)
        else:
            self.density = hint - 1 if hint else DENSITIES // 2
        self.odds = log_odds(total, near * columns - total)
        self.weight_set = CLASSES * kind + int(self.density < 11) + int(self.density < 9)

    def look_around(self, known: Known) -> None:
        """What is known beyond where zeros are: for rows that have anything else."""
        columns = known.layout.columns
        around = known.recent[self.places]
        self.values, self.sizes = around[:, VALUE].astype(np.int64), around[:, SIZE].astype(np.int64)
        self.mean = size_bucket(int(self.sizes[:4].sum()), sum(self.counts))
        self.expect_errors(known)
        if known.layout.flat:
            self.window_total = 0
            self.window_count = self.window_lean = self.window_size = np.zeros(columns, np.int64)
            self.guess = self.centre = np.zeros((GUESSES, columns), np.int64)
            self.scale = np.maximum(self.column_error >> 1, LEAST_SCALE)
        else:
            self.see_window(known)

    def expect_errors(self, known: Known) -> None:
        """By how much guesses were wrong on the whole (GUESSES,) and in each column (GUESSES, columns)."""
        errors, rows = known.column_errors, known.rows_used
        self.error = (errors.sum(axis=1) + known.first_errors) // (rows * known.layout.columns + 2)
        self.column_error = (errors + FEW * self.error[:, None]) // (rows + FEW)

    def see_window(self, known: Known) -> None:
        """What the window holds, and guesses at the symbols: centre and scale of a bell each."""
        columns, kept = known.layout.columns, known.recent
        rows, nearness, places = known.window(self.index)
        total = self.window_total = int(nearness.sum())
        seen = kept[rows % known.kept]
        window = (nearness @ seen.reshape(len(rows), (ERRORS + GUESSES) * columns)).reshape(-1, columns)
        self.window_count, self.window_lean, self.window_size = window[NONZERO], window[LEAN], window[SIZE]
        self.window = np.zeros((len(PLACES), columns), np.int64)
        self.window[places] = seen[:, VALUE]
        guess = known.least_squares.guess(self.window)
        self.guess = np.stack([guess, guess, (window[VALUE] << 8) // max(total, 1)])
        slope = np.minimum(np.maximum((known.slope_up << 8) // known.slope_down, 0), SLOPE_LIMIT)
        self.centre = self.guess * slope[:, None] >> 8
        errors = window[ERRORS:] + COLUMN * self.column_error + ALL * self.error[:, None]
        weight = total + COLUMN + ALL
        if total:
            errors += OF_ROW * (window[ERRORS:].sum(axis=1, keepdims=True) // (columns * total))
            weight = weight + OF_ROW
        self.scale = np.maximum(errors // (2 * weight), LEAST_SCALE)

    def see(self, before: Array) -> None:
        """Expect errors as large as they were in the row's earlier segments, in a matrix that is no picture."""
        mean = ((int(np.abs(before).sum()) << 8) + SO_FAR * int(self.error[0])) // (len(before) + SO_FAR)
        self.scale[1] = np.maximum(self.scale[0] * mean // max(int(self.error[0]), 1), LEAST_SCALE)

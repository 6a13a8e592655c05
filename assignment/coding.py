"""Integer matrices through the entropy coder: where the zeros are, the signs, the magnitudes.

Quantized weights are integers around zero, and far from random: a pixel that no unit reads has a row
of zeros, neighbouring pixels carry weights alike, a busy unit stays busy. `SymbolCoder` walks a
matrix row by row and describes each row in bits (any at all? zero? negative? larger than 1? ...),
each predicted from what both sides know by then: the neighbours in the image, the column so far, the
rows around, and what the layer before said about its units. The same walk encodes and decodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from .entropy import ArtifactError, Coder
from .mixing import Mixture, evenly

Array = np.ndarray
# (which magnitudes, weight set, which question about them, the answers) -> the answers
Ask = Callable[[Array, int, "Array | int", Array], Array]

TILE = 512  # wider matrices are coded in strips of so many columns


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


@dataclass(frozen=True)
class Alphabet:
    """The symbols that may occur: -negatives..positives, 0 among them only if `zero`."""

    negatives: int
    positives: int
    zero: bool

    def __len__(self) -> int:
        return self.negatives + self.positives + self.zero

    @property
    def largest(self) -> int:
        return max(self.negatives, self.positives)


ROLES = 2  # weights and biases keep statistics of their own
DENSITY_STEPS = np.array([1, 3, 6, 10, 16, 24, 36, 52, 76, 108, 150, 200])  # in 1/256
DENSITIES = len(DENSITY_STEPS) + 1
SIZE_STEPS = np.array([3, 5, 7, 9, 12, 16, 24, 36, 60, 120, 300, 1000, 4000])  # twice a mean magnitude
SIZES = len(SIZE_STEPS) + 2
BALANCE_STEPS = np.array([-150, -80, -25, 26, 81, 151])  # (negative - positive) / all, in 1/256
BALANCES = len(BALANCE_STEPS) + 1
NEAR = 24  # buckets of what the neighbours weigh
LONGEST_UNARY = 16
NODES = 80  # questions about a magnitude


def density_bucket(count: Array, of: int) -> Array:
    """Which step of density `count` out of `of` is."""
    return np.searchsorted(DENSITY_STEPS, (count * 256 + 64) // (of + 1), side="right")


def size_bucket(total: Array, count: Array) -> Array:
    """Which step of size a mean magnitude is; 0 where nothing was counted."""
    steps = 1 + np.searchsorted(SIZE_STEPS, 2 * total // np.maximum(count, 1), side="right")
    return np.where(count > 0, steps, 0)


class Contexts:
    """Slots of a `Mixture`: a part for each input, each part a grid of its context's values."""

    def __init__(self, *shapes: tuple[int, ...]) -> None:
        self.shapes = shapes
        self.starts = [0]
        for shape in shapes:
            self.starts.append(self.starts[-1] + int(np.prod(shape)))

    def mixture(self, sets: int) -> Mixture:
        return Mixture(self.starts[-1], len(self.shapes), sets)

    def slots(self, *values: tuple[Array | int, ...], count: int) -> Array:
        """(inputs, count) slots: for each input, the values of its context, each (count,) or one for all."""
        result = np.empty((len(self.shapes), count), np.int64)
        for k, (shape, value) in enumerate(zip(self.shapes, values, strict=True)):
            place: Array | int = 0
            for size, v in zip(shape, value, strict=True):
                place = place * size + v
            result[k] = self.starts[k] + place
        return result


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

    def add(self, row: int, symbols: Array) -> None:
        signs, sizes = np.sign(symbols), np.abs(symbols)
        self.signs[row], self.sizes[row] = signs, sizes
        self.row_count[row], self.row_size[row] = np.count_nonzero(symbols), sizes.sum()
        self.column_count += sizes > 0
        self.column_balance -= signs
        self.column_size += sizes


@dataclass
class Row:
    """One row's surroundings, as contexts read them."""

    index: int
    role: int
    hint: int  # density of the unit this row reads, plus 1; 0 where unknown
    counts: list[int]  # of what is not zero in the rows left, up, up left and up right
    signs: Array  # (7, columns) of the neighbours
    sizes: Array  # (7, columns)
    density: int  # of those rows, or where there are none, as the hint says
    mean: int  # size of magnitudes in them


def surroundings(known: Known, index: int, role: int, hint: int) -> Row:
    neighbours = known.neighbours(index)
    near = [i for i in neighbours[:4] if i >= 0]
    counts = known.row_count[neighbours[:4]]
    if near:
        density = int(density_bucket(counts.sum(), len(near) * known.layout.columns))
    else:
        density = hint - 1 if hint else DENSITIES // 2
    mean = int(size_bucket(known.row_size[near].sum(), counts.sum()))
    signs, sizes = known.signs[neighbours].astype(np.int64), known.sizes[neighbours].astype(np.int64)
    return Row(index, role, hint, counts.tolist(), signs, sizes, density, mean)


class SymbolCoder:
    """Codes the matrices of one model, one after the other, learning as it goes."""

    def __init__(self, coder: Coder) -> None:
        self.coder = coder
        d, s, b = DENSITIES, SIZES, BALANCES
        self._used_contexts = Contexts((ROLES, 16, d + 1), (ROLES, 16, d + 1))
        self._zero_contexts = Contexts(
            (ROLES, 128),
            (ROLES, NEAR, d),
            (ROLES, d, d),
            (ROLES, TILE),
            (ROLES, d, d + 1),
            (ROLES, d, 16),
            (ROLES,),
        )
        self._sign_contexts = Contexts(
            (ROLES, 81), (ROLES, b, 3), (ROLES, TILE), (ROLES, 25), (ROLES, b, 3), (ROLES,)
        )
        r, n = ROLES, NODES
        self._size_contexts = Contexts((r, s, n), (r, s, n), (r, 2, n), (r, d, n), (r, s, s, n), (r, s, n))
        self._used = self._used_contexts.mixture(1)
        self._zero = self._zero_contexts.mixture(ROLES)
        self._sign = self._sign_contexts.mixture(ROLES)
        self._size = self._size_contexts.mixture(ROLES * NODES)

    def code(
        self, given: Array | None, layout: Layout, alphabet: Alphabet, role: int, hints: Array | None
    ) -> Array:
        """Code a (rows, columns) matrix of integers, given to an encoder and None to a decoder; returns it.

        role: 0 for weights, 1 for biases. hints: (rows,) buckets of how dense the units were that the rows
        read, or None. Result: int32.
        """
        if len(alphabet) == 1:
            return np.full((layout.rows, layout.columns), alphabet.positives - alphabet.negatives, np.int32)
        result = np.zeros((layout.rows, layout.columns), np.int32)
        for start in range(0, layout.columns, TILE):
            strip = slice(start, min(start + TILE, layout.columns))
            part = replace(layout, columns=strip.stop - start)
            rows = self._strip(None if given is None else given[:, strip], part, alphabet, role, hints)
            for index, row in enumerate(rows):
                if row is not None:
                    result[index, strip] = row
        if result.min() < -alphabet.negatives or result.max() > alphabet.positives:
            raise ArtifactError("the artifact has an array with levels beyond those it announced")
        return result

    def _strip(
        self, given: Array | None, layout: Layout, alphabet: Alphabet, role: int, hints: Array | None
    ) -> Iterator[Array | None]:
        """Code up to TILE columns; yields row after row, None for one without anything but zeros."""
        self._zero.forget(*self._zero_contexts.starts[3:5])
        self._sign.forget(*self._sign_contexts.starts[2:4])
        known, nothing = Known(layout), np.zeros(layout.columns, np.int64)
        for index in range(layout.rows):
            symbols = nothing if given is None else given[index].astype(np.int64)
            row = surroundings(known, index, role, 0 if hints is None else int(hints[index]) + 1)
            if alphabet.zero and layout.columns > 1 and not self._code_used(row, symbols):
                yield None
                continue
            found = self._code_row(known, row, symbols, alphabet)
            known.add(index, found)
            yield found

    def _code_used(self, row: Row, given: Array) -> bool:
        """Whether a row has anything but zeros."""
        pattern = sum(1 << k for k, count in enumerate(row.counts) if count)
        amount = sum(3 if count > 1 else count for count in row.counts)
        contexts = (row.role, pattern, row.hint), (row.role, amount, row.density)
        slots = self._used_contexts.slots(*contexts, count=1)
        return bool(self._used.code(self.coder, slots, 0, np.array([int(given.any())]))[0])

    def _code_row(self, known: Known, row: Row, given: Array, alphabet: Alphabet) -> Array:
        units = np.arange(len(given))
        if alphabet.zero:
            found = self._zero.code(
                self.coder, self._zero_slots(known, row), row.role, (given != 0).astype(int)
            )
            units = np.flatnonzero(found)
        given = given[units]
        if alphabet.negatives and alphabet.positives:
            slots = self._sign_slots(known, row, units)
            negative = self._sign.code(self.coder, slots, row.role, (given < 0).astype(int))
        else:
            negative = np.full(len(units), int(alphabet.negatives > 0))
        slots = self._size_slots(known, row, units, negative)

        def ask(which: Array, weight_set: int, question: Array | int, bits: Array) -> Array:
            places = slots[:, which] + question
            return self._size.code(self.coder, places, row.role * NODES + weight_set, bits.astype(int))

        if alphabet.largest <= LONGEST_UNARY:
            sizes = self._unary(ask, np.abs(given), alphabet.largest)
        else:
            sizes = self._gamma(ask, np.abs(given), alphabet.largest)
        result = np.zeros(known.layout.columns, np.int64)
        result[units] = np.where(negative, -sizes, sizes)
        return result

    def _zero_slots(self, known: Known, row: Row) -> Array:
        count = known.layout.columns
        left, up, upleft, upright, left2, up2, _ = np.minimum(row.sizes, 3)
        weight = np.minimum(2 * left + 2 * up + upleft + upright + left2 + up2, NEAR - 1)
        pattern = (1 << np.arange(7)) @ (row.sizes > 0)
        column = density_bucket(known.column_count, row.index)
        role = row.role
        return self._zero_contexts.slots(
            (role, pattern),
            (role, weight, column),
            (role, column, row.density),
            (role, np.arange(count)),
            (role, row.density, row.hint),
            (role, row.density, np.minimum(weight, 15)),
            (role,),
            count=count,
        )

    def _sign_slots(self, known: Known, row: Row, units: Array) -> Array:
        signs = row.signs[:, units]
        left, up, upleft, upright, left2, up2, plane = signs
        pattern = np.array([1, 3, 9, 27]) @ (signs[:4] + 1)
        lean = 2 * left + 2 * up + upleft + upright + left2 + up2
        share = known.column_balance[units] * 256 // (known.column_count[units] + 1)
        balance = np.searchsorted(BALANCE_STEPS, share, side="right")
        role = row.role
        return self._sign_contexts.slots(
            (role, pattern),
            (role, balance, plane + 1),
            (role, units),
            (role, np.clip(lean, -12, 12) + 12),
            (role, balance, np.sign(lean) + 1),
            (role,),
            count=len(units),
        )

    def _size_slots(self, known: Known, row: Row, units: Array, negative: Array) -> Array:
        """Slots of the first question about each magnitude; question n is n slots further."""
        sizes = row.sizes[:4, units]
        near = size_bucket(sizes.sum(axis=0), np.count_nonzero(sizes, axis=0))
        column = size_bucket(known.column_size[units], known.column_count[units])
        role = row.role
        return self._size_contexts.slots(
            (role, near, 0),
            (role, column, 0),
            (role, negative, 0),
            (role, row.density, 0),
            (role, near, column, 0),
            (role, row.mean, 0),
            count=len(units),
        )

    def _unary(self, ask: Ask, given: Array, largest: int) -> Array:
        """Magnitudes in 1..largest: larger than 1? than 2? ..."""
        sizes, which = np.ones(len(given), np.int64), np.arange(len(given))
        for size in range(1, largest):
            if not which.size:
                break
            which = which[ask(which, size, size, given[which] > size) > 0]
            sizes[which] += 1
        return sizes

    def _gamma(self, ask: Ask, given: Array, largest: int) -> Array:
        """Magnitudes in 1..largest: their length in bits, then the bits behind the leading one."""
        longest = largest.bit_length()
        lengths, which = np.ones(len(given), np.int64), np.arange(len(given))
        for width in range(1, longest):
            if not which.size:
                break
            which = which[ask(which, 16 + width, 16 + width, given[which] >> width > 0) > 0]
            lengths[which] += 1
        sizes = np.ones(len(given), np.int64)
        for depth in range(1, longest):
            which = np.flatnonzero(lengths > depth)
            if not which.size:
                break
            bits = given[which] >> (lengths[which] - 1 - depth) & 1
            if depth <= 2:
                questions = 16 * depth + 16 + lengths[which] + (16 * (sizes[which] - 2) if depth == 2 else 0)
                bits = ask(which, 16 * depth + 16, questions, bits)
            else:
                bits = evenly(self.coder, bits)
            sizes[which] = 2 * sizes[which] + bits
        return sizes

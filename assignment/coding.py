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

from .contexts import (
    BALANCES,
    DENSITIES,
    LEAST_SEGMENT,
    SIZES,
    TILE,
    Known,
    Layout,
    Row,
    balance_bucket,
    density_bucket,
    log_odds,
    size_bucket,
)
from .entropy import ArtifactError, Coder
from .mixing import LOG, Mixture, evenly
from .priors import EXPECTED, SIGN_WEIGHTS, SIZE_WEIGHTS, USED_WEIGHTS, ZERO_WEIGHTS

Array = np.ndarray
# (which magnitudes, weight set, which question about them, the answers) -> the answers
Ask = Callable[[Array, int, "Array | int", Array], Array]


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

    @property
    def least(self) -> int:
        return min(self.negatives, self.positives)


KINDS = 4  # weights of pictures, of kernels, other weights, biases: each keeps statistics of its own
KERNEL = 36  # pixels of the smallest picture that is no kernel
LEVELS = 40  # buckets of an array's mean magnitude
NEAR = 24  # buckets of what the neighbours weigh
LONGEST_UNARY = 16
NODES = 80  # questions about a magnitude
LAST = 10


class Contexts:
    """Slots of a `Mixture`: a part for each input, each part a grid of its context's values."""

    def __init__(self, *shapes: tuple[int, ...]) -> None:
        self.shapes = shapes
        self.starts = [0]
        for shape in shapes:
            self.starts.append(self.starts[-1] + int(np.prod(shape)))

    def mixture(self, weights: Array) -> Mixture:
        return Mixture(self.starts[-1], weights)

    def slots(self, *values: tuple[Array | int, ...], count: int) -> Array:
        """(inputs, count) slots: for each input, the values of its context, each (count,) or one for all."""
        result = np.empty((len(self.shapes), count), np.int64)
        for k, (shape, value) in enumerate(zip(self.shapes, values, strict=True)):
            place: Array | int = 0
            for size, v in zip(shape, value, strict=True):
                place = place * size + v
            result[k] = self.starts[k] + place
        return result


class SymbolCoder:
    """Codes the matrices of one model, one after the other, learning as it goes."""

    def __init__(self, coder: Coder) -> None:
        self.coder = coder
        k, d, s, b, n = KINDS, DENSITIES, SIZES, BALANCES, NODES
        self._used_contexts = Contexts((k, 16, d + 1), (k, 16, d + 1))
        self._zero_contexts = Contexts(
            (k, TILE),
            (k, 128),
            (k, NEAR, d),
            (k, d, d),
            (k, d, d + 1),
            (k, d, 16),
            (k,),
            (k, d, d),
            (k, d, d + 1),
            (k, d, d),
        )
        self._sign_contexts = Contexts(
            (k, TILE), (k, 81), (k, b, 3), (k, 25), (k, b, 3), (k,), (k, b), (k, b, b)
        )
        self._size_contexts = Contexts(
            (k, s, n),
            (k, s, n),
            (k, 2, n),
            (k, d, n),
            (k, s, s, n),
            (k, s, n),
            (k, s, n),
            (k, s, n),
            (k, LAST, n),
            (LEVELS, n),
        )
        self._used = self._used_contexts.mixture(USED_WEIGHTS)
        self._zero = self._zero_contexts.mixture(ZERO_WEIGHTS)
        self._sign = self._sign_contexts.mixture(SIGN_WEIGHTS)
        self._size = self._size_contexts.mixture(SIZE_WEIGHTS)
        parts = {
            "USED": (self._used, self._used_contexts),
            "ZERO": (self._zero, self._zero_contexts),
            "SIGN": (self._sign, self._sign_contexts),
            "SIZE": (self._size, self._size_contexts),
        }
        for (name, part), halves in EXPECTED.items():
            mixture, contexts = parts[name]
            mixture.expect(contexts.starts[part], halves)

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
        pixels = layout.height * layout.width
        kind = 3 if role else 2 if pixels == 1 else int(pixels < KERNEL)
        for start in range(0, layout.columns, TILE):
            strip = slice(start, min(start + TILE, layout.columns))
            part = replace(layout, columns=strip.stop - start)
            rows = self._strip(None if given is None else given[:, strip], part, alphabet, kind, hints)
            for index, row in enumerate(rows):
                if row is not None:
                    result[index, strip] = row
        return result

    def _strip(
        self, given: Array | None, layout: Layout, alphabet: Alphabet, kind: int, hints: Array | None
    ) -> Iterator[Array | None]:
        """Code up to TILE columns; yields row after row, None for one without anything but zeros."""
        self._zero.forget(0, self._zero_contexts.starts[1])
        self._sign.forget(0, self._sign_contexts.starts[1])
        known, nothing = Known(layout), np.zeros(layout.columns, np.int64)
        for index in range(layout.rows):
            symbols = nothing if given is None else given[index].astype(np.int64)
            row = Row(known, index, kind, 0 if hints is None else int(hints[index]) + 1)
            if alphabet.zero and layout.columns > 1 and not self._code_used(row, symbols):
                yield None
                continue
            found = self._code_row(known, row, symbols, alphabet)
            if found.min() < -alphabet.negatives or found.max() > alphabet.positives:
                raise ArtifactError("the artifact has an array with levels beyond those it announced")
            known.add(index, found)
            yield found

    def _code_used(self, row: Row, given: Array) -> bool:
        """Whether a row has anything but zeros."""
        pattern = sum(1 << k for k, count in enumerate(row.counts) if count)
        amount = sum(3 if count > 1 else count for count in row.counts)
        contexts = (row.kind, pattern, row.hint), (row.kind, amount, row.density)
        slots = self._used_contexts.slots(*contexts, count=1)
        known = np.full((1, 1), 256)
        return bool(self._used.code(self.coder, slots, known, row.kind, np.array([int(given.any())]))[0])

    def _code_row(self, known: Known, row: Row, given: Array, alphabet: Alphabet) -> Array:
        columns = known.layout.columns
        result = np.zeros(columns, np.int64)
        segment = max(LEAST_SEGMENT, columns // 8) if known.layout.flat else columns
        for start in range(0, columns, segment):
            part = slice(start, min(start + segment, columns))
            units = np.arange(part.start, part.stop)
            if alphabet.zero:
                slots, odds = self._zero_slots(known, row, part, result[:start])
                bits = (given[part] != 0).astype(int)
                units = units[self._zero.code(self.coder, slots, odds, row.kind, bits) > 0]
            if units.size:
                result[units] = self._code_numbers(known, row, units, given[units], result[:start], alphabet)
        return result

    def _code_numbers(
        self, known: Known, row: Row, units: Array, given: Array, before: Array, alphabet: Alphabet
    ) -> Array:
        if alphabet.negatives and alphabet.positives:
            slots, odds = self._sign_slots(known, row, units, before)
            negative = self._sign.code(self.coder, slots, odds, row.kind, (given < 0).astype(int))
        else:
            negative = np.full(len(units), int(alphabet.negatives > 0))
        if alphabet.largest == 1:
            return 1 - 2 * negative
        slots = self._size_slots(known, row, units, negative, before, alphabet)

        def ask(which: Array, weight_set: int, question: Array | int, bits: Array) -> Array:
            places = slots[:, which] + question
            odds = np.full((1, len(which)), 256)
            return self._size.code(self.coder, places, odds, row.kind * NODES + weight_set, bits.astype(int))

        if alphabet.largest <= LONGEST_UNARY:
            sizes = self._unary(ask, np.abs(given), alphabet.largest)
        else:
            sizes = self._gamma(ask, np.abs(given), alphabet.largest)
        return np.where(negative, -sizes, sizes)

    def _zero_slots(self, known: Known, row: Row, part: slice, before: Array) -> tuple[Array, Array]:
        count = part.stop - part.start
        left, up, upleft, upright, left2, up2, _ = np.minimum(row.sizes[:, part], 3)
        weight = np.minimum(2 * left + 2 * up + upleft + upright + left2 + up2, NEAR - 1)
        pattern = (1 << np.arange(7)) @ (row.sizes[:, part] > 0)
        column = density_bucket(known.column_count[part], row.index)
        window = density_bucket(row.window_count[part], row.window_total)
        used = int(np.count_nonzero(before))
        so_far = int(density_bucket(used, len(before))) if len(before) else row.density
        kind = row.kind
        slots = self._zero_contexts.slots(
            (kind, np.arange(part.start, part.stop)),
            (kind, pattern),
            (kind, weight, column),
            (kind, column, row.density),
            (kind, row.density, row.hint),
            (kind, row.density, np.minimum(weight, 15)),
            (kind,),
            (kind, window, column),
            (kind, so_far, row.hint),
            (kind, so_far, column),
            count=count,
        )
        odds = np.empty((4, count), np.int64)
        odds[0] = row.odds
        odds[1] = log_odds(used, len(before) - used)
        odds[2] = LOG[row.window_count[part]] - LOG[row.window_total - row.window_count[part]]
        odds[3] = 256
        return slots, odds

    def _sign_slots(self, known: Known, row: Row, units: Array, before: Array) -> tuple[Array, Array]:
        signs = row.signs[:, units]
        left, up, upleft, upright, left2, up2, plane = signs
        pattern = np.array([1, 3, 9, 27]) @ (signs[:4] + 1)
        lean = 2 * left + 2 * up + upleft + upright + left2 + up2
        balance = balance_bucket(known.column_balance[units], known.column_count[units])
        negatives, positives = int((before < 0).sum()), int((before > 0).sum())
        so_far = int(balance_bucket(negatives - positives, negatives + positives))
        kind = row.kind
        wide = balance_bucket(row.window_balance[units], row.window_count[units])
        slots = self._sign_contexts.slots(
            (kind, units),
            (kind, pattern),
            (kind, balance, plane + 1),
            (kind, np.clip(lean, -12, 12) + 12),
            (kind, balance, np.sign(lean) + 1),
            (kind,),
            (kind, so_far),
            (kind, wide, balance),
            count=len(units),
        )
        odds = np.empty((3, len(units)), np.int64)
        more = row.window_count[units] + row.window_balance[units]
        odds[0] = LOG[more >> 1] - LOG[row.window_count[units] - row.window_balance[units] >> 1]
        odds[1] = log_odds(negatives, positives)
        odds[2] = 256
        return slots, odds

    def _size_slots(
        self, known: Known, row: Row, units: Array, negative: Array, before: Array, alphabet: Alphabet
    ) -> Array:
        """Slots of the first question about each magnitude; question n is n slots further."""
        sizes = row.sizes[:4, units]
        near = size_bucket(sizes.sum(axis=0), np.count_nonzero(sizes, axis=0))
        column = size_bucket(known.column_size[units], known.column_count[units])
        wide = size_bucket(row.window_size[units], row.window_count[units])
        so_far = int(size_bucket(int(np.abs(before).sum()), int(np.count_nonzero(before))))
        kind = row.kind
        return self._size_contexts.slots(
            (kind, near, 0),
            (kind, column, 0),
            (kind, negative, 0),
            (kind, row.density, 0),
            (kind, near, column, 0),
            (kind, row.mean, 0),
            (kind, wide, 0),
            (kind, so_far, 0),
            (kind, np.minimum(known.column_last[units], LAST - 1), 0),
            (self._level(known, alphabet), 0),
            count=len(units),
        )

    def _level(self, known: Known, alphabet: Alphabet) -> int:
        """Which quarter of an octave the array's mean magnitude is in; at first, what its alphabet suggests."""
        total, count = (
            2 * int(known.column_size.sum()) + alphabet.largest,
            2 * int(known.column_count.sum()) + 2,
        )
        return min(int(LOG[min(8 * total // count, len(LOG) - 1)]) >> 6, LEVELS - 1)

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

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

from . import bells
from .contexts import (
    CLASSES,
    GUESSES,
    LEAST_SEGMENT,
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
from .mixing import LOG, evenly, within
from .slots import CONTEXTS, KINDS, LAST, LEVELS, NEAR, NODES, beginning

Array = np.ndarray
# (which magnitudes, weight set, which question about them, its odds, the answers) -> the answers
Ask = Callable[[Array, int, "Array | int", Array, Array], Array]
Guess = tuple[Array, Array]  # centre and scale of each guess at each symbol


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
    def fine(self) -> bool:
        """Whether magnitudes are told by their length in bits."""
        return self.largest > LONGEST_UNARY

    @property
    def least(self) -> int:
        return min(self.negatives, self.positives)


LONGEST_UNARY = 8
FINE = KINDS * CLASSES  # sets of weights of coarse alphabets; those of fine ones follow
KERNEL = 36  # pixels of the smallest picture that is no kernel
PLACES = 1 << np.arange(6)  # bits of a pattern
DEPTH = 5  # bits behind the leading one that are predicted


class SymbolCoder:
    """Codes the matrices of one model, one after the other, learning as it goes."""

    def __init__(self, coder: Coder) -> None:
        self.coder = coder
        self._used, self._zero = beginning("USED"), beginning("ZERO")
        self._sign, self._size = beginning("SIGN"), beginning("SIZE")

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
        self._zero.forget(0, CONTEXTS["ZERO"].starts[1])
        self._sign.forget(0, CONTEXTS["SIGN"].starts[1])
        known, nothing = Known(layout.seen(), alphabet.largest), np.zeros(layout.columns, np.int64)
        for index in range(layout.rows):
            symbols = nothing if given is None else given[index].astype(np.int64)
            row = Row(known, index, kind, 0 if hints is None else int(hints[index]) + 1)
            if alphabet.zero and layout.columns > 1 and not self._code_used(row, symbols):
                known.add_zeros(index)
                yield None
                continue
            row.look_around(known)
            found = self._code_row(known, row, symbols, alphabet)
            if found.min() < -alphabet.negatives or found.max() > alphabet.positives:
                raise ArtifactError("the artifact has an array with levels beyond those it announced")
            known.add(row, found)
            yield found

    def _code_used(self, row: Row, given: Array) -> bool:
        """Whether a row has anything but zeros."""
        pattern = sum(1 << k for k, count in enumerate(row.counts) if count)
        amount = sum(3 if count > 1 else count for count in row.counts)
        slots = CONTEXTS["USED"].slots(
            1, kind=row.kind, pattern=pattern, amount=amount, density=row.density, hint=row.hint
        )
        known = np.full((1, 1), 256)
        return bool(self._used.code(self.coder, slots, known, row.kind, np.array([int(given.any())]))[0])

    def _code_row(self, known: Known, row: Row, given: Array, alphabet: Alphabet) -> Array:
        columns = known.layout.columns
        result = np.zeros(columns, np.int64)
        segment = max(LEAST_SEGMENT, columns // 4) if known.layout.flat else columns
        for start in range(0, columns, segment):
            part = slice(start, min(start + segment, columns))
            units = np.arange(part.start, part.stop)
            if start:
                row.see(result[:start])
            if alphabet.zero:
                slots, odds = self._zero_slots(known, row, part, result[:start])
                bits = (given[part] != 0).astype(int)
                units = units[self._zero.code(self.coder, slots, odds, set_of(row, alphabet), bits) > 0]
            if units.size:
                result[units] = self._code_numbers(known, row, units, given[units], result[:start], alphabet)
        return result

    def _code_numbers(
        self, known: Known, row: Row, units: Array, given: Array, before: Array, alphabet: Alphabet
    ) -> Array:
        if alphabet.negatives and alphabet.positives:
            slots, odds = self._sign_slots(known, row, units, before)
            bits = (given < 0).astype(int)
            negative = self._sign.code(self.coder, slots, odds, set_of(row, alphabet), bits)
        else:
            negative = np.full(len(units), int(alphabet.negatives > 0))
        if alphabet.largest == 1:
            return 1 - 2 * negative
        slots = self._size_slots(known, row, units, negative, before, alphabet)
        guess = row.centre[:, units] * (1 - 2 * negative), row.scale[:, units]

        def ask(which: Array, first: int, question: Array | int, odds: Array, bits: Array) -> Array:
            known_odds = np.concatenate([odds, np.full((1, len(which)), 256)])
            weight_set = row.weight_set * NODES + first
            return self._size.code(
                self.coder, slots[:, which] + question, known_odds, weight_set, bits.astype(int)
            )

        describe = self._gamma if alphabet.fine else self._unary
        sizes = describe(ask, guess, np.abs(given), alphabet.largest)
        return np.where(negative, -sizes, sizes)

    def _zero_slots(self, known: Known, row: Row, part: slice, before: Array) -> tuple[Array, Array]:
        count = part.stop - part.start
        left, up, upleft, upright, left2, up2 = np.minimum(row.sizes[:, part], 3)
        weight = np.minimum(2 * left + 2 * up + upleft + upright + left2 + up2, NEAR - 1)
        pattern = PLACES @ (row.sizes[:, part] > 0) + 64 * np.abs(known.behind(row.index)[part])
        column = density_bucket(known.column_count[part], row.index)
        window = density_bucket(row.window_count[part], row.window_total)
        used = int(np.count_nonzero(before))
        so_far = density_bucket(used, len(before)) if len(before) else row.density
        slots = CONTEXTS["ZERO"].slots(
            count,
            kind=row.kind,
            unit=np.arange(part.start, part.stop),
            pattern=pattern,
            near=weight,
            some=np.minimum(weight, 15),
            column=column,
            window=window,
            density=row.density,
            so_far=so_far,
            hint=row.hint,
        )
        odds = np.empty((GUESSES + 4, count), np.int64)
        odds[0] = row.odds
        odds[1] = log_odds(used, len(before) - used)
        odds[2] = LOG[row.window_count[part]] - LOG[row.window_total - row.window_count[part]]
        odds[3:-1] = bells.nonzero(row.centre[:, part], row.scale[:, part])
        odds[-1] = 256
        return slots, odds

    def _sign_slots(self, known: Known, row: Row, units: Array, before: Array) -> tuple[Array, Array]:
        signs = np.sign(row.values[:, units])
        left, up, upleft, upright, left2, up2 = signs
        plane = known.behind(row.index)[units]
        pattern = np.array([1, 3, 9, 27]) @ (signs[:4] + 1)
        lean = 2 * left + 2 * up + upleft + upright + left2 + up2
        balance = balance_bucket(known.column_lean[units], known.column_count[units])
        negatives, positives = int((before < 0).sum()), int((before > 0).sum())
        so_far = balance_bucket(negatives - positives, negatives + positives)
        slots = CONTEXTS["SIGN"].slots(
            len(units),
            kind=row.kind,
            unit=units,
            pattern=pattern,
            column=balance,
            behind=plane + 1,
            lean=within(lean, 12) + 12,
            leaning=np.sign(lean) + 1,
            so_far=so_far,
            window=balance_bucket(row.window_lean[units], row.window_count[units]),
        )
        odds = np.empty((GUESSES + 3, len(units)), np.int64)
        more = row.window_count[units] + row.window_lean[units]
        odds[0] = LOG[more >> 1] - LOG[row.window_count[units] - row.window_lean[units] >> 1]
        odds[1] = log_odds(negatives, positives)
        odds[2:-1] = bells.negative(row.centre[:, units], row.scale[:, units])
        odds[-1] = 256
        return slots, odds

    def _size_slots(
        self, known: Known, row: Row, units: Array, negative: Array, before: Array, alphabet: Alphabet
    ) -> Array:
        """Slots of the first question about each magnitude; question n is n slots further."""
        sizes = row.sizes[:4, units]
        near = size_bucket(sizes.sum(axis=0), np.count_nonzero(sizes, axis=0))
        column = size_bucket(known.column_size[units], known.column_count[units])
        wide = size_bucket(row.window_size[units], row.window_count[units])
        so_far = size_bucket(int(np.abs(before).sum()), int(np.count_nonzero(before)))
        return CONTEXTS["SIZE"].slots(
            len(units),
            kind=row.kind,
            near=near,
            column=column,
            negative=negative,
            density=row.density,
            row=row.mean,
            window=wide,
            so_far=so_far,
            last=np.minimum(known.column_last[units], LAST - 1),
            level=self._level(known, alphabet),
            question=0,
        )

    def _level(self, known: Known, alphabet: Alphabet) -> int:
        """Which quarter of an octave the array's mean magnitude is in; at first, what its alphabet suggests."""
        total, count = (
            2 * int(known.column_size.sum()) + alphabet.largest,
            2 * int(known.column_count.sum()) + 2,
        )
        return min(int(LOG[min(8 * total // count, len(LOG) - 1)]) >> 6, LEVELS - 1)

    def _unary(self, ask: Ask, guess: Guess, given: Array, largest: int) -> Array:
        """Magnitudes in 1..largest: larger than 1? than 2? ..."""
        sizes, which = np.ones(len(given), np.int64), np.arange(len(given))
        beyond = bells.beyond(np.arange(1, largest + 1)[:, None, None], *guess)
        odds = bells.odds(beyond[1:], beyond[:-1] - beyond[1:])
        for size in range(1, largest):
            if not which.size:
                break
            which = which[ask(which, size, size, odds[size - 1][:, which], given[which] > size) > 0]
            sizes[which] += 1
        return sizes

    def _gamma(self, ask: Ask, guess: Guess, given: Array, largest: int) -> Array:
        """Magnitudes in 1..largest: their length in bits, then the bits behind the leading one."""
        centre, scale = guess
        longest = largest.bit_length()
        lengths, which = np.ones(len(given), np.int64), np.arange(len(given))
        beyond = bells.beyond(1 << np.arange(longest + 1)[:, None, None], *guess)
        odds = bells.odds(beyond[1:], beyond[:-1] - beyond[1:])
        for width in range(1, longest):
            if not which.size:
                break
            larger = given[which] >> width > 0
            which = which[ask(which, 16 + width, 16 + width, odds[width - 1][:, which], larger) > 0]
            lengths[which] += 1
        sizes, each = np.ones(len(given), np.int64), np.arange(len(given))
        low, high = beyond[lengths - 1, :, each].T, beyond[lengths, :, each].T
        for depth in range(1, longest):
            which = np.flatnonzero(lengths > depth)
            if not which.size:
                break
            bits = given[which] >> (lengths[which] - 1 - depth) & 1
            if depth <= DEPTH:
                first, question = questions_of_bit(depth, lengths[which], sizes[which])
                half = 2 * sizes[which] + 1 << (lengths[which] - 1 - depth)
                middle = bells.beyond(half, centre[:, which], scale[:, which])
                odds = bells.odds(middle - high[:, which], low[:, which] - middle)
                bits = ask(which, first, question, odds, bits)
                low[:, which] = np.where(bits, middle, low[:, which])
                high[:, which] = np.where(bits, high[:, which], middle)
            else:
                bits = evenly(self.coder, bits)
            sizes[which] = 2 * sizes[which] + bits
        return sizes


def set_of(row: Row, alphabet: Alphabet) -> int:
    """Weight set for zeros and signs."""
    return row.weight_set + FINE * alphabet.fine


def questions_of_bit(depth: int, lengths: Array, sizes: Array) -> tuple[int, Array | int]:
    """Weight set and question for the `depth`-th bit behind the leading one; sizes: what is known so far."""
    if depth == 1:
        return 32, 32 + lengths
    if depth == 2:
        return 48, 48 + lengths + 16 * (sizes - 2)
    return 77 + depth, 77 + depth

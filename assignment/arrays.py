"""float32 arrays through the coder: what `plans` found, written down and read back in one walk."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from .affine import Affine
from .coding import Alphabet, SymbolCoder
from .contexts import Layout
from .entropy import ArtifactError, Coder, Fields
from .levels import MAX_LEVEL, STEP_BITS, Step, bits_of, same_bits
from .plans import (
    AFFINE,
    CODEBOOK,
    FLOAT,
    GRID,
    GRIDS,
    NAMES,
    RAW,
    SIGN,
    ZEROS,
    Plan,
    best_plan,
    raw_plan,
)

Array = np.ndarray
ROLES = ("weight", "bias")
MAX_ROWS = 1 << 15  # a matrix with more rows, strips counted apart, is written raw
MAX_STEPS = 255  # a model has at most twice MAX_LAYERS arrays, and few steps
STEP_EXPONENTS = (-200, 140)  # powers of two between which a step lies


class ArrayCoder:
    """Codes the arrays of one model in order; an encoder that is told to writes them raw."""

    def __init__(self, coder: Coder, fields: Fields, raw: bool = False) -> None:
        self.coder, self.fields, self.raw = coder, fields, raw
        self._steps: list[Step] = []  # of this model's grids, the last used in front

    @cached_property
    def _symbols(self) -> SymbolCoder:
        return SymbolCoder(self.coder)  # made when the first symbol comes: many a broken file has none

    def code(
        self, matrix: Array | None, layout: Layout, role: int, hints: Array | None
    ) -> tuple[Array, Plan]:
        """Code a (rows, columns) float32 matrix: given to an encoder, None to a decoder.

        role: 0 for a weight, 1 for a bias. hints: see `SymbolCoder.code`. Returns the matrix and its plan.
        """
        shape = (layout.rows, layout.columns)
        given = None if matrix is None else self._plan(matrix, layout)
        kind = self.fields.choice(f"{ROLES[role]} coding", given.kind if given else 0, 3)
        if kind > RAW or (kind not in (ZEROS, RAW) and layout.strips > MAX_ROWS):
            raise ArtifactError(f"array coding {kind} is unknown, or does not suit an array of shape {shape}")
        plan = given or Plan(kind, np.zeros((0, 0), np.int64))
        if kind == ZEROS:
            plan = Plan(ZEROS, np.zeros(shape, np.int8))
            return np.zeros(shape, np.float32), plan
        if kind == RAW:
            patterns = self.coder.raw(plan.tails, layout.rows * layout.columns, 32).reshape(shape)
            return patterns.view(np.float32), replace(plan, symbols=patterns)
        plan = replace(plan, alphabet=self._code_alphabet(plan, role))
        plan, table = self._code_table(plan)
        symbols = None if given is None else given.symbols
        plan = replace(plan, symbols=self._symbols.code(symbols, layout, plan.alphabet, role, hints))
        result = self._code_values(plan, table)
        assert matrix is None or same_bits(matrix, result), f"{NAMES[kind]} does not give the array back"
        return result, plan

    def _plan(self, matrix: Array, layout: Layout) -> Plan:
        if matrix.view(np.uint32).any() and (self.raw or layout.strips > MAX_ROWS):
            return raw_plan(matrix)
        return best_plan(matrix, self._steps)

    def _code_alphabet(self, plan: Plan, role: int) -> Alphabet:
        """How many levels each side has, and whether zeros occur.

        Grids say so roughly, and the same for both sides: levels that nobody uses cost nothing there.
        """
        name, fields, alphabet = ROLES[role], self.fields, plan.alphabet
        if plan.kind in (GRID, GRIDS):
            largest = rough_levels(
                fields.choice(f"rough levels of a {name}", rough_index(alphabet.largest), 6)
            )
            sides = fields.choice(
                f"sides of a {name}", int(not alphabet.negatives) + 2 * int(not alphabet.positives), 2
            )
            if largest > MAX_LEVEL or sides == 3:
                raise ArtifactError("the artifact has a grid with too many levels, or with none")
            negatives, positives = (0 if sides == 1 else largest), (0 if sides == 2 else largest)
            return Alphabet(negatives, positives, not fields.flag(f"no zeros in a {name}", not alphabet.zero))
        largest = fields.number(f"levels of a {name}", alphabet.largest - 1, MAX_LEVEL - 1) + 1
        fewer = fields.number(f"levels fewer of a {name}", largest - alphabet.least, largest)
        larger, smaller, more_positives = largest, largest - fewer, False
        if fewer:
            more_positives = fields.flag(
                f"more positives in a {name}", alphabet.positives > alphabet.negatives
            )
        both = (smaller, larger) if more_positives else (larger, smaller)
        return Alphabet(*both, not fields.flag(f"no zeros in a {name}", not alphabet.zero))

    def _code_table(self, plan: Plan) -> tuple[Plan, Array | None]:
        """What goes before the symbols; levels (negatives + 1 + positives,) float32 if one table has all."""
        fields, alphabet = self.fields, plan.alphabet
        if plan.kind == GRID:
            step = self._code_known_step(plan.steps[0] if plan.steps else None)
            minus = fields.flag("negative zeros", plan.minus)
            if minus and not alphabet.negatives:
                raise ArtifactError("the artifact has a grid with negative zeros and no place for them")
            return replace(plan, steps=(step,), minus=minus), None
        if plan.kind == AFFINE:
            return plan, affine_levels(self._code_line(plan.line), alphabet)
        if plan.kind == CODEBOOK:
            plan = replace(plan, mantissa=fields.number("mantissa bits", plan.mantissa, 23))
            return plan, self._code_codebook(plan)
        if plan.kind == FLOAT:
            mantissa = fields.number("mantissa bits", plan.mantissa, 23)
            plan = replace(plan, mantissa=mantissa, top=fields.bits(plan.top, 8))
            if alphabet.largest > plan.top + 1:
                raise ArtifactError("the artifact has a float array with exponents below the smallest")
        return plan, None

    def _code_codebook(self, plan: Plan) -> Array:
        """Levels from zero outwards: the first of each side as it is, of others how far they are from the one before."""
        negatives, width, fields = plan.alphabet.negatives, plan.mantissa, self.fields
        rest = 23 - width
        table = np.zeros(negatives + plan.alphabet.positives, np.uint32)
        given = (table if plan.table is None else plan.table).astype(np.int64) >> rest
        pattern, length = 0, width
        for i in range(len(table)):
            if i in (0, negatives):
                exponent = fields.choice("codebook's first exponent", int(given[i]) >> width, 8)
                pattern = exponent << width | fields.bits(int(given[i]) & (1 << width) - 1, width)
                length = width
            else:
                gap = int(given[i]) - pattern
                change = 0 if plan.table is None else zigzag(gap.bit_length() - length)
                length += unzigzag(fields.number("codebook's gap", change, 62))
                if 1 <= length <= 31:
                    pattern += 1 << length - 1 | fields.bits(gap & (1 << length - 1) - 1, length - 1)
                else:
                    pattern = 1 << 31
            if pattern << rest >= 1 << 31 or (pattern == 0 and i >= negatives):
                raise ArtifactError("the artifact has a codebook whose levels do not ascend from zero")
            table[i] = pattern << rest
        lows, highs = table[:negatives][::-1] | SIGN, table[negatives:]
        return np.concatenate([lows, np.zeros(1, np.uint32), highs]).view(np.float32)

    def _code_known_step(self, step: Step | None) -> Step:
        """A step, by its place among those of this model if it is one of them: layers often share a grid."""
        steps = self._steps
        if not steps or self.fields.flag("another step", step not in steps):
            step = self._code_step(step)
        else:
            place = self.fields.number("known step", steps.index(step) if step in steps else 0, MAX_STEPS)
            if place >= len(steps):
                raise ArtifactError("the artifact has a grid with a step it never told")
            step = steps.pop(place)
        steps.insert(0, step)
        return step

    def _code_step(self, step: Step | None) -> Step:
        """A step: the power of two below it, the length of its mantissa, the mantissa but for its first bit."""
        mantissa, exponent = (step.mantissa, step.exponent) if step else (1, 0)
        first, width = exponent + mantissa.bit_length() - 1, mantissa.bit_length()
        low, high = STEP_EXPONENTS
        if self.fields.flag("step's power is unusual", not -16 <= first < 0):
            first = low + self.fields.bits(first - low, (high - low).bit_length())
        else:
            first = -1 - self.fields.choice("step's power", -1 - first, 4)
        if self.fields.flag("step's length is unusual", not 17 <= width <= 24):
            width = 1 + self.fields.bits(width - 1, STEP_BITS.bit_length())
        else:
            width = 24 - self.fields.choice("step's length", 24 - width, 3)
        if first > high or width > STEP_BITS:
            raise ArtifactError("the artifact has a grid whose step is out of range")
        mantissa = 1 << width - 1 | self.fields.bits(mantissa & (1 << width - 1) - 1, width - 1)
        return Step(mantissa, first - width + 1)

    def _code_line(self, line: Affine | None) -> Affine:
        below = self.fields.flag("no negative offset", line is not None and line.offset.mantissa > 0)
        rounded = self.fields.flag("product in float32", line is not None and line.rounded)
        step = self._code_step(line.step if line else None)
        offset = self._code_step(None if line is None else line.offset if below else -line.offset)
        return Affine(step, offset if below else -offset, rounded)

    def _code_values(self, plan: Plan, table: Array | None) -> Array:
        """The float32 matrix of the symbols; codes what belongs behind them."""
        symbols = plan.symbols
        result = np.zeros(symbols.shape, np.float32)
        if table is not None:
            for i in range(len(result)):
                result[i] = table[symbols[i] + plan.alphabet.negatives]
        elif plan.kind == GRID:
            for i in range(len(result)):
                result[i] = finite(
                    plan.steps[0].levels(symbols[i] + (symbols[i] < 0) if plan.minus else symbols[i])
                )
            if plan.minus:
                result[symbols == -1] = -0.0
        elif plan.kind == GRIDS:
            steps = iter(plan.steps)
            for column in np.flatnonzero(symbols.any(axis=0)):
                result[:, column] = finite(self._code_step(next(steps, None)).levels(symbols[:, column]))
        else:
            kept = symbols != 0
            tails = self.coder.raw(plan.tails, int(np.count_nonzero(kept)), plan.mantissa)
            found = symbols[kept]
            bits = ((plan.top + 1 - np.abs(found)).astype(np.uint32) << 23) | tails << (23 - plan.mantissa)
            result[kept] = (bits | np.where(found < 0, SIGN, np.uint32(0))).view(np.float32)
            if (bits_of(result)[kept] == 0).any():
                raise ArtifactError("the artifact has a float array with a zero coded as a number")
        return result


def finite(levels: Array) -> Array:
    if not np.isfinite(levels).all():
        raise ArtifactError("the artifact has a grid that leaves the range of float32")
    return levels


def affine_levels(line: Affine, alphabet: Alphabet) -> Array:
    """The levels of an affine grid with 0 between negative and positive; one level may fall on 0 itself."""
    count = alphabet.negatives + alphabet.positives
    for candidate in (count, count + 1):
        table = finite(line.table(candidate))
        if np.count_nonzero(table < 0) == alphabet.negatives and len(table) == count:
            return np.insert(table, alphabet.negatives, 0)
    raise ArtifactError("the artifact has an affine grid with other levels than it says")


def rough_index(levels: int) -> int:
    """The place of the smallest number that is not below `levels` among 1, 2, ..., 8, 10, 12, 14, 16, 20, 24, ..."""
    if levels <= 8:
        return levels - 1
    octave = (levels - 1).bit_length() - 1
    return 4 * octave - 5 + -(-(levels - (1 << octave)) >> octave - 2)


def rough_levels(index: int) -> int:
    octave, quarter = divmod(index + 4, 4)
    return (
        index + 1
        if index < 8
        else min((1 << octave) + (quarter + 1 << octave - 2), MAX_LEVEL if index < 56 else 1 << 20)
    )


def zigzag(n: int) -> int:
    """0, -1, 1, -2, 2, ... as 0, 1, 2, 3, 4, ..."""
    return 2 * n if n >= 0 else -2 * n - 1


def unzigzag(n: int) -> int:
    return n // 2 if n % 2 == 0 else -(n + 1) // 2

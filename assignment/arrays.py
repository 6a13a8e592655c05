"""float32 arrays through the coder: what `plans` found, written down and read back in one walk."""

from __future__ import annotations

from dataclasses import replace

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
        self._symbols = SymbolCoder(coder)
        self._steps: list[Step] = []  # of this model's grids, the last used in front

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
        plan = replace(plan, alphabet=self._code_alphabet(plan.alphabet, role))
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

    def _code_alphabet(self, alphabet: Alphabet, role: int) -> Alphabet:
        """The larger side's levels, how many fewer the other has, and which side it is."""
        name, fields = ROLES[role], self.fields
        largest = fields.number(f"levels of a {name}", alphabet.largest - 1, MAX_LEVEL - 1) + 1
        fewer = fields.number(f"levels fewer of a {name}", largest - alphabet.least, largest)
        larger, smaller, more_positives = largest, largest - fewer, False
        if fewer:
            more_positives = fields.flag(
                f"more positives in a {name}", alphabet.positives > alphabet.negatives
            )
        sides = (smaller, larger) if more_positives else (larger, smaller)
        return Alphabet(*sides, not fields.flag(f"no zeros in a {name}", not alphabet.zero))

    def _code_table(self, plan: Plan) -> tuple[Plan, Array | None]:
        """What goes before the symbols; levels (negatives + 1 + positives,) float32 if one table has all."""
        fields, alphabet = self.fields, plan.alphabet
        if plan.kind == GRID:
            step = self._code_known_step(plan.steps[0] if plan.steps else None)
            minus = fields.flag("negative zeros", plan.minus)
            return plan, grid_levels(step, alphabet, minus)
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
        """Levels from zero outwards: exponents as steps up from the one before, mantissas as they are."""
        negatives, width = plan.alphabet.negatives, plan.mantissa
        table = np.zeros(negatives + plan.alphabet.positives, np.uint32)
        given = table if plan.table is None else plan.table
        for i in range(len(table)):
            first = i in (0, negatives)
            before = 0 if first else int(table[i - 1])
            context = "codebook's first exponent" if first else "codebook's exponent step"
            low = before >> 23
            exponent = low + self.fields.number(context, max(int(given[i] >> 23) - low, 0), 255 - low)
            mantissa = self.fields.bits(int(given[i]) >> (23 - width) & (1 << width) - 1, width)
            table[i] = exponent << 23 | mantissa << (23 - width)
            if table[i] <= before and (i >= negatives or not first):
                raise ArtifactError("the artifact has a codebook whose levels do not ascend from zero")
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
        first = exponent + mantissa.bit_length() - 1
        low, high = STEP_EXPONENTS
        if self.fields.flag("step's power is unusual", not -16 <= first < 0):
            first = low + self.fields.bits(first - low, (high - low).bit_length())
        else:
            first = self.fields.bits(first + 16, 4) - 16
        width = 1 + self.fields.bits(mantissa.bit_length() - 1, STEP_BITS.bit_length())
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


def grid_levels(step: Step, alphabet: Alphabet, minus: bool) -> Array:
    """Levels from the lowest up, float32; with `minus`, -0.0 below 0."""
    if minus and not alphabet.negatives:
        raise ArtifactError("the artifact has a grid with negative zeros and no place for them")
    ks = np.arange(-alphabet.negatives, alphabet.positives + 1)
    if not minus:
        return finite(step.levels(ks))
    levels = finite(step.levels(np.where(ks < 0, ks + 1, ks)))
    levels[alphabet.negatives - 1] = -0.0
    return levels


def affine_levels(line: Affine, alphabet: Alphabet) -> Array:
    """The levels of an affine grid with 0 between negative and positive; one level may fall on 0 itself."""
    count = alphabet.negatives + alphabet.positives
    for candidate in (count, count + 1):
        table = finite(line.table(candidate))
        if np.count_nonzero(table < 0) == alphabet.negatives and len(table) == count:
            return np.insert(table, alphabet.negatives, 0)
    raise ArtifactError("the artifact has an affine grid with other levels than it says")

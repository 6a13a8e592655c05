"""float32 arrays through the coder: what `plans` found, written down and read back in one walk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .coding import Alphabet, Layout, SymbolCoder
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
    affine_table,
    best_plan,
    raw_plan,
)

Array = np.ndarray
ROLES = ("weight", "bias")
MAX_ROWS = 1 << 15  # a matrix with more rows, strips counted apart, is written raw
STEP_EXPONENTS = (-200, 140)  # powers of two between which a step lies


class ArrayCoder:
    """Codes the arrays of one model in order; an encoder that is told to writes them raw."""

    def __init__(self, coder: Coder, fields: Fields, raw: bool = False) -> None:
        self.coder, self.fields, self.raw = coder, fields, raw
        self._symbols = SymbolCoder(coder)

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
        return best_plan(matrix)

    def _code_alphabet(self, alphabet: Alphabet, role: int) -> Alphabet:
        negatives = self.fields.number(f"negative levels of a {ROLES[role]}", alphabet.negatives, MAX_LEVEL)
        positives = self.fields.number(f"positive levels of a {ROLES[role]}", alphabet.positives, MAX_LEVEL)
        if negatives + positives == 0:
            raise ArtifactError("the artifact has an array with no level but zero that is not coded as zeros")
        return Alphabet(negatives, positives, bool(self.fields.choice("has zeros", int(alphabet.zero), 1)))

    def _code_table(self, plan: Plan) -> tuple[Plan, Array | None]:
        """What goes before the symbols; levels (negatives + 1 + positives,) float32 if one table has all."""
        fields, alphabet = self.fields, plan.alphabet
        if plan.kind == GRID:
            step = self._code_step(plan.steps[0] if plan.steps else None)
            return plan, finite(step.levels(np.arange(-alphabet.negatives, alphabet.positives + 1)))
        if plan.kind == AFFINE:
            offset = fields.bits(plan.offset, 32)
            step = self._code_step(plan.steps[0] if plan.steps else None)
            return plan, affine_levels(step, offset, alphabet)
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

    def _code_step(self, step: Step | None) -> Step:
        """A step: the length of its mantissa, the power of two it starts at, the rest of the mantissa."""
        mantissa, exponent = (step.mantissa, step.exponent) if step else (1, 0)
        low, high = STEP_EXPONENTS
        width = 1 + self.fields.number("step bits", mantissa.bit_length() - 1, STEP_BITS)
        first = low + self.fields.number("step exponent", exponent + width - 1 - low, high - low)
        mantissa = 1 << width - 1 | self.fields.bits(mantissa & (1 << width - 1) - 1, width - 1)
        return Step(mantissa, first - width + 1)

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


def affine_levels(step: Step, offset: int, alphabet: Alphabet) -> Array:
    """The levels of an affine grid with 0 between negative and positive; one level may fall on 0 itself."""
    start = float(finite(np.array([offset], np.uint32).view(np.float32))[0])
    count = alphabet.negatives + alphabet.positives
    for candidate in (count, count + 1):
        table = affine_table(step, start, candidate)
        if np.count_nonzero(table < 0) == alphabet.negatives and len(table) == count:
            return finite(np.insert(table, alphabet.negatives, 0))
    raise ArtifactError("the artifact has an affine grid with other levels than it says")

"""float32 arrays through the coder, each described by the structure that makes it shortest.

An array becomes a matrix of small integers (see `coding`) and a table that says which float32 each
integer stands for:

    zeros      nothing at all
    grid       k stands for float32(k * step)
    grids      the same with a step for each unit
    affine     levels at float32(offset + k * step)
    codebook   levels listed one by one
    float      the integer gives sign and exponent; the mantissa follows as raw bits, as many as are used
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .coding import Alphabet, Layout, SymbolCoder
from .entropy import ArtifactError, Coder, Fields
from .levels import MAX_LEVEL, MAX_LEVELS, STEP_BITS, Step, bits_of, distinct, fit_step

Array = np.ndarray
ZEROS, GRID, GRIDS, AFFINE, CODEBOOK, FLOAT = range(6)
NAMES = ("zeros", "grid", "grids", "affine", "codebook", "float")


@dataclass
class Plan:
    """How to code a matrix: `symbols` (rows, columns) int64, their alphabet, and the table behind them."""

    kind: int
    symbols: Array
    alphabet: Alphabet
    bits: float
    steps: list[Step]
    offset: int = 0  # affine: the offset's bit pattern
    table: Array | None = None  # codebook: bit patterns without signs, negatives first
    top: int = 0  # float: the largest exponent field
    mantissa: int = 0  # bits kept in float and codebook
    raw: Array | None = None


def alphabet_of(symbols: Array) -> Alphabet:
    return Alphabet(max(-int(symbols.min()), 0), max(int(symbols.max()), 0), bool((symbols == 0).any()))


def entropy_bits(symbols: Array) -> float:
    """Zero-order entropy of all symbols together, in bits."""
    _, counts = np.unique(symbols, return_counts=True)
    return float(-(counts * np.log2(counts / symbols.size)).sum())


def mantissa_bits(patterns: Array) -> int:
    """How many leading mantissa bits any of the patterns uses."""
    used = int(np.bitwise_or.reduce(patterns.ravel() & 0x7FFFFF)) if patterns.size else 0
    return 23 - ((used & -used).bit_length() - 1) if used else 0


def plan(matrix: Array) -> Plan:
    """The cheapest description of a float32 matrix, by estimate."""
    patterns = bits_of(matrix)
    if not patterns.any():
        return Plan(ZEROS, np.zeros(matrix.shape, np.int64), Alphabet(0, 0, True), 0.0, [])
    plans = [plan_float(patterns)]
    values = distinct(matrix)
    finite = bool(np.isfinite(values).all()) and not (bits_of(values) == 0x80000000).any()
    if len(values) <= MAX_LEVELS:
        plans.append(plan_codebook(patterns, bits_of(values)))
    if finite and len(values) <= 2 * MAX_LEVEL:
        plans += plan_grids(matrix, values, plans[-1].bits)
    return min(plans, key=lambda p: p.bits)


def plan_float(patterns: Array) -> Plan:
    sizes = patterns & 0x7FFFFFFF
    exponents = (sizes >> 23).astype(np.int64)
    top = int(exponents.max())
    symbols = np.where(patterns >> 31, -1, 1) * (1 + top - exponents)
    symbols[patterns == 0] = 0
    kept = mantissa_bits(patterns)
    raw = (sizes[patterns != 0] & 0x7FFFFF) >> (23 - kept)
    bits = entropy_bits(symbols) + raw.size * kept + 24
    return Plan(FLOAT, symbols, alphabet_of(symbols), bits, [], top=top, mantissa=kept, raw=raw)


def plan_codebook(patterns: Array, values: Array) -> Plan:
    sizes = values & 0x7FFFFFFF
    negative = values >> 31 == 1
    lows, highs = np.sort(sizes[negative]), np.sort(sizes[~negative & (values != 0)])
    found = patterns & 0x7FFFFFFF
    symbols = np.where(patterns >> 31, -1 - np.searchsorted(lows, found), 1 + np.searchsorted(highs, found))
    symbols[patterns == 0] = 0
    kept = mantissa_bits(values)
    bits = entropy_bits(symbols) + (len(lows) + len(highs)) * (kept + 2) + 24
    return Plan(CODEBOOK, symbols, alphabet_of(symbols), bits, [], table=np.concatenate([lows, highs]), mantissa=kept)


def plan_grids(matrix: Array, values: Array, others: float) -> list[Plan]:
    fitted = fit_step(values)
    if fitted is not None:
        step, ks = fitted
        table = dict(zip(bits_of(values).tolist(), ks.tolist(), strict=True))
        return [plan_grid(GRID, look_up(matrix, values, ks), [step], len(table))]
    columns = plan_columns(matrix, others)
    if columns is not None:
        return [columns]
    return plan_affine(matrix, values)


def look_up(matrix: Array, values: Array, ks: Array) -> Array:
    return ks[np.searchsorted(bits_of(values), bits_of(matrix))]


def plan_grid(kind: int, symbols: Array, steps: list[Step], levels: int) -> Plan:
    alphabet = alphabet_of(symbols)
    gaps = max(0.0, float(np.log2(len(alphabet) / (4 * levels)))) * np.count_nonzero(symbols)
    bits = entropy_bits(symbols) + gaps + 16 + sum(10 + s.mantissa.bit_length() for s in steps)
    return Plan(kind, symbols, alphabet, bits, steps)


def plan_columns(matrix: Array, others: float) -> Plan | None:
    """A grid for each column that is not zero; None where one has none."""
    symbols, steps = np.zeros(matrix.shape, np.int64), []
    if matrix.shape[0] == 1 or matrix.shape[1] == 1:
        return None
    for c, column in enumerate(matrix.T):
        values = distinct(column)
        fitted = fit_step(values) if values.any() else None
        if fitted is None:
            if values.any():
                return None
            continue
        steps.append(fitted[0])
        symbols[:, c] = look_up(column, values, fitted[1])
    return plan_grid(GRIDS, symbols, steps, len(np.unique(symbols)))


def plan_affine(matrix: Array, values: Array) -> list[Plan]:
    levels = np.sort(values[values != 0])
    if len(levels) < 4:
        return []
    fitted = fit_step(levels, float(levels[0]))
    if fitted is None:
        return []
    step, ks = fitted
    table = affine_table(step, float(levels[0]), int(ks.max()) + 1)
    coded = plan_codebook(bits_of(matrix), bits_of(table))
    coded.kind, coded.steps = AFFINE, [step]
    coded.alphabet = Alphabet(int((table < 0).sum()), int((table > 0).sum()), coded.alphabet.zero)
    coded.offset = int(bits_of(levels[:1])[0])
    coded.bits = entropy_bits(coded.symbols) + 64 + step.mantissa.bit_length()
    return [coded]


def affine_table(step: Step, offset: float, count: int) -> Array:
    """The levels of an affine grid, less any that is exactly zero."""
    values = np.unique(step.levels(np.arange(count), offset))
    return values[values != 0]


class ArrayCoder:
    """Codes the arrays of one model in order; one walk for both directions."""

    def __init__(self, coder: Coder, fields: Fields) -> None:
        self.coder, self.fields = coder, fields
        self._symbols = SymbolCoder()

    def code(self, matrix: Array | None, layout: Layout, role: int, hints: Array | None) -> tuple[Array, Plan]:
        """Code a float32 matrix of `layout`; role 0 is a weight, 1 a bias. Returns it and its plan."""
        found = None if matrix is None else plan(matrix)
        kind = self.fields.choice(("weight coding", "bias coding")[role], found.kind if found else 0, 3)
        if kind > FLOAT:
            raise ArtifactError(f"array coding {kind} is not known")
        if kind == ZEROS:
            symbols = np.zeros((layout.rows, layout.columns), np.int64)
            return symbols.astype(np.float32), Plan(ZEROS, symbols, Alphabet(0, 0, True), 0.0, [])
        alphabet = self._code_alphabet(found.alphabet if found else Alphabet(0, 0, False), role)
        given = found or Plan(kind, np.zeros(0), alphabet, 0.0, [])
        before = self._code_head(kind, given, alphabet)
        symbols = self._symbols.code(self.coder, None if found is None else found.symbols, layout, alphabet, role, hints)
        result = self._code_tail(kind, given, symbols, before, alphabet)
        return result, Plan(kind, symbols, alphabet, 0.0, [], mantissa=given.mantissa)

    def _code_alphabet(self, alphabet: Alphabet, role: int) -> Alphabet:
        negatives = self.fields.number(("negative levels", "negative bias levels")[role], alphabet.negatives, MAX_LEVEL)
        positives = self.fields.number(("positive levels", "positive bias levels")[role], alphabet.positives, MAX_LEVEL)
        if negatives + positives == 0:
            raise ArtifactError("an array that is not all zero has levels that are not zero")
        return Alphabet(negatives, positives, bool(self.fields.choice("has zeros", int(alphabet.zero), 1)))

    def _code_head(self, kind: int, given: Plan, alphabet: Alphabet) -> Array | None:
        """What is told before the symbols: the table of levels, where the kind has one."""
        fields = self.fields
        if kind == GRID:
            step = self._code_step(given.steps[0] if given.steps else None)
            return step.levels(np.arange(-alphabet.negatives, alphabet.positives + 1))
        if kind == AFFINE:
            offset = np.array(fields.bits(given.offset, 32), np.uint32).view(np.float32)
            step = self._code_step(given.steps[0] if given.steps else None)
            if not np.isfinite(offset):
                raise ArtifactError("an offset is finite")
            for count in range(len(alphabet) - alphabet.zero, len(alphabet) + 2):
                table = affine_table(step, float(offset), count)
                if (int((table < 0).sum()), int((table > 0).sum())) == (alphabet.negatives, alphabet.positives):
                    low = table[table < 0]
                    return np.concatenate([low, np.zeros(1, np.float32), table[table > 0]])
            raise ArtifactError("a grid with an offset has other levels than it says")
        if kind == CODEBOOK:
            given.mantissa = fields.number("mantissa bits", given.mantissa, 23)
            count = alphabet.negatives + alphabet.positives
            table = self._code_table(given.table, alphabet.negatives, count, given.mantissa)
            low = table[: alphabet.negatives][::-1] | np.uint32(0x80000000)
            patterns = np.concatenate([low, np.zeros(1, np.uint32), table[alphabet.negatives :]])
            return patterns.view(np.float32)
        if kind == FLOAT:
            given.mantissa = fields.number("mantissa bits", given.mantissa, 23)
            given.top = fields.bits(given.top, 8)
            if max(alphabet.negatives, alphabet.positives) > given.top + 1:
                raise ArtifactError("a float array has exponents below zero")
        return None

    def _code_table(self, table: Array | None, negatives: int, count: int, mantissa: int) -> Array:
        """Bit patterns without signs, ascending within each sign."""
        result, last = np.zeros(count, np.uint32), 0
        for i in range(count):
            pattern = 0 if table is None else int(table[i])
            last = 0 if i in (0, negatives) else last
            exponent = last + self.fields.number("first exponent" if i in (0, negatives) else "exponent", (pattern >> 23) - last, 255 - last)
            result[i] = exponent << 23 | self.fields.bits(pattern >> 23 - mantissa, mantissa) << 23 - mantissa
            if i not in (0, negatives) and result[i] <= result[i - 1]:
                raise ArtifactError("the levels of a codebook ascend")
            last = exponent
        return result

    def _code_step(self, step: Step | None) -> Step:
        fields = self.fields
        mantissa, exponent = (step.mantissa, step.exponent) if step else (1, 0)
        width = 1 + fields.number("step bits", mantissa.bit_length() - 1, STEP_BITS)
        mantissa = 1 << width - 1 | fields.bits(mantissa, width - 1)
        exponent = fields.number("step exponent", exponent + width + 150, 300) - width - 150
        return Step(mantissa, exponent)

    def _code_tail(self, kind: int, given: Plan, symbols: Array, table: Array | None, alphabet: Alphabet) -> Array:
        """The float32 matrix of the symbols, with what is told after them."""
        if table is not None:
            return table[symbols + alphabet.negatives]
        if kind == GRIDS:
            result = np.zeros(symbols.shape, np.float32)
            steps = iter(given.steps)
            for c in np.flatnonzero(symbols.any(axis=0)):
                result[:, c] = self._code_step(next(steps, None)).levels(symbols[:, c])
            return result
        kept = symbols != 0
        raw = self.coder.raw(given.raw, int(kept.sum()), given.mantissa)
        patterns = np.zeros(symbols.shape, np.uint32)
        sizes = (given.top + 1 - np.abs(symbols[kept])) << 23 | raw.astype(np.int64) << 23 - given.mantissa
        patterns[kept] = sizes | (symbols[kept] < 0).astype(np.int64) << 31
        if (patterns[kept] == 0).any():
            raise ArtifactError("a zero is coded as a number that is not")
        return patterns.view(np.float32)

"""Which description makes a float32 array shortest.

Every description is a matrix of small integers (coded by `coding`) and a table that says which float32
each integer stands for:

    zeros      nothing at all: every entry is +0.0
    grid       k stands for float32(k * step)
    grids      the same with a step for each unit
    affine     levels at float32(offset + k * step)
    codebook   levels listed one by one
    float      the integer gives sign and exponent; the mantissa follows, as many bits as are used
    raw        32 bits an entry, for arrays too tall to walk row by row

Integers are signed and 0 stands for +0.0, nothing else; -0.0 is a level below it. All comparisons are of
bit patterns, so that NaNs and negative zeros come back as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .affine import Affine, fit_affine
from .coding import Alphabet
from .levels import MAX_LEVEL, Step, bits_of, distinct, fit_step, same_bits

Array = np.ndarray
GRID, ZEROS, CODEBOOK, FLOAT, GRIDS, AFFINE, RAW = range(7)  # small ones are cheap
NAMES = ("grid", "zeros", "codebook", "float", "grids", "affine", "raw")
MAX_CODEBOOK = 4096  # more distinct values than this are no codebook
SIGN, MANTISSA = np.uint32(1 << 31), np.uint32((1 << 23) - 1)


@dataclass(frozen=True)
class Plan:
    """One description of a matrix. Which of the fields count depends on `kind`.

    symbols: (rows, columns) int64; patterns: (rows * columns,) uint32 of a raw array; bits: estimated size.
    """

    kind: int
    symbols: Array
    alphabet: Alphabet = field(default_factory=lambda: Alphabet(0, 0, True))
    bits: float = 0.0
    steps: tuple[Step, ...] = ()  # grid, affine: one; grids: one for each column that is not zero
    line: Affine | None = None  # affine
    minus: bool = False  # grid: -1 stands for -0.0, and what is further below for a level less
    table: Array | None = None  # codebook: bit patterns without sign, those of negatives first
    top: int = 0  # float: the largest exponent field
    mantissa: int = 0  # float, codebook: leading mantissa bits in use
    tails: Array | None = None  # float: the mantissa bits of entries that are not zero; raw: everything

    @property
    def entropy_bytes(self) -> float:
        """Zero-order entropy of the symbols; mantissas of float arrays, and raw ones, as they are."""
        mantissas = self.mantissa * np.count_nonzero(self.symbols) if self.kind == FLOAT else 0
        return (32 * self.symbols.size if self.kind == RAW else entropy_bits(self.symbols) + mantissas) / 8


def best_plan(matrix: Array, steps: Sequence[Step] = ()) -> Plan:
    """The cheapest description of a float32 matrix, by estimate. `steps` cost next to nothing."""
    patterns = bits_of(matrix)
    if not patterns.any():
        return Plan(ZEROS, np.zeros(matrix.shape, np.int64))
    values = distinct(matrix)
    plans = [float_plan(patterns)]
    if len(values) <= MAX_CODEBOOK:
        plans.append(codebook_plan(patterns, bits_of(values)))
    if len(values) <= 2 * MAX_LEVEL and np.isfinite(values).all():
        plans += grid_plans(matrix, values, steps)
    return min(plans, key=lambda plan: plan.bits)


def raw_plan(matrix: Array) -> Plan:
    patterns = bits_of(matrix)
    return Plan(RAW, np.zeros((0, 0), np.int64), tails=patterns.ravel())


def alphabet_of(symbols: Array) -> Alphabet:
    return Alphabet(max(-int(symbols.min()), 0), max(int(symbols.max()), 0), bool((symbols == 0).any()))


def entropy_bits(symbols: Array) -> float:
    """Zero-order entropy of all symbols together, in bits."""
    _, counts = np.unique(symbols, return_counts=True)
    return float(-(counts * np.log2(counts / symbols.size)).sum()) if symbols.size else 0.0


def mantissa_bits(patterns: Array) -> int:
    """How many leading mantissa bits any of the patterns uses: 10 where all are exact in half precision."""
    used = int(np.bitwise_or.reduce(patterns.ravel() & MANTISSA))
    return 23 - ((used & -used).bit_length() - 1) if used else 0


def float_plan(patterns: Array) -> Plan:
    sizes = patterns & ~SIGN
    exponents = (sizes >> 23).astype(np.int64)
    top = int(exponents.max())
    symbols = np.where(patterns & SIGN, -1, 1) * (1 + top - exponents)
    symbols[patterns == 0] = 0
    kept = mantissa_bits(patterns)
    tails = (sizes[patterns != 0] & MANTISSA) >> (23 - kept)
    bits = entropy_bits(symbols) + tails.size * kept + 24
    return Plan(FLOAT, symbols, alphabet_of(symbols), bits, top=top, mantissa=kept, tails=tails)


def codebook_plan(patterns: Array, values: Array) -> Plan:
    """values: all bit patterns that may occur, those of `patterns` among them."""
    negative = values & SIGN != 0
    lows, highs = np.sort(values[negative] & ~SIGN), np.sort(values[~negative & (values != 0)])
    found = patterns & ~SIGN
    symbols = np.where(patterns & SIGN, -1 - np.searchsorted(lows, found), 1 + np.searchsorted(highs, found))
    symbols[patterns == 0] = 0
    kept = mantissa_bits(values)
    bits = entropy_bits(symbols) + (len(lows) + len(highs)) * (kept + 2) + 24
    alphabet = Alphabet(len(lows), len(highs), bool((patterns == 0).any()))
    return Plan(CODEBOOK, symbols, alphabet, bits, table=np.concatenate([lows, highs]), mantissa=kept)


def grid_plans(matrix: Array, values: Array, steps: Sequence[Step]) -> list[Plan]:
    """values: the distinct ones, by bit pattern. Known `steps` come first: they cost next to nothing."""
    minus = SIGN in bits_of(values)
    numbers = values[bits_of(values) != SIGN]
    if not numbers.any():
        return []
    for step in steps:
        ks = step.nearest(numbers)
        if np.abs(ks).max() < MAX_LEVEL and same_bits(step.levels(ks), numbers):
            plan = grid_plan(GRID, signed_zeros(matrix, numbers, ks), (step,), len(values))
            return [replace(plan, minus=minus, bits=plan.bits - 8 - step.mantissa.bit_length())]
    fitted = fit_step(numbers)
    if fitted is not None and np.abs(fitted[1]).max() < MAX_LEVEL + (not minus):
        symbols = signed_zeros(matrix, numbers, fitted[1])
        return [replace(grid_plan(GRID, symbols, (fitted[0],), len(values)), minus=minus)]
    if minus:
        return []
    columns = columns_plan(matrix)
    return [columns] if columns is not None else affine_plans(matrix, values)


def signed_zeros(matrix: Array, numbers: Array, ks: Array) -> Array:
    """The k of each entry; where there are negative zeros they are -1, and negative ks one less."""
    found = bits_of(matrix) == SIGN
    if not found.any():
        return look_up(matrix, numbers, ks)
    symbols = look_up(np.where(found, numbers[0], matrix), numbers, ks)
    symbols = np.where(symbols < 0, symbols - 1, symbols)
    symbols[found] = -1
    return symbols


def look_up(matrix: Array, values: Array, ks: Array) -> Array:
    """The k of each entry; `values` ascend by bit pattern."""
    return ks[np.searchsorted(bits_of(values), bits_of(matrix))]


def grid_plan(kind: int, symbols: Array, steps: tuple[Step, ...], levels: int) -> Plan:
    alphabet = alphabet_of(symbols)
    # levels that nobody uses cost a little each time
    unused = max(0.0, float(np.log2(len(alphabet) / (4 * levels))))
    bits = entropy_bits(symbols) + unused * np.count_nonzero(symbols) + 16
    bits += sum(10 + step.mantissa.bit_length() for step in steps)
    return Plan(kind, symbols, alphabet, bits, steps)


def columns_plan(matrix: Array) -> Plan | None:
    """A grid for each column that is not zero, as per-unit quantizers make them."""
    if min(matrix.shape) == 1:
        return None
    symbols, steps = np.zeros(matrix.shape, np.int64), []
    for c, column in enumerate(matrix.T):
        values = distinct(column)
        if not values.any():
            continue
        fitted = fit_step(values)
        if fitted is None:
            return None
        steps.append(fitted[0])
        symbols[:, c] = look_up(column, values, fitted[1])
    return grid_plan(GRIDS, symbols, tuple(steps), len(np.unique(symbols)))


def affine_plans(matrix: Array, values: Array) -> list[Plan]:
    levels = np.sort(values[values != 0])
    fitted = fit_affine(levels) if len(levels) > 3 else None
    if fitted is None:
        return []
    line, count = fitted
    plan = codebook_plan(bits_of(matrix), bits_of(line.table(count)))
    if plan.alphabet.largest > MAX_LEVEL:
        return []
    bits = entropy_bits(plan.symbols) + 90
    return [replace(plan, kind=AFFINE, line=line, bits=bits)]

"""Integer matrices through the entropy coder: where the zeros are, the signs, the magnitudes.

Quantized weights are integers around zero, and far from random: a pixel that no unit reads has a
row of zeros, neighbouring pixels carry weights alike, a busy unit stays busy. `SymbolCoder` walks a
matrix row by row and describes each symbol in bits (zero? negative? how large?), each predicted from
what both sides already know: neighbours in the image grid, the column above, the row so far, and what
the layer before said about its units. The same walk encodes and decodes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .entropy import Coder, Counters, Mixture

Array = np.ndarray


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


@dataclass(frozen=True)
class Alphabet:
    """The symbols that may occur: -negatives..positives, 0 among them only if `zero`."""

    negatives: int
    positives: int
    zero: bool

    def __len__(self) -> int:
        return self.negatives + self.positives + self.zero


DENSITY_STEPS = np.array([1, 3, 6, 10, 16, 24, 36, 52, 76, 108, 150, 200])  # in 1/256
DENSITIES = len(DENSITY_STEPS) + 1
SIZE_STEPS = np.array([1, 3, 5, 7, 9, 12, 16, 24, 36, 60, 120, 300, 1000, 4000])  # twice a mean magnitude
SIZES = len(SIZE_STEPS) + 1
BALANCE_STEPS = np.array([-150, -80, -25, 26, 81, 151])  # in 1/256
BALANCES = len(BALANCE_STEPS) + 1
NODES = 64
TILE = 512


def density_bucket(count: Array, of: Array | int) -> Array:
    return np.searchsorted(DENSITY_STEPS, (count * 256 + 64) // (of + 1), side="right")


def size_bucket(total: Array, count: Array) -> Array:
    return np.searchsorted(SIZE_STEPS, 2 * total // np.maximum(count, 1), side="right")


class SymbolCoder:
    """Codes the matrices of one model, one after the other, learning as it goes."""

    def __init__(self) -> None:
        d, s, b, c = DENSITIES, SIZES, BALANCES, TILE
        self._empty = Counters(2 * 16 * (d + 1) + 2)
        self._zero_parts = offsets([64, d * 9, d * d, c, d * d, 4 * d, d * d])
        self._zero = Mixture(self._zero_parts[-1], 7, 2)
        self._sign_parts = offsets([81, b, c, b * 3, 9])
        self._sign = Mixture(self._sign_parts[-1], 5, 2)
        self._size_parts = offsets([NODES * s, NODES * s, NODES * s, NODES * 2, NODES * d])
        self._size = Mixture(self._size_parts[-1], 5, NODES)

    def code(self, coder: Coder, symbols: Array | None, layout: Layout, alphabet: Alphabet, role: int,
             hints: Array | None = None) -> Array:
        """Code a (rows, columns) matrix of integers; returns it."""
        if len(alphabet) == 1:
            return np.full((layout.rows, layout.columns), alphabet.positives - alphabet.negatives)
        tiles = []
        for start in range(0, layout.columns, TILE):
            part = None if symbols is None else symbols[:, start : start + TILE]
            size = min(TILE, layout.columns - start)
            tiles.append(self._tile(coder, part, replace(layout, columns=size), alphabet, role, hints))
        return np.concatenate(tiles, axis=1)

    def _tile(self, coder: Coder, symbols: Array | None, layout: Layout, alphabet: Alphabet, role: int,
             hints: Array | None = None) -> Array:
        rows, columns = layout.rows, layout.columns
        z0 = self._zero_parts
        self._zero.reset(z0[3], z0[4])
        self._sign.reset(self._sign_parts[2], self._sign_parts[3])
        result = np.zeros((rows, columns), np.int64)
        w = layout.width
        plane = layout.height * w
        nz = np.zeros((rows, columns), np.int64)
        sg = np.zeros((rows, columns), np.int64)
        mg = np.zeros((rows, columns), np.int64)
        zero_row = np.zeros(columns, np.int64)
        column_nz, column_sign, column_size = zero_row.copy(), zero_row.copy(), zero_row.copy()
        row_nz = np.zeros(rows, np.int64)
        seen = 0
        empties = bool(alphabet.zero) and rows > 1
        if empties:
            has = symbols is not None and not symbols.any(axis=1).all()
            empties = bool(self._empty.code(coder, len(self._empty.probability) - 1, int(has)))
        d = DENSITIES
        for r in range(rows):
            y, x = divmod(r % plane, w)
            up = r - w if y else -1
            left = r - 1 if x or w == 1 and r else -1
            ul = r - w - 1 if y and x else -1
            ur = r - w + 1 if y and x + 1 < w else -1
            upup = r - 2 * w if y > 1 else -1
            leftleft = r - 2 if x > 1 else -1
            near = [i for i in (up, left, ul, ur) if i >= 0]
            hint = 0 if hints is None else int(hints[r]) + 1
            around = sum(int(row_nz[i]) for i in near)
            if empties:
                pattern = sum(1 << k for k, i in enumerate((up, left, ul, ur)) if i >= 0 and row_nz[i])
                used = self._empty.code(coder, pattern * (d + 1) + hint,
                                        int(symbols is not None and symbols[r].any()))
                if not used:
                    seen += 1
                    continue
            n = [nz[i] if i >= 0 else zero_row for i in (left, up, ul, ur, leftleft, upup)]
            g = [sg[i] if i >= 0 else zero_row for i in (left, up, ul, ur)]
            m = [mg[i] if i >= 0 else zero_row for i in (left, up, ul, ur)]
            pattern = n[0] + 2 * n[1] + 4 * n[2] + 8 * n[3] + 16 * n[4] + 32 * n[5]
            weight = np.minimum(n[0] * 2 + 2 * n[1] + n[2] + n[3] + (n[4] + n[5]), 8)
            cd = density_bucket(column_nz, seen)
            if near:
                rd = int(density_bucket(np.array(around), len(near) * columns))
            elif hints is not None:
                rd = int(hints[r])
            else:
                rd = 6
            hint = max(hint - 1, 0)
            base = np.stack([
                z0[0] + pattern, z0[1] + weight * d + cd, z0[2] + cd * d + rd, z0[3] + np.arange(columns)
            ], axis=1).tolist()
            z4, z5, z6 = z0[4], z0[5], z0[6]
            cdl = cd.tolist()
            s0 = self._sign_parts
            gsum = g[0] * 2 + g[1] * 2 + g[2] + g[3] + 6
            signs = np.stack([
                s0[0] + (g[0] + 1) + 3 * (g[1] + 1) + 9 * (g[2] + 1) + 27 * (g[3] + 1),
                s0[1] + np.searchsorted(BALANCE_STEPS, column_sign * 256 // np.maximum(column_nz, 1), side="right"),
                s0[2] + np.arange(columns)], axis=1).tolist()
            gs = np.clip(gsum - 6, -4, 4) + 4 
            gs = gs.tolist()
            nearsize = size_bucket(m[0] + m[1] + m[2] + m[3], n[0] + n[1] + n[2] + n[3]).tolist()
            colsize = size_bucket(column_size, column_nz).tolist()
            p = self._size_parts
            row = symbols[r].tolist() if symbols is not None else [0] * columns
            count, p1, p2, bal, tot = 0, 0, 0, 0, 0
            for c in range(columns):
                symbol = row[c]
                if alphabet.zero:
                    slots = base[c]
                    rb = density_row(count, c)
                    slots.append(z4 + rb * d + rd)
                    slots.append(z5 + (p1 + 2 * p2) * d + cdl[c])
                    slots.append(z6 + rb * d + hint)
                    if not self._zero.code(coder, slots, 0, int(symbol != 0)):
                        p2, p1 = p1, 0
                        row[c] = 0
                        continue
                negative = 0
                if alphabet.negatives and alphabet.positives:
                    slots = signs[c]
                    slots.append(s0[3] + (0 if not count else 1 if bal < 0 else 2))
                    slots.append(s0[4] + gs[c])
                    negative = self._sign.code(coder, slots, 0, int(symbol < 0))
                elif alphabet.negatives:
                    negative = 1
                largest = alphabet.negatives if negative else alphabet.positives
                rowsize = density_size(tot, count)
                contexts = (p[0] + nearsize[c] * NODES, p[1] + colsize[c] * NODES, p[2] + rowsize * NODES,
                            p[3] + negative * NODES, p[4] + NODES * rd)
                size = self._code_size(coder, abs(symbol), largest, contexts)
                row[c] = -size if negative else size
                count += 1
                bal += -1 if negative else 1
                tot += size
                p2, p1 = p1, 1
            result[r] = row
            sg[r] = np.sign(result[r])
            mg[r] = abs(result[r])
            nz[r] = mg[r] > 0
            row_nz[r] = count
            column_nz += nz[r]
            column_sign += sg[r]
            column_size += mg[r]
            seen += 1
        return result

    def _code_size(self, coder: Coder, size: int, largest: int, contexts: tuple[int, ...]) -> int:
        """1 to `largest`: in unary where that is short, else its length in bits, then its bits."""
        if largest <= 16:
            for value in range(1, largest):
                node = value
                if not self._size.code(coder, [c + node for c in contexts], node, int(size > value)):
                    return value
            return largest
        width = 1
        longest = largest.bit_length()
        while width < longest:
            node = 16 + width
            if not self._size.code(coder, [c + node for c in contexts], node, int(size >> width > 0)):
                break
            width += 1
        value = 1
        for k in range(width - 2, -1, -1):
            if width - 2 - k < 2:
                node = 16 + 16 + (width - 2 - k) * 16 + width - (0 if width - 2 - k == 0 else 0)
                bit = self._size.code(coder, [c + node % NODES for c in contexts], node % NODES, size >> k & 1)
            else:
                bit = coder.code(size >> k & 1, 32768)
            value = 2 * value + bit
        return value


ROW = [[int(density_bucket(np.array(n), of)) for n in range(of + 1)] for of in range(33)]


def density_row(count: int, of: int) -> int:
    if of > 32:
        count, of = count * 32 // of, 32
    return ROW[of][count]


SIZE_OF = [int(size_bucket(np.array(n), 2)) for n in range(200)]


def density_size(total: int, count: int) -> int:
    return SIZE_OF[min(2 * total // count, 199)] if count else 0


def offsets(sizes: list[int]) -> list[int]:
    result = [0]
    for size in sizes:
        result.append(result[-1] + size)
    return result

"""Models as files, byte for byte what they are worth.

    data = pack(model)          # bytes, as few as we know how
    model = unpack(data)        # the same model, bit for bit
    for row in ledger(data): print(row.layer, row.array, row.size_bytes)

`pack` is lossless. It looks for structure in each array (zeros, few distinct values, a uniform grid,
short mantissas) and describes the array by it; the description goes through the adaptive coder of
`entropy`. Whoever wants fewer bytes makes the arrays simpler: the file follows.

The file: a byte of magic and version, then one coded stream (layers and sizes, then the arrays in
the order of the layers), then raw mantissa bits, last byte first. Sizes that follow from other sizes
are not stored: a layer's inputs are the outputs of the one before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import ROLES, ArrayCoder
from .contexts import Layout, density_bucket
from .entropy import ArtifactError, Coder, Decoder, Encoder, Fields
from .nn import Dense, Layer, Sequential
from .plans import NAMES, Plan
from .structure import Spec, build, code_structure, specs_of

__all__ = ["ArtifactError", "LedgerRow", "ledger", "pack", "unpack"]

Array = np.ndarray
MAGIC = b"\xf1"  # opens no text in ASCII; the 1 is the version of the format


@dataclass(frozen=True)
class LedgerRow:
    """What one array costs. The first row is the header, with no layer and no array."""

    layer_index: int | None
    layer: str
    array: str
    shape: tuple[int, ...]
    size_bytes: float
    coding: str
    entropy_bytes: float


def pack(model: Sequential) -> bytes:
    """The model as bytes: as few as its arrays allow, and the same bytes every time.

    Raises ArtifactError for anything but a Sequential of the given layers whose float32 arrays fit
    each other.
    """
    specs = specs_of(model)
    arrays = [array for layer in model.layers for array in layer.parameters()]
    coder = Encoder()
    walk(coder, specs, arrays)
    data = coder.finish()
    if not coder.affordable(len(data)):
        coder = Encoder()
        walk(coder, specs, arrays, raw=True)
        data = coder.finish()
    return MAGIC + data


def unpack(data: bytes) -> Sequential:
    """The model that `pack` was given. Raises ArtifactError unless every byte is as `pack` writes it."""
    return read(data)[0]


def ledger(data: bytes) -> list[LedgerRow]:
    """Where the bytes went: a row for the header, then one for each array; sizes sum to len(data)."""
    return read(data)[1]


def read(data: bytes) -> tuple[Sequential, list[LedgerRow]]:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ArtifactError(f"an artifact is bytes, got {type(data).__name__}")
    data = bytes(data)
    if data[: len(MAGIC)] != MAGIC:
        begin = data[: len(MAGIC)].hex(" ") or "nothing"
        raise ArtifactError(f"an artifact begins with the bytes {MAGIC.hex(' ')}, got {begin}")
    decoder = Decoder(data[len(MAGIC) :])
    layers, rows = walk(decoder, None, [])
    decoder.finish()
    coded = sum(row.size_bytes for row in rows)
    header = LedgerRow(None, "", "header", (), len(data) - coded, "", 0.0)
    return Sequential(layers), [header, *rows]


def walk(
    coder: Coder, specs: list[Spec] | None, arrays: list[Array], *, raw: bool = False
) -> tuple[list[Layer], list[LedgerRow]]:
    """Code layers and arrays: those given if the coder encodes, those found if it decodes."""
    fields = Fields(coder)
    array_coder = ArrayCoder(coder, fields, raw)
    given = iter(arrays)
    layers: list[Layer] = []
    rows: list[LedgerRow] = []
    hints = None
    for index, spec in enumerate(code_structure(fields, specs)):
        decoded, costs = [], []
        for role, (layout, shape) in enumerate(spec.arrays()):
            before, array = coder.spent(), next(given, None)
            matrix = None if array is None else to_matrix(array, spec.kind)
            result, plan = array_coder.code(matrix, layout, role, hints_for(hints, layout))
            decoded.append(from_matrix(result, shape))
            costs.append(((coder.spent() - before) / 8, plan))
            if role == 0:
                hints = np.asarray(density_bucket(np.count_nonzero(plan.symbols, axis=0), layout.rows))
        layers.append(build(spec, decoded))
        rows += ledger_rows(index, layers[-1], costs)
    return layers, rows


def ledger_rows(index: int, layer: Layer, costs: list[tuple[float, Plan]]) -> list[LedgerRow]:
    return [
        LedgerRow(
            layer_index=index,
            layer=repr(layer),
            array=name,
            shape=array.shape,
            size_bytes=size,
            coding=NAMES[plan.kind],
            entropy_bytes=plan.entropy_bytes,
        )
        for name, array, (size, plan) in zip(ROLES, layer.parameters(), costs, strict=False)
    ]


def hints_for(hints: Array | None, layout: Layout) -> Array | None:
    """What the layer before said of its units, for each row that reads one of them."""
    if hints is None or layout.planes != len(hints):
        return None
    return np.repeat(hints, layout.height * layout.width)


def to_matrix(array: Array, kind: type[Layer]) -> Array:
    """(inputs, units): a row for each input of a unit, a column for each unit."""
    if array.ndim == 1:
        return np.ascontiguousarray(array[:, None])
    if kind is Dense:
        return np.ascontiguousarray(array)
    return np.ascontiguousarray(array.transpose(1, 2, 3, 0).reshape(-1, len(array)))


def from_matrix(matrix: Array, shape: tuple[int, ...]) -> Array:
    if len(shape) == 4:
        out, channels, kh, kw = shape
        return np.ascontiguousarray(matrix.reshape(channels, kh, kw, out).transpose(3, 0, 1, 2))
    return np.ascontiguousarray(matrix.reshape(shape))

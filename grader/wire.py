"""Frames between the grader and a worker: plain data, and nothing that could run.

A frame is a magic word, two lengths, a JSON header and the arrays as `.npy`, one after the other.
Whoever reads one checks everything before allocating: lengths against a limit, each array's type
against a short list, its shape against the bytes that are there. Where the header names a file in
place of a length, that array lies in the folder the grader shares with the worker; only the grader
may send such a frame.
"""

from __future__ import annotations

import io
import json
import math
import re
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from assignment.plain import DTYPES

PREFIX = struct.Struct(">4sIQ")
MAGIC = b"FWT1"
MOST_HEADER_BYTES = 8 * 2**20
MOST_BODY_BYTES = 80 * 2**20
MOST_DIMENSIONS = 16
MOST_NUMBERS = 2**40
"""Of an array, were its sides of length 0 as long as 1: an empty one may have others that are long."""

NPY_START = b"\x93NUMPY\x01\x00"
NPY_HEADER = re.compile(
    rb"\{'descr': '([<|][a-z][0-9])', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \} *\n"
)
PLAIN_TYPES = {dtype.str.encode(): dtype for dtype in DTYPES}


class FrameError(ValueError):
    """Bytes that are no frame, or one that asks for too much."""


def packed(header: dict[str, Any], arrays: Sequence[np.ndarray | str] = ()) -> bytes:
    """One frame. A `str` in place of an array names a file in the shared folder."""
    parts = [array if isinstance(array, str) else npy(array) for array in arrays]
    described = [part if isinstance(part, str) else len(part) for part in parts]
    head = json.dumps({**header, "arrays": described}).encode()
    body = [part for part in parts if isinstance(part, bytes)]
    return b"".join([PREFIX.pack(MAGIC, len(head), sum(map(len, body))), head, *body])


def npy(array: np.ndarray) -> bytes:
    """The array as a `.npy` file in C order and little-endian."""
    file = io.BytesIO()
    plain = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
    np.lib.format.write_array(file, plain, version=(1, 0), allow_pickle=False)
    return file.getvalue()


def lengths(prefix: bytes) -> tuple[int, int]:
    """The lengths of header and body. Raises FrameError where they are too long, or there is no frame."""
    magic, header, body = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise FrameError("the bytes do not begin a frame")
    if header > MOST_HEADER_BYTES or body > MOST_BODY_BYTES:
        raise FrameError(f"the frame is too long: {header:,} and {body:,} bytes")
    return header, body


def unpacked(
    head: bytes, body: bytes, open_shared: Callable[[str], np.ndarray] | None = None
) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The header and the arrays of a frame. Raises FrameError for anything malformed."""
    try:
        header = json.loads(head)
        described = header.pop("arrays")
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise FrameError("the header is not what it should be") from error
    if not isinstance(described, list):
        raise FrameError("the header does not list its arrays")
    arrays, offset, view = [], 0, memoryview(body)
    for entry in described:
        if isinstance(entry, str) and open_shared is not None:
            arrays.append(open_shared(entry))
            continue
        if type(entry) is not int or not 0 <= entry <= len(body) - offset:
            raise FrameError("an array is longer than the bytes that are left")
        arrays.append(array_of(view[offset : offset + entry]))
        offset += entry
    if offset != len(body):
        raise FrameError("there are bytes that belong to no array")
    return header, arrays


def array_of(data: memoryview) -> np.ndarray:
    """The array of one `.npy`, as a new array of its own. Raises FrameError."""
    start = len(NPY_START)
    if bytes(data[:start]) != NPY_START or len(data) < start + 2:
        raise FrameError("an array does not begin like one")
    first = start + 2 + int.from_bytes(data[start : start + 2], "little")
    match = NPY_HEADER.fullmatch(bytes(data[start + 2 : first]))
    dtype = PLAIN_TYPES.get(match[1]) if match else None
    if match is None or dtype is None:
        raise FrameError("an array is not of plain numbers")
    sizes = [size.strip() for size in match[2].split(b",") if size.strip()]
    if len(sizes) > MOST_DIMENSIONS or not all(size.isdigit() and len(size) < 20 for size in sizes):
        raise FrameError("an array has no shape")
    shape = tuple(map(int, sizes))
    if math.prod(shape) * dtype.itemsize != len(data) - first:
        raise FrameError("an array is not as long as its shape says")
    if math.prod(size or 1 for size in shape) > MOST_NUMBERS:
        raise FrameError("an array is of a shape that NumPy has no numbers for")
    array = np.ndarray(shape, dtype, buffer=data[first:]).copy()
    # A byte that is neither 0 nor 1 would make a bool that is neither.
    return np.asarray(array.view(np.uint8) != 0) if dtype == np.bool_ else array

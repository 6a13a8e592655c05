"""Frames: what goes in comes out, and anything else is refused before it costs anything."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from assignment.plain import DTYPES, NotPlainError, flatten, unflatten
from grader import wire


def there_and_back(header, arrays):
    frame = wire.packed(header, arrays)
    start = wire.PREFIX.size
    head, body = wire.lengths(frame[:start])
    assert len(frame) == start + head + body
    return wire.unpacked(frame[start : start + head], frame[start + head :])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (4, 3), (2, 3, 4, 5)])
def test_arrays_come_back_bit_for_bit(dtype, shape):
    rng = np.random.default_rng(0)
    if dtype == np.bool_:
        array = rng.integers(0, 2, shape).astype(bool)
    else:
        array = np.frombuffer(rng.bytes(int(np.prod(shape)) * dtype.itemsize), dtype).reshape(shape)
    header, (back,) = there_and_back({"a": 1}, [array])
    assert header == {"a": 1}
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable
    assert back.flags.owndata or back.base.flags.owndata


def test_layouts_do_not_matter():
    array = np.arange(24.0).reshape(4, 6)
    for odd in (array.T, array[::2, ::-1], np.asfortranarray(array), array.astype(">f8"), array[:0]):
        _, (back,) = there_and_back({}, [odd])
        np.testing.assert_array_equal(back, odd)
        assert back.flags.c_contiguous


def test_nan_and_infinity_pass_as_what_they_are():
    header, (back,) = there_and_back(
        {"x": float("nan"), "y": float("-inf")}, [np.array([np.nan, np.inf, -0.0])]
    )
    assert np.isnan(header["x"])
    assert header["y"] == float("-inf")
    assert np.isnan(back[0])
    assert np.signbit(back[2])


GOOD = wire.npy(np.arange(6, dtype=np.int64))


def npy_with(**changes) -> bytes:
    """A `.npy` whose header says something else."""
    facts = {"descr": "<i8", "fortran_order": False, "shape": (6,), **changes}
    text = repr(facts).replace("}", ", }").encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return wire.NPY_START + len(text).to_bytes(2, "little") + text + GOOD[-48:]


def test_the_forged_header_is_right_but_for_its_lies():
    head = json.dumps({"arrays": [len(npy_with())]}).encode()
    assert wire.unpacked(head, npy_with())[1][0].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:-1],
        GOOD + b"\0",
        GOOD[:20],
        b"\x93NUMPY\x03\x00" + GOOD[8:],
        npy_with(shape=(7,)),
        npy_with(shape=(2**62, 4)),
        npy_with(shape=(-6,)),
        npy_with(shape=(0, 2**40, 2**40))[:-48],
        npy_with(shape=(1,) * 17 + (6,)),
        npy_with(shape="6"),
        npy_with(shape=(6.0,)),
        npy_with(descr="|O"),
        npy_with(descr="<M8[s]"),
        npy_with(descr="|V8"),
        npy_with(descr="<c8"),
        npy_with(descr=">i8"),
        npy_with(descr=[("a", "<i8")]),
        npy_with(fortran_order=True),
        GOOD.replace(b"(6,)", b"(6, __import__('os'),)"),
    ],
)
def test_malformed_arrays_are_refused(data):
    head = json.dumps({"arrays": [len(data)]}).encode()
    with pytest.raises(wire.FrameError):
        wire.unpacked(head, data)


def test_pickles_are_not_arrays():
    file = io.BytesIO()
    np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(wire.FrameError):
        wire.unpacked(json.dumps({"arrays": [len(file.getvalue())]}).encode(), file.getvalue())


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"[]",
        b"3",
        b"{}",
        b"\xff",
        b'{"arrays": 3}',
        b'{"arrays": [-1]}',
        b'{"arrays": [true]}',
        b'{"arrays": [1e3]}',
        b'{"arrays": ["0.npy"]}',
        b'{"arrays": [10]}',
        b'{"arrays": []}',
        b"[" * 100_000,
        b'{"arrays": ' + b"9" * 10_000 + b"}",
    ],
)
def test_malformed_headers_are_refused(head):
    with pytest.raises(wire.FrameError):
        wire.unpacked(head, b"12345")


def test_lengths_are_limited_before_anything_is_read():
    assert wire.lengths(wire.PREFIX.pack(wire.MAGIC, 10, 20)) == (10, 20)
    for prefix in (
        wire.PREFIX.pack(b"NOPE", 10, 20),
        wire.PREFIX.pack(wire.MAGIC, wire.MOST_HEADER_BYTES + 1, 0),
        wire.PREFIX.pack(wire.MAGIC, 0, wire.MOST_BODY_BYTES + 1),
    ):
        with pytest.raises(wire.FrameError):
            wire.lengths(prefix)


def test_bools_are_zero_or_one():
    data = wire.npy(np.array([True, False]))
    odd = data[:-2] + b"\x07\x00"
    _, (back,) = wire.unpacked(json.dumps({"arrays": [len(odd)]}).encode(), odd)
    assert back.view(np.uint8).tolist() == [1, 0]


MODEL = flatten([np.ones((2, 3), np.float32), np.ones(3, np.float32)]).arrays


@pytest.mark.parametrize(
    "tree",
    [
        [],
        {},
        {"spam": 1},
        {"array": 2},
        {"array": -1},
        {"array": "0"},
        {"array": True},
        {"list": 3},
        {"tuple": {"a": 1}},
        {"dict": [[1]]},
        {"dict": [[{"list": []}, 1]]},
        {"dict": [[{"tuple": [{"array": 0}]}, 1]]},
        {"layer": "Spam", "config": {}, "arrays": []},
        {"layer": "Dense", "config": {}, "arrays": []},
        {"layer": "Dense", "config": {}, "arrays": ["weight", None]},
        {"layer": "Dense", "config": {}, "arrays": [{"array": 0}, {"list": []}]},
        {"layer": "Dense", "config": {"rng": 1}, "arrays": [{"array": 0}, {"array": 1}]},
        {"layer": "Conv2D", "config": {"stride": 0, "padding": 0}, "arrays": [{"array": 0}, {"array": 1}]},
        {
            "layer": "Conv2D",
            "config": {"stride": 1, "padding": 10**9},
            "arrays": [{"array": 0}, {"array": 1}],
        },
        {"layer": "MaxPool2D", "config": {"size": 2.5}, "arrays": []},
        {"layer": "MaxPool2D", "config": {"size": 0}, "arrays": []},
        {"layer": "Reshape", "config": {"shape": [-1, -784]}, "arrays": []},
        {"layer": "Reshape", "config": {"shape": 3}, "arrays": []},
        {"model": [3]},
        {"model": [{"model": []}]},
        {"dataset": [1, 2]},
        {"dataset": [{"array": 0}]},
        {"data": [1, 2]},
    ],
)
def test_trees_that_no_value_has_are_refused(tree):
    with pytest.raises(NotPlainError):
        unflatten(tree, MODEL)

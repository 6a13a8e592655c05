"""The file format is closed: what does not fit is refused with a reason, whoever made it."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assignment import entropy
from assignment.artifact import MAGIC, ArtifactError, ledger, pack, unpack
from assignment.entropy import Encoder, Fields
from assignment.levels import MAX_LEVEL
from assignment.nn import AvgPool2D, Conv2D, Dense, MaxPool2D, ReLU, Reshape, Sequential
from assignment.plans import GRID, GRIDS
from assignment.structure import END, MAX_SIZE, code_kind
from tests.artifact_models import assert_same, dense_model, every_layer, filled, small_file


@pytest.fixture(scope="module")
def small() -> bytes:
    return small_file()


# Refusals: what pack will not take


def changed(change: Callable[[Sequential], object]) -> Sequential:
    model = every_layer()
    change(model)
    return model


def float64_bias(model: Sequential) -> None:
    model.layers[8].bias = model.layers[8].bias.astype(np.float64)


class Tanh(ReLU):
    """Not one of the given layers."""


UNFIT: dict[str, tuple[Callable[[], object], str]] = {
    "not a model": (lambda: [Dense(3, 2)], "Sequential"),
    "a foreign layer": (lambda: Sequential([Dense(784, 10), Tanh()]), "layer 1, Tanh: only the given layers"),
    "float64": (lambda: changed(float64_bias), r"bias must be float32, got float64; use bias.astype\(np.float32\)"),
    "big-endian": (
        lambda: changed(lambda m: setattr(m.layers[8], "weight", m.layers[8].weight.astype(">f4"))),
        "must be float32, got >f4",
    ),
    "a list": (lambda: changed(lambda m: setattr(m.layers[8], "bias", [0.0] * 6)), "float32 array, got list"),
    "no weight": (lambda: changed(lambda m: delattr(m.layers[8], "weight")), "float32 array, got NoneType"),
    "three dimensions": (
        lambda: changed(lambda m: setattr(m.layers[8], "weight", np.zeros((24, 6, 1), np.float32))),
        "weight needs 2 dimensions",
    ),
    "no units": (lambda: Sequential([Dense(784, 0)]), "none of them 0"),
    "a bias too long": (
        lambda: changed(lambda m: setattr(m.layers[8], "bias", np.zeros(7, np.float32))),
        r"bias needs shape \(6,\), one entry a unit, got \(7,\)",
    ),
    "shapes that do not chain": (
        lambda: Sequential([Dense(784, 20), Dense(21, 10)]),
        r"Dense\(\(21, 10\)\) needs 21 features and gets \(20,\)",
    ),
    "dense on images": (lambda: Sequential([Reshape((1, 28, 28)), Dense(28, 10)]), "do not chain"),
    "convolution on flat": (lambda: Sequential([Conv2D(1, 3, 3)]), r"Reshape\(\(1, 28, 28\)\)"),
    "wrong channels": (lambda: Sequential([Reshape((1, 28, 28)), Conv2D(2, 3, 3)]), "2 channels"),
    "kernel too large": (lambda: Sequential([Reshape((1, 3, 3)), Conv2D(1, 3, 4)]), "4x4 pixels or more"),
    "pool too large": (lambda: Sequential([Reshape((1, 3, 3)), MaxPool2D(4)]), "4x4 pixels or more"),
    "pool on flat": (lambda: Sequential([AvgPool2D(4)]), "needs images"),
    "reshape of another size": (lambda: Sequential([Dense(784, 10), Reshape((3, 3))]), "needs 9 numbers"),
    "fractional stride": (lambda: changed(lambda m: setattr(m.layers[1], "stride", 1.5)), "whole numbers"),
    "no stride": (lambda: changed(lambda m: setattr(m.layers[1], "stride", 0)), "stride must be 1 to"),
    "negative padding": (lambda: changed(lambda m: setattr(m.layers[1], "padding", -1)), "padding must be 0"),
    "nine dimensions": (lambda: Sequential([Reshape((784, *[1] * 8))]), "shape must be"),
    "no setting": (lambda: changed(lambda m: delattr(m.layers[3], "size")), "whole numbers"),
    "too many layers": (lambda: Sequential([ReLU() for _ in range(257)]), "at most 256 layers"),
    "huge images": (
        lambda: Sequential([Reshape((1, 28, 28)), Conv2D(1, 10, 1, padding=1000)]),
        "more than 4194304",
    ),
    "too many parameters": (
        lambda: Sequential([Dense.from_arrays(np.zeros((1, 1 << 22), np.float32), np.zeros(1 << 22, np.float32))]),
        "at most 4194304 parameters",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNFIT)
def test_a_model_that_cannot_be_packed_is_refused_with_a_reason(name: str) -> None:
    build, reason = UNFIT[name]
    with pytest.raises(ArtifactError, match=reason):
        pack(build())  # type: ignore[arg-type]


# Refusals: what unpack will not take


def test_the_small_file_is_one_worth_breaking(small: bytes) -> None:
    assert {"grid", "codebook", "float", "zeros"} <= {row.coding for row in ledger(small)}


def test_a_file_cut_short_anywhere_is_refused(small: bytes) -> None:
    for size in range(len(small)):
        with pytest.raises(ArtifactError):
            unpack(small[:size])


@pytest.mark.parametrize("extra", [b"\0", b"\xff", b"\0" * 100])
def test_bytes_after_the_end_are_refused(small: bytes, extra: bytes) -> None:
    with pytest.raises(ArtifactError):
        unpack(small + extra)


def refused_or_another(data: bytes, original: Sequential) -> bool:
    """Whether `data` is refused; what is not must be another model."""
    try:
        model = unpack(data)
    except ArtifactError:
        return True
    with pytest.raises(AssertionError):
        assert_same(model, original)
    return False


def test_any_flipped_bit_is_refused_or_gives_another_model(small: bytes) -> None:
    """No bit is idle: none can be changed without being noticed or changing the model. Every third is tried."""
    original = unpack(small)
    refused = 0
    for bit in range(0, 8 * len(small), 3):
        flipped = bytearray(small)
        flipped[bit // 8] ^= 1 << bit % 8
        refused += refused_or_another(bytes(flipped), original)
    assert refused > 0


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_refused_or_a_model(data: bytes) -> None:
    for candidate in (data, MAGIC + data):
        try:
            model = unpack(candidate)
        except ArtifactError:
            continue
        assert_same(model, unpack(pack(model)))


@pytest.mark.parametrize("data", [b"", b"\xf2", b"\xfe\x01" + bytes(20), b"PK\x03\x04"])
def test_other_files_are_refused_by_their_first_bytes(data: bytes) -> None:
    with pytest.raises(ArtifactError, match="begins with the bytes f1"):
        unpack(data)


def test_something_that_is_no_bytes_is_refused() -> None:
    with pytest.raises(ArtifactError, match="got str"):
        unpack("artifact")  # type: ignore[arg-type]


def claim(fields: Fields, units: int) -> None:
    """One dense layer of so many units."""
    fields.flag("unusual input", False)
    code_kind(fields, 0, 0, 6)
    fields.flag("unusual units", True)
    fields.number("units", units - 1, MAX_SIZE - 1)
    code_kind(fields, END, 2, END)


def claiming(units: int) -> bytes:
    """A file that claims a dense layer, and ends there."""
    encoder = Encoder()
    claim(Fields(encoder), units)
    return MAGIC + encoder.finish()


@pytest.mark.parametrize("units", [1 << 22, 5_342, 5_000, 1000])
def test_huge_claims_cost_neither_time_nor_memory(units: int) -> None:
    """784 x 5,000 weights in a dozen bytes: refused before they are allocated, or soon after."""
    start = time.process_time()
    with pytest.raises(ArtifactError):
        unpack(claiming(units))
    assert time.process_time() - start < 5


@pytest.mark.parametrize("coding", [0, 2, 3, 4, 5])
def test_the_largest_array_that_can_be_claimed_takes_bounded_memory(coding: int) -> None:
    """Every field at its maximum, for 4 million weights in some 300 bytes: 64 MiB beyond the model itself."""
    encoder = Encoder()
    fields = Fields(encoder)
    claim(fields, 5_342)
    fields.choice("weight coding", coding, 3)
    if coding in (GRID, GRIDS):
        fields.choice("rough levels of a weight", 55, 6)
        fields.choice("sides of a weight", 0, 2)
    else:
        fields.number("levels of a weight", MAX_LEVEL - 1, MAX_LEVEL - 1)
        fields.number("levels fewer of a weight", 0, MAX_LEVEL)
    fields.bits((1 << 32) - 1, 32)
    data = MAGIC + encoder.finish() + np.random.default_rng(0).bytes(300)
    start = time.process_time()
    tracemalloc.start()
    with pytest.raises(ArtifactError):
        unpack(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < (16 + 64) * 2**20
    assert time.process_time() - start < 10, (
        "2 s at leisure; this machine may be busy, and tracing takes time"
    )


def test_work_beyond_what_the_bytes_pay_for_is_refused_and_packed_raw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pack writes nothing that unpack would refuse, however predictable the model."""
    model = filled(dense_model(), lambda rng, shape: 1 + np.indices(shape).sum(axis=0, dtype=np.float32) % 2)
    cheap = pack(model)
    monkeypatch.setattr(entropy, "FREE_BITS", 1000)
    monkeypatch.setattr(entropy, "BITS_PER_BYTE", 1)
    with pytest.raises(ArtifactError, match="more work"):
        unpack(cheap)
    data = pack(model)
    assert len(data) > 4 * 144 * 12
    assert_same(model, unpack(data))
    assert {row.coding for row in ledger(data)[1:]} == {"raw"}


def test_arrays_too_tall_to_walk_are_raw() -> None:
    model = Sequential([Dense.from_arrays(np.ones((40_000, 1), np.float32), np.ones(1, np.float32))])
    data = pack(model)
    assert ledger(data)[1].coding == "raw"
    assert_same(model, unpack(data))

"""The file format that everything is measured by: exact, honest, and closed to anything malformed."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assignment import entropy
from assignment.artifact import MAGIC, ArtifactError, ledger, pack, unpack
from assignment.entropy import Encoder, Fields
from assignment.levels import fit_step
from assignment.nn import AvgPool2D, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Reshape, Sequential
from assignment.structure import MAX_SIZE, code_kind, code_structure, specs_of

Array = np.ndarray
Filler = Callable[[np.random.Generator, tuple[int, ...]], Array]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.standard_normal(shape, dtype=np.float32)


def sparse(fill: Filler, share: float = 0.8) -> Filler:
    def filled(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.where(rng.random(shape) < share, np.float32(0), fill(rng, shape))

    return filled


def grid(step: float, largest: int = 7) -> Filler:
    def filled(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return (rng.integers(-largest, largest + 1, shape) * step).astype(np.float32)

    return filled


def unit_grids(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A step for each unit: the last axis of a dense weight."""
    codes = rng.integers(-127, 128, shape).astype(np.float32)
    return codes * (0.001 + rng.random(shape[-1], dtype=np.float32))


def affine_grid(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """As `codes * scale + minimum` makes it in float64."""
    return (-0.7371 + rng.integers(0, 16, shape) * 0.11).astype(np.float32)


def float32_affine(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """The same in float32 arithmetic, which rounds twice."""
    return rng.integers(0, 256, shape).astype(np.float32) * np.float32(0.00713) + np.float32(-0.7371)


def codebook(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.choice(normal(rng, (8,)), shape)


def half_precision(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return normal(rng, shape).astype(np.float16).astype(np.float32)


def brain_float(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return (normal(rng, shape).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


def any_bits(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Every bit pattern is allowed: NaNs with payloads, infinities, subnormals, both zeros."""
    special = np.array([0, 1 << 31, 0x7FC00001, 0xFF812345, 0x7F800000, 0xFF800000, 1, 0x80000001], np.uint32)
    patterns = rng.integers(0, 1 << 32, shape, dtype=np.uint64).astype(np.uint32)
    return np.where(rng.random(shape) < 0.5, rng.choice(special, shape), patterns).view(np.float32)


def signed_zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """What `weights * mask` leaves behind: half of the zeros negative."""
    return normal(rng, shape).round() * (rng.random(shape, dtype=np.float32) < 0.3)


FILLERS: dict[str, Filler] = {
    "normal": normal,
    "sparse normal": sparse(normal),
    "float32 step": grid(np.float32(0.0123)),
    "float64 step": grid(0.012345678901234567, 127),
    "16 bits": grid(1.1e-5, 32767),
    "sparse grid": sparse(grid(0.1)),
    "power of two": grid(0.125, 3),
    "signs": lambda rng, shape: rng.choice(np.array([-0.3, 0.3], np.float32), shape),
    "unit grids": unit_grids,
    "affine": affine_grid,
    "float32 affine": float32_affine,
    "sparse affine": sparse(affine_grid),
    "codebook": codebook,
    "half precision": half_precision,
    "bfloat16": brain_float,
    "constant": lambda rng, shape: np.full(shape, rng.standard_normal(), np.float32),
    "zeros": lambda rng, shape: np.zeros(shape, np.float32),
    "negative zeros": lambda rng, shape: np.full(shape, -0.0, np.float32),
    "signed zeros": signed_zeros,
    "any bits": any_bits,
    "one of them": lambda rng, shape: np.eye(int(np.prod(shape)), 1, dtype=np.float32).reshape(shape) * 0.7,
}


def dense_model() -> Sequential:
    return Sequential([Dense(144, 12), ReLU(), Dense(12, 10)])


def every_layer() -> Sequential:
    layers: list[Layer] = [
        Reshape((1, 12, 10)),
        Conv2D(1, 3, (3, 2), stride=1, padding=1),
        ReLU(),
        MaxPool2D(2),
    ]
    layers += [
        Conv2D(3, 4, 1),
        AvgPool2D(2),
        Reshape((2, 6, 2)),
        Flatten(),
        Dense(24, 6),
        ReLU(),
        Dense(6, 10),
    ]
    return Sequential(layers)


def filled(model: Sequential, filler: Filler, seed: int = 0) -> Sequential:
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, (Dense, Conv2D)):
            layer.weight, layer.bias = filler(rng, layer.weight.shape), filler(rng, layer.bias.shape)
    return model


def assert_same(a: Sequential, b: Sequential) -> None:
    """Bit for bit, in the same layers."""
    assert [type(layer) for layer in a.layers] == [type(layer) for layer in b.layers]
    assert [layer.config() for layer in a.layers] == [layer.config() for layer in b.layers]
    for one, two in zip(a.parameters(), b.parameters(), strict=True):
        assert one.shape == two.shape
        assert two.dtype == np.float32
        assert (np.ascontiguousarray(one).view(np.uint32) == two.view(np.uint32)).all()


def weight_bytes(array: Array) -> float:
    """What one dense weight costs, header and bias (zeros) not counted."""
    model = Sequential([Dense.from_arrays(array, np.zeros(array.shape[1], np.float32))])
    data = pack(model)
    assert_same(model, unpack(data))
    return ledger(data)[1].size_bytes


def entropy_bytes(array: Array) -> float:
    _, counts = np.unique(array, return_counts=True)
    return float(-(counts * np.log2(counts / array.size)).sum()) / 8


# Exactness


@pytest.mark.parametrize("name", FILLERS)
@pytest.mark.parametrize("build", [dense_model, every_layer])
def test_models_come_back_bit_for_bit(build: Callable[[], Sequential], name: str) -> None:
    model = filled(build(), FILLERS[name])
    data = pack(model)
    assert_same(model, unpack(data))
    assert ledger(data)[0].size_bytes < 24


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_models_of_any_make_come_back(data: st.DataObject) -> None:
    """Every array of its own kind, sizes from 1 up, layers in any order that chains."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    size = data.draw(st.integers(1, 9))
    layers: list[Layer] = []
    channels, side = data.draw(st.integers(1, 3)), size
    if data.draw(st.booleans()):
        layers.append(Reshape((channels, side, side)))
        for kind in data.draw(st.lists(st.sampled_from(["conv", "max", "avg", "relu"]), max_size=4)):
            if kind == "conv":
                kernel, stride = data.draw(st.integers(1, side)), data.draw(st.integers(1, 2))
                padding, units = data.draw(st.integers(0, 1)), data.draw(st.integers(1, 5))
                layers.append(Conv2D(channels, units, kernel, stride, padding))
                channels, side = units, (side + 2 * padding - kernel) // stride + 1
            elif kind == "relu":
                layers.append(ReLU())
            else:
                pool = data.draw(st.integers(1, side))
                layers.append(MaxPool2D(pool) if kind == "max" else AvgPool2D(pool))
                side //= pool
        layers.append(Flatten())
        features = channels * side * side
    else:
        features = data.draw(st.integers(1, 40))
    for units in data.draw(st.lists(st.integers(1, 12), min_size=1, max_size=3)):
        layers += [Dense(features, units), ReLU()]
        features = units
    model = Sequential(layers)
    for layer in layers:
        if isinstance(layer, (Dense, Conv2D)):
            layer.weight = FILLERS[data.draw(st.sampled_from(list(FILLERS)))](rng, layer.weight.shape)
            layer.bias = FILLERS[data.draw(st.sampled_from(list(FILLERS)))](rng, layer.bias.shape)
    assert_same(model, unpack(pack(model)))


def test_the_same_model_gives_the_same_bytes() -> None:
    data = pack(filled(every_layer(), grid(0.1)))
    assert pack(unpack(data)) == data


def test_arrays_in_any_memory_order_pack_alike() -> None:
    model = filled(dense_model(), normal)
    twin = model.copy()
    wide = np.zeros((144, 24), np.float32)
    wide[:, ::2] = twin.layers[0].weight
    twin.layers[0].weight = wide[:, ::2]
    twin.layers[2].weight = np.asfortranarray(twin.layers[2].weight)
    assert pack(twin) == pack(model)


def test_an_unpacked_model_can_be_trained_on() -> None:
    """Its arrays are its own, writable and in C order."""
    for array in unpack(pack(filled(every_layer(), grid(0.25)))).parameters():
        assert array.flags.writeable
        assert array.flags.c_contiguous


def test_packing_leaves_the_model_alone() -> None:
    model = filled(every_layer(), any_bits)
    before = model.copy()
    pack(model)
    assert_same(before, model)


def test_golden_bytes_of_the_smallest_models() -> None:
    """By hand, as shares of [0, 1), a one taking the lower part.

    No layers: input as usual, 1 at 1/2: [0, .5). Then not the usual layer, 0 at 1/2: [.25, .5). Then the end,
    7 = 111 at 1/2 each: [.25, .28125), in which 0x40 = 64/256 lies with all that may follow it.
    One ReLU: as before to [.25, .5); kind 2 = 010: [.40625, .4375). Then the end: not the usual layer, a zero
    where one zero was seen, 3/4: [.4140625, .4375); 111, of which the first saw one zero, 1/4, and the others
    nothing: [.4140625, .41552734375). That begins at 106/256, but ends before 107/256: two bytes, 6a 00.
    """
    assert pack(Sequential([])) == b"\xfe\x01\x40"
    assert pack(Sequential([ReLU()])) == b"\xfe\x01\x6a\x00"


# Size


def test_random_float32_costs_hardly_more_than_raw() -> None:
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 1 << 32, (300, 100), dtype=np.uint64).astype(np.uint32)
    assert weight_bytes(patterns.view(np.float32)) < 1.01 * 4 * patterns.size
    assert weight_bytes(normal(rng, (300, 100))) < 0.9 * 4 * patterns.size, "normal exponents are no surprise"


@pytest.mark.parametrize(("filler", "bits"), [(half_precision, 14), (brain_float, 11)])
def test_short_mantissas_cost_their_length(filler: Filler, bits: int) -> None:
    """Half precision: sign, 10 bits and an exponent that holds 2 or 3; bfloat16 has 7 for 10."""
    assert weight_bytes(filler(np.random.default_rng(0), (100, 100))) < 10_000 * bits / 8


@pytest.mark.parametrize("step", [np.float32(0.0123), 0.0123456789012345])
def test_a_grid_costs_its_entropy_and_one_step(step: float) -> None:
    array = grid(step, 7)(np.random.default_rng(0), (200, 50))
    assert weight_bytes(array) < 1.01 * entropy_bytes(array) + 12


def test_a_codebook_costs_its_entropy_and_its_levels() -> None:
    array = codebook(np.random.default_rng(0), (200, 50))
    assert weight_bytes(array) < 1.01 * entropy_bytes(array) + 8 * 4 + 4


def test_a_grid_for_each_unit_costs_a_step_for_each() -> None:
    """8 bits a weight, and 50 steps of four bytes: per-unit quantizers are not punished."""
    assert weight_bytes(unit_grids(np.random.default_rng(0), (400, 50))) < 1.01 * 400 * 50 + 50 * 4.5


def test_constants_zeros_and_empty_lines_are_nearly_free() -> None:
    assert weight_bytes(np.zeros((784, 300), np.float32)) < 1
    assert weight_bytes(np.full((784, 300), 0.3, np.float32)) < 8
    array = grid(0.1)(np.random.default_rng(0), (784, 20))
    wide = np.zeros((784, 300), np.float32)
    wide[:, ::15] = array
    assert weight_bytes(wide) < weight_bytes(array) + 784 / 8, "a removed unit leaves no more than a trace"
    tall = np.zeros((784, 20), np.float32)
    tall[100:300] = array[100:300]
    assert weight_bytes(tall) < weight_bytes(array[100:300]) + 40, "nor does a pixel that nobody reads"


def test_small_arrays_cost_about_a_byte_beyond_their_symbols() -> None:
    """Zeros in biases, layers without weights: a byte or less each."""
    plain = pack(Sequential([Dense.from_arrays(np.zeros((784, 10), np.float32), np.zeros(10, np.float32))]))
    assert len(plain) <= 8
    busy = [Reshape((1, 28, 28)), AvgPool2D(2), Flatten(), ReLU(), ReLU()]
    dense = Dense.from_arrays(np.zeros((196, 10), np.float32), np.zeros(10, np.float32))
    assert len(pack(Sequential([*busy, dense]))) <= 8 + 2 * len(busy)


@pytest.mark.parametrize(
    ("step", "largest"),
    [(np.float32(0.0123), 127), (0.0123456789, 127), (2.0**-6, 7), (1e-5, 32767)],
)
def test_the_step_of_a_grid_is_found(step: float, largest: int) -> None:
    """float32 steps, float64 ones (products rounded once), powers of two, 16 bits."""
    ks = np.arange(1, largest + 1)
    found = fit_step((ks * step).astype(np.float32))
    assert found is not None
    assert (found[1] == ks).all()


def test_no_step_is_found_where_there_is_none() -> None:
    assert fit_step(normal(np.random.default_rng(0), (50,))) is None
    assert fit_step(np.array([1, 2, 3, np.nextafter(np.float32(4), np.float32(5))], np.float32)) is None


def lenet(sparsity: float, step: float | None) -> Sequential:
    rng = np.random.default_rng(0)
    model = Sequential([Dense(784, 300), ReLU(), Dense(300, 100), ReLU(), Dense(100, 10)])
    fill = sparse(normal if step is None else grid(step), sparsity)
    return filled(model, fill, int(rng.integers(9)))


@pytest.mark.parametrize(("sparsity", "step"), [(0.95, 0.01), (0.0, None)])
def test_lenet_packs_and_unpacks_in_seconds(sparsity: float, step: float | None) -> None:
    """Students pack inside a CPU limit, with NumPy alone: 2 s each at leisure, 10 on a loaded machine."""
    start = time.process_time()
    data = pack(lenet(sparsity, step))
    middle = time.process_time()
    unpack(data)
    assert middle - start < 10
    assert time.process_time() - middle < 10


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
        "more than 16777216",
    ),
    "too many parameters": (
        lambda: Sequential([Dense.from_arrays(np.zeros((1, 1 << 24), np.float32), np.zeros(1 << 24, np.float32))]),
        "at most 16777216 parameters",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNFIT)
def test_a_model_that_cannot_be_packed_is_refused_with_a_reason(name: str) -> None:
    build, reason = UNFIT[name]
    with pytest.raises(ArtifactError, match=reason):
        pack(build())  # type: ignore[arg-type]


# Refusals: what unpack will not take


@pytest.fixture(scope="module")
def small() -> bytes:
    """A small file that uses most codings and has raw bits at its end."""
    rng = np.random.default_rng(4)
    model = Sequential(
        [Reshape((1, 4, 4)), Conv2D(1, 3, 3), ReLU(), Flatten(), Dense(12, 5), ReLU(), Dense(5, 10)]
    )
    model.layers[1].weight = sparse(grid(0.3), 0.3)(rng, (3, 1, 3, 3))
    model.layers[1].bias = half_precision(rng, (3,))
    model.layers[4].weight = sparse(codebook, 0.5)(rng, (12, 5))
    model.layers[6].weight = sparse(normal, 0.9)(rng, (5, 10))
    return pack(model)


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


def test_every_flipped_bit_is_refused_or_gives_another_model(small: bytes) -> None:
    """No bit is idle: none can be changed without being noticed or changing the model."""
    original = unpack(small)
    refused = 0
    for bit in range(8 * len(small)):
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


@pytest.mark.parametrize("data", [b"", b"\xfe", b"\xfe\x02" + bytes(20), b"PK\x03\x04"])
def test_other_files_are_refused_by_their_first_bytes(data: bytes) -> None:
    with pytest.raises(ArtifactError, match="begins with the bytes fe 01"):
        unpack(data)


def test_something_that_is_no_bytes_is_refused() -> None:
    with pytest.raises(ArtifactError, match="got str"):
        unpack("artifact")  # type: ignore[arg-type]


def claiming(*layers: tuple[type[Layer], tuple[int, ...]]) -> bytes:
    """A file that claims dense layers of so many units, and ends there."""
    encoder = Encoder()
    fields = Fields(encoder)
    fields.choice("usual input", 1, 1)
    last: type[Layer] | None = None
    for kind, sizes in layers:
        code_kind(fields, 0 if kind is Dense else 2, last)
        for size in sizes:
            fields.number("units", size - 1, MAX_SIZE - 1)
        last = kind
    code_kind(fields, 7, last)
    return MAGIC + encoder.finish()


@pytest.mark.parametrize("units", [1 << 24, 21_371, 21_000, 1000])
def test_huge_claims_cost_neither_time_nor_memory(units: int) -> None:
    """784 x 21,000 weights in a dozen bytes: refused before they are allocated, or soon after."""
    start = time.process_time()
    with pytest.raises(ArtifactError):
        unpack(claiming((Dense, (units,)), (ReLU, ())))
    assert time.process_time() - start < 5


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


# The ledger


def test_the_ledger_accounts_for_every_byte(small: bytes) -> None:
    rows = ledger(small)
    assert sum(row.size_bytes for row in rows) == pytest.approx(len(small))
    assert all(row.size_bytes > 0 for row in rows)
    assert [(row.layer_index, row.array) for row in rows] == [
        (None, "header"), (1, "weight"), (1, "bias"), (4, "weight"), (4, "bias"), (6, "weight"), (6, "bias"),
    ]  # fmt: skip
    assert rows[1].layer == "Conv2D(1, 3, 3, stride=1, padding=0)"
    assert rows[1].shape == (3, 1, 3, 3)


def test_the_ledger_gives_zero_order_entropy() -> None:
    """Half zeros, half of one value: a bit an entry."""
    weight = np.zeros((784, 10), np.float32)
    weight[:, ::2] = 0.5
    row = ledger(pack(Sequential([Dense.from_arrays(weight, np.zeros(10, np.float32))])))[1]
    assert row.entropy_bytes == pytest.approx(784 * 10 / 8)
    assert row.size_bytes < 200, "and stripes are easily predicted"


def test_structure_of_every_layer_comes_back_alone() -> None:
    encoder = Encoder()
    specs = code_structure(Fields(encoder), specs_of(every_layer()))
    decoder = entropy.Decoder(encoder.finish())
    assert code_structure(Fields(decoder), None) == specs
    decoder.finish()

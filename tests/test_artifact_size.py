"""The file format is fair: every kind of structure costs what it holds, and packing takes seconds."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

from assignment.artifact import ledger, pack, unpack
from assignment.levels import fit_step
from assignment.nn import AvgPool2D, Dense, Flatten, Layer, ReLU, Reshape, Sequential
from benchmarks.stored_models import models
from tests.artifact_models import (
    Array,
    Filler,
    assert_same,
    brain_float,
    codebook,
    filled,
    grid,
    half_precision,
    normal,
    sparse,
    unit_grids,
)


def weight_bytes(array: Array) -> float:
    """What one dense weight costs, header and bias (zeros) not counted."""
    model = Sequential([Dense.from_arrays(array, np.zeros(array.shape[1], np.float32))])
    data = pack(model)
    assert_same(model, unpack(data))
    return ledger(data)[1].size_bytes


def entropy_bytes(array: Array) -> float:
    _, counts = np.unique(array, return_counts=True)
    return float(-(counts * np.log2(counts / array.size)).sum()) / 8


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
    assert weight_bytes(array) < 1.015 * entropy_bytes(array) + 8 * 4 + 4


def test_a_grid_for_each_unit_costs_a_step_for_each() -> None:
    """8 bits a weight, and 50 steps of four bytes: per-unit quantizers are not punished."""
    assert weight_bytes(unit_grids(np.random.default_rng(0), (400, 50))) < 1.01 * 400 * 50 + 50 * 4.5


def test_many_rows_of_few_weights_on_a_fine_grid_are_within_what_a_decoder_does() -> None:
    """Of honest models these ask for the most work for a byte; beyond the limit they would be written raw."""
    rng, layers = np.random.default_rng(0), list[Layer]()
    for inputs, units in pairwise((784, 64, 64, 64, 64, 64, 10)):
        levels = np.rint(rng.normal(0, 50, (inputs, units)))
        levels[np.abs(levels) < np.quantile(np.abs(levels), 0.95)] = 0
        weight = (levels * 0.002).astype(np.float32)
        layers += [Dense.from_arrays(weight, np.zeros(units, np.float32)), ReLU()]
    assert {row.coding for row in ledger(pack(Sequential(layers[:-1])))[1:]} == {"grid", "zeros"}


def test_constants_zeros_and_empty_lines_are_nearly_free() -> None:
    assert weight_bytes(np.zeros((784, 300), np.float32)) < 1
    assert weight_bytes(np.full((784, 300), 0.3, np.float32)) < 8
    array = grid(0.1)(np.random.default_rng(0), (784, 20))
    wide = np.zeros((784, 300), np.float32)
    wide[:, ::15] = array
    assert weight_bytes(wide) < weight_bytes(array) + 784 / 8, "a removed unit leaves no more than a trace"
    tall = np.zeros((784, 20), np.float32)
    tall[100:296] = array[100:296]
    assert weight_bytes(tall) < weight_bytes(array[100:296]) + 588 / 8, "nor does a pixel that nobody reads"


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


def minus_zero_grid(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """What rounding leaves: -0.0 where a small weight was negative."""
    return np.rint(normal(rng, shape) * 2) * np.float32(0.1)


def codes(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """The lowest and the highest are used, as when a quantizer maps them to minimum and maximum."""
    found = rng.binomial(255, 0.4, shape)
    found.flat[:2] = 0, 255
    return found


AFFINE: dict[str, Filler] = {
    "in float64": lambda rng, shape: (codes(rng, shape) * 0.00713 - 0.7371).astype(np.float32),
    "in float32": lambda rng, shape: (
        codes(rng, shape).astype(np.float32) * np.float32(0.00713) + np.float32(-0.7371)
    ),
    "all positive": lambda rng, shape: (codes(rng, shape) * 0.00713 + 0.1234).astype(np.float32),
    "with zeros": lambda rng, shape: np.where(
        rng.random(shape) < 0.5, np.float32(0), (codes(rng, shape) * 0.00713 - 0.7371).astype(np.float32)
    ),
    "subnormal": lambda rng, shape: (codes(rng, shape) - 100).astype(np.float32) * np.float32(1e-40),
    "smallest": lambda rng, shape: ((codes(rng, shape) - 100) * 2.0**-149).astype(np.float32),
    "with negative zeros": minus_zero_grid,
}


@pytest.mark.parametrize("name", AFFINE)
def test_grids_are_found_whatever_their_offset_and_size(name: str) -> None:
    """A codebook would list every level at 3 bytes: a tax on how a quantizer rounds, not on what it keeps."""
    array = AFFINE[name](np.random.default_rng(0), (300, 40))
    model = Sequential([Dense.from_arrays(array, np.zeros(40, np.float32))])
    row = ledger(pack(model))[1]
    assert row.coding in ("grid", "affine")
    assert row.size_bytes < 1.06 * row.entropy_bytes + 14  # numbers far from zero are coded by their length
    assert_same(model, unpack(pack(model)))


@pytest.mark.parametrize("largest", [20, 63, 127])
@pytest.mark.parametrize("seed", range(20))
def test_the_step_is_found_where_it_is_at_the_end_of_its_interval(largest: int, seed: int) -> None:
    """Products that lie exactly between two float32 go to the even one: nothing beside the step itself serves."""
    rng = np.random.default_rng(seed)
    step = np.float32(rng.random() / 50)
    ks = np.unique(rng.integers(1, largest + 1, largest))
    found = fit_step(ks.astype(np.float32) * step)
    assert found is not None
    assert (found[1] % (found[1][0] // ks[0]) == 0).all()
    assert found[1][0] <= ks[0], "the largest step is the shortest to count in"


def test_layers_that_share_a_grid_pay_for_its_step_once() -> None:
    rng = np.random.default_rng(0)
    fill = grid(np.float32(0.0123), 3)
    one, two = fill(rng, (60, 40)), fill(rng, (40, 30))
    shared = pack(Sequential([Dense.from_arrays(one, one[0]), ReLU(), Dense.from_arrays(two, two[0])]))
    two, other = two * np.float32(1.37), one[0] * np.float32(1.37)
    apart = pack(Sequential([Dense.from_arrays(one, other), ReLU(), Dense.from_arrays(two, two[0])]))
    assert len(apart) - len(shared) >= 4


MODELS = models()
NOT_BELOW = {"convolutional-697", "tiny"}  # too few weights to learn from: see the test after this


@pytest.mark.parametrize("name", sorted(set(MODELS) - NOT_BELOW))
def test_trained_models_take_less_than_their_entropy(name: str) -> None:
    """The figures to beat: 15 % on sparse layers that see the picture, 12 % on pooled ones."""
    data = pack(MODELS[name])
    entropy = sum(row.entropy_bytes for row in ledger(data))
    limit = 0.85 if name.startswith("sparse") else 0.88 if name.startswith("pooled") else 1
    assert len(data) < limit * entropy


def test_the_smallest_models_take_little_more_than_their_entropy() -> None:
    """Entropy without tables is out of reach here: 8 arrays, 697 weights, 31 levels that no table lists."""
    assert len(pack(MODELS["convolutional-697"])) <= 390
    assert len(pack(MODELS["tiny"])) <= 245

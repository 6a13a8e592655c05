"""The reference recipe on small data: it fits every budget, and each of the four techniques shows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from assignment.artifact import pack
from assignment.nn import (
    Conv2D,
    Data,
    Dataset,
    Dense,
    Flatten,
    MaxPool2D,
    ReLU,
    Reshape,
    Sequential,
    evaluate,
)
from solution import compression
from solution.compression import compress, sparsity, weighted_layers
from tests_public.pictures import problem


@pytest.fixture(scope="module")
def small_problem():
    return problem(np.random.default_rng(3), train=800)


@pytest.fixture(scope="module")
def result(small_problem):
    model, data, _ = small_problem
    return compress(model, data, 16_384, seed=1)


@pytest.fixture
def brief(monkeypatch):
    """Training cut short, where a test does not care what is learned."""
    monkeypatch.setattr(compression, "EPOCHS", 2)
    monkeypatch.setattr(compression, "LEAST_STEPS", 1)


def with_widths(*widths: int) -> Sequential:
    rng = np.random.default_rng(0)
    layers = [layer for n, m in pairwise(widths) for layer in (Dense(n, m, rng=rng), ReLU())]
    return Sequential(layers[:-1])


def convolutional() -> Sequential:
    rng = np.random.default_rng(0)
    front = [Reshape((1, 28, 28)), Conv2D(1, 4, 3, rng=rng), ReLU(), MaxPool2D(2), Flatten()]
    return Sequential([*front, Dense(4 * 13 * 13, 10, rng=rng)])


def test_result_is_accurate_on_new_pictures(result, small_problem):
    assert evaluate(result, small_problem[2]) >= 0.9


def test_each_technique_shows_in_the_result(result, small_problem):
    model, hidden = small_problem[0], weighted_layers(result)[:-1]
    assert [layer.weight.shape[1] for layer in hidden] == [100, 30], "structured pruning: narrower layers"
    assert sparsity(result) > 0.5 > sparsity(model), "magnitude pruning: most weights are 0"
    for array in result.parameters():
        steps = array / np.float32(compression.GRID)
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-4)
        assert len(np.unique(array)) < 64, "quantization: few levels"


def test_teacher_decides_what_is_learned(small_problem, brief):
    model, data, _ = small_problem
    other = model.copy()
    other.layers[-1].weight[:, [0, 1]] = other.layers[-1].weight[:, [1, 0]]
    one, two = (
        compression.trained_light(with_widths(784, 20, 10), teacher, data.train, 0)
        for teacher in (model, other)
    )
    assert any((a != b).any() for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_same_seed_gives_same_arrays_and_another_seed_others(small_problem, brief):
    model, data, _ = small_problem
    one, same, other = (compress(model, data, 16_384, seed=seed).parameters() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("budget", [8192, 10_000, 16_384, 60_000])
def test_file_fits_the_budget(small_problem, brief, budget):
    model, data, _ = small_problem
    assert len(pack(compress(model, data, budget))) <= budget


@pytest.mark.parametrize(
    "model",
    [
        with_widths(784, 10),
        with_widths(784, 12, 10),
        with_widths(784, 150, 64, 40, 10),
        with_widths(784, 1200, 1000, 10),
        convolutional(),
    ],
    ids=["linear", "narrow", "deep", "wide", "convolutional"],
)
def test_file_fits_the_smallest_budget_from_other_models(small_problem, brief, model):
    data = small_problem[1]
    small = compress(model, Data(Dataset(data.train.images[:300], data.train.labels[:300]), data.train), 8192)
    assert len(pack(small)) <= 8192
    assert small.forward(data.train.images[:5]).shape == (5, 10)


def test_budget_out_of_reach_still_gets_the_lightest_model(small_problem, brief):
    """Nothing fits 8 bytes; it ends all the same, with a model without weights."""
    small = compress(small_problem[0], small_problem[1], 8)
    assert sparsity(small) == 1


def test_pruning_goes_on_until_the_budget_is_met(small_problem, brief):
    model, data, _ = small_problem
    free = compress(model, data, 16_384)
    size = len(pack(free))
    tight = compress(model, data, size // 2)
    assert len(pack(tight)) <= size // 2
    assert sparsity(free) < sparsity(tight) < 1


def test_arguments_are_left_alone_and_shared_by_nothing(small_problem, brief):
    model, data, _ = small_problem
    before = [array.copy() for array in model.parameters()]
    small = compress(model, data, 16_384)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert not any(np.shares_memory(a, b) for a in small.parameters() for b in model.parameters())


def test_images_in_a_read_only_file_are_enough(small_problem, brief, tmp_path):
    model, data, _ = small_problem
    np.save(tmp_path / "images.npy", data.train.images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    frozen = model.copy()
    for array in frozen.parameters():
        array.flags.writeable = False
    on_disk = compress(frozen, Data(Dataset(mapped, data.train.labels), data.validation), 16_384)
    in_memory = compress(model, data, 16_384)
    assert all(
        np.array_equal(a, b) for a, b in zip(on_disk.parameters(), in_memory.parameters(), strict=True)
    )

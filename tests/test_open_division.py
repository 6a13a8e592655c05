"""The open division's reference entry on small data: what it returns, and that its fast convolution is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assignment.artifact import pack, unpack
from assignment.nn import Conv2D, Data, Dataset, Sequential, WeightedLayer, cross_entropy, evaluate
from assignment.seam import LocalSubmission
from tests_public.pictures import problem

ROOT = Path(__file__).resolve().parents[1]
entry = LocalSubmission(ROOT / "solution" / "open_division" / "compression.py").load()


@pytest.fixture(scope="module")
def small_problem():
    return problem(np.random.default_rng(3), train=800)


@pytest.fixture
def brief(monkeypatch):
    """Training cut short, where a test does not care what is learned."""
    monkeypatch.setattr(entry, "EPOCHS", 2)
    monkeypatch.setattr(entry, "LEAST_STEPS", 1)


def weighted(model: Sequential) -> list[WeightedLayer]:
    return [layer for layer in model.layers if isinstance(layer, WeightedLayer)]


def test_rows_compute_and_learn_as_the_given_layers_do():
    rng = np.random.default_rng(5)
    network = entry.untrained(seed=1)
    for array in network.parameters():
        array += rng.standard_normal(array.shape, np.float32)
    given = entry.in_given_layers(network)
    images = rng.random((9, 784), np.float32)
    labels = rng.integers(0, 10, 9)
    small = images.reshape(9, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(9, 196)
    logits = given.forward(images)
    np.testing.assert_allclose(network.forward(small), logits, rtol=1e-4, atol=1e-4)
    grad = cross_entropy(logits, labels)[1]
    network.backward(grad, input_gradient=False)
    given.backward(grad, input_gradient=False)
    for fast, slow in zip(weighted(network), weighted(given), strict=True):
        weight_grad = slow.weight_grad if isinstance(slow, Conv2D) else slow.weight_grad.T
        np.testing.assert_allclose(
            fast.weight_grad.ravel(), fast.grid * weight_grad.ravel(), rtol=1e-3, atol=1e-5
        )
        np.testing.assert_allclose(fast.bias_grad, fast.grid * slow.bias_grad, rtol=1e-3, atol=1e-5)


def test_result_is_accurate_light_sparse_and_on_a_grid(small_problem):
    model, data, new_pictures = small_problem
    small = entry.compress(model, data, 16_384, seed=1)
    content = pack(small)
    assert len(content) <= 1024
    assert evaluate(unpack(content), new_pictures) >= 0.9
    for layer, fast in zip(weighted(small), weighted(entry.untrained(1)), strict=True):
        for array in layer.parameters():
            steps = array / fast.grid
            np.testing.assert_array_equal(steps, np.rint(steps))
        assert np.mean(layer.weight == 0) > 0.2, "a price on weights prunes"


def test_what_is_pruned_when_the_network_has_settled_stays_so(small_problem, monkeypatch):
    """Without a price nothing else keeps it at 0: the masks must."""
    monkeypatch.setattr(entry, "SETTLED", 0.0)
    network = entry.untrained(0)
    pruned = np.zeros(network.layers[3].weight.shape, bool)
    pruned[:, :4] = True
    network.layers[3].weight[pruned] = 0
    optimizer = entry.StraightThrough(entry.Adam(0.5), steps=1)
    images = small_problem[1].train.images[:20].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(20, -1)
    for step in range(3):
        network.forward(images)
        network.backward(np.ones((20, 10), np.float32), input_gradient=False)
        optimizer.step(network)
        if step == 0:
            pruned = network.layers[3].weight == 0
    assert (network.layers[3].weight[pruned] == 0).all()
    assert pruned.any()


def test_same_seed_gives_same_bytes_and_another_seed_others(small_problem, brief):
    model, data, _ = small_problem
    one, same, other = (pack(entry.compress(model, data, 16_384, seed=seed)) for seed in (1, 1, 2))
    assert one == same != other


def test_teacher_decides_what_is_learned(small_problem, brief):
    model, data, _ = small_problem
    other = model.copy()
    other.layers[-1].weight[:, [0, 1]] = other.layers[-1].weight[:, [1, 0]]
    assert pack(entry.compress(model, data, 16_384)) != pack(entry.compress(other, data, 16_384))


@pytest.mark.parametrize("images", [1, 130, 300])
def test_few_images_are_enough_for_a_file_in_the_smallest_budget(small_problem, brief, images):
    model, data, _ = small_problem
    few = Data(Dataset(data.train.images[:images], data.train.labels[:images]), data.validation)
    assert len(pack(entry.compress(model, few, 8192))) <= 8192


def test_arguments_are_left_alone(small_problem, brief):
    model, data, _ = small_problem
    before = [array.copy() for array in (*model.parameters(), data.train.images, data.train.labels)]
    small = entry.compress(model, data, 16_384)
    after = [*model.parameters(), data.train.images, data.train.labels]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert not any(np.shares_memory(a, b) for a in small.parameters() for b in after)

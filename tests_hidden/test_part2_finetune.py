"""Part 2, hidden: `finetune`. It learns, it keeps the zeros, and what is pruned has no say."""

from __future__ import annotations

import numpy as np
import pytest

from assignment.nn import Dataset, cross_entropy
from tests_hidden.inputs import (
    dense_model,
    learnable,
    masked,
    random_masks,
    small_conv_model,
    weighted,
    with_live_units,
)
from tests_public import expect

FEATURES = 12

# Two runs that must agree do the same float32 operations, up to the order of a sum; a leak changes
# weights by learning_rate * gradient, some 1e-3 here.
AGREES = 1e-5


def small_model(rng):
    return with_live_units(dense_model(rng, FEATURES, 16, 10), rng)


def tuned(submission, model, masks, dataset, **settings):
    value = submission.call("finetune", model, masks, dataset, **settings)
    return expect.a_model(value, "the finetuned model", like=model)


def loss_of(model, dataset):
    return cross_entropy(model.copy().forward(dataset.images), dataset.labels)[0]


def learns(submission, model, masks, dataset, **settings):
    """The finetuned model, whose loss must be at least 10 % below that of the masked model."""
    trained = tuned(submission, model, masks, dataset, **settings)
    start = loss_of(masked(model, masks), dataset)
    assert loss_of(trained, dataset) <= 0.9 * start, (
        "finetuning must lower the loss on its dataset, here by at least a tenth: take a gradient step of "
        "learning_rate on the mean loss of every batch, the last, smaller one too"
    )
    return trained


def farthest(one, other):
    """The largest difference between two models' weights and biases."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(float(np.abs(a.astype(np.float64) - b).max()) for a, b in pairs)


def joined(model):
    return np.concatenate([array.ravel().astype(np.float64) for array in model.parameters()])


def slope_at(start, masks, dataset):
    """The gradient of the mean cross-entropy by kept weights and biases, in the order of `joined`."""
    model = start.copy()
    model.backward(cross_entropy(model.forward(dataset.images), dataset.labels)[1])
    for layer, mask in zip(weighted(model), masks, strict=True):
        layer.weight, layer.bias = layer.weight_grad * mask, layer.bias_grad
    return joined(model)


def cosine(a, b):
    return float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-300)


def units_first(mask):
    """A view of a mask with the units of its layer along the first axis."""
    return mask.T if mask.ndim == 2 else mask


def check_pruned(trained, masks):
    for layer, mask in zip(weighted(trained), masks, strict=True):
        assert not layer.weight[~mask].any(), (
            "pruned weights must be exactly zero at the end: the gradient does not know that they are gone"
        )


@pytest.mark.grades("finetune")
def test_finetune_learns_in_small_batches(submission, rng):
    model, dataset = small_model(rng), learnable(rng, 100, FEATURES)
    masks = random_masks(rng, model, 0.5)
    trained = learns(submission, model, masks, dataset, epochs=100, learning_rate=0.02, batch_size=10, seed=3)
    check_pruned(trained, masks)


@pytest.mark.grades("finetune")
def test_finetune_learns_in_one_full_batch(submission, rng):
    model, dataset = small_model(rng), learnable(rng, 100, FEATURES)  # fewer than the default batch of 128
    learns(submission, model, random_masks(rng, model, 0.5), dataset, epochs=500, learning_rate=0.06)


@pytest.mark.grades("finetune")
def test_finetune_learns_with_convolutions(submission, rng):
    model, dataset = small_conv_model(rng), learnable(rng, 30, 36)
    masks = random_masks(rng, model, 0.7)
    trained = learns(submission, model, masks, dataset, epochs=500, learning_rate=0.06)
    check_pruned(trained, masks)


@pytest.mark.grades("finetune")
def test_finetune_ends_with_pruned_weights_at_zero(submission, rng):
    for model, features in ((small_model(rng), FEATURES), (small_conv_model(rng), 36)):
        dataset = learnable(rng, 30, features)
        for keep in (0.1, 0.5, 0.9):
            masks = random_masks(rng, model, keep)
            settings = {"epochs": 1, "learning_rate": 0.05, "batch_size": 8}
            check_pruned(tuned(submission, model, masks, dataset, **settings), masks)


@pytest.mark.grades("finetune")
def test_finetune_counts_every_image_in_a_smaller_last_batch(submission, rng):
    model, dataset = small_model(rng), learnable(rng, 5, FEATURES)
    masks = random_masks(rng, model, 0.7)
    settings = {"epochs": 1, "learning_rate": 0.05, "batch_size": 4, "seed": int(rng.integers(1000))}
    trained = tuned(submission, model, masks, dataset, **settings)
    for index in range(len(dataset)):
        labels = dataset.labels.copy()
        labels[index] = (labels[index] + 5) % 10
        other = tuned(submission, model, masks, Dataset(dataset.images, labels), **settings)
        assert farthest(trained, other) > 0, (
            "every image must count in every epoch, those of the last, smaller batch too: the label of some "
            "image makes no difference"
        )


@pytest.mark.grades("finetune")
def test_finetune_does_not_let_pruned_values_speak(submission, rng):
    for model, features in ((small_model(rng), FEATURES), (small_conv_model(rng), 36)):
        dataset = learnable(rng, 24, features)
        masks = random_masks(rng, model, 0.6)
        other = model.copy()
        for layer, mask in zip(weighted(other), masks, strict=True):
            noise = rng.normal(0, 3, layer.weight.shape).astype(np.float32)
            layer.weight = np.where(mask, layer.weight, noise)
        settings = {"epochs": 2, "learning_rate": 0.05, "batch_size": 8, "seed": 1}
        results = [tuned(submission, start, masks, dataset, **settings) for start in (model, other)]
        assert farthest(*results) <= AGREES, (
            "the values that pruned weights had must not change the result: set them to zero before the "
            "first step, and after every one"
        )


@pytest.mark.grades("finetune")
def test_finetune_does_not_look_at_inputs_of_pruned_weights_only(submission, rng):
    model, dataset = small_model(rng), learnable(rng, 40, FEATURES)
    masks = random_masks(rng, model, 0.8)
    unread = rng.permutation(FEATURES)[:4]
    masks[0][unread] = False
    images = dataset.images.copy()
    images[:, unread] = rng.random((40, 4)).round()
    settings = {"epochs": 3, "learning_rate": 0.05, "batch_size": 8, "seed": 2}
    results = [
        tuned(submission, model, masks, Dataset(seen, dataset.labels), **settings)
        for seen in (dataset.images, images)
    ]
    assert farthest(*results) <= AGREES, (
        "inputs that only pruned weights read must not change the result: a pruned weight must not grow "
        "between two steps, and its gradient must not be used anywhere"
    )


@pytest.mark.grades("finetune")
def test_finetune_does_not_hear_a_unit_that_nothing_reads(submission, rng):
    model, dataset = small_model(rng), learnable(rng, 40, FEATURES)
    masks = random_masks(rng, model, 0.8)
    unit = int(rng.integers(16))
    masks[1][unit] = False
    other = model.copy()
    weighted(other)[0].weight[:, unit] = rng.uniform(0.1, 1.0, FEATURES)
    settings = {"epochs": 3, "learning_rate": 0.05, "batch_size": 8, "seed": 2}
    results = [tuned(submission, start, masks, dataset, **settings) for start in (model, other)]
    for result in results:
        first = weighted(result)[0]
        first.weight, first.bias = np.delete(first.weight, unit, 1), np.delete(first.bias, unit)
    assert farthest(*results) <= AGREES, (
        "a unit whose outgoing weights are all pruned must not change the others: pruned weights must not "
        "grow between two steps"
    )


@pytest.mark.grades("finetune")
def test_finetune_trains_zeros_that_are_not_masked(submission, rng):
    model, dataset = small_model(rng), learnable(rng, 60, FEATURES)
    masks = random_masks(rng, model, 0.9)
    zeros = [mask & (rng.random(mask.shape) < 0.3) for mask in masks]
    for layer, zero in zip(weighted(model), zeros, strict=True):
        layer.weight[zero] = 0
    trained = tuned(submission, model, masks, dataset, epochs=3, learning_rate=0.05, batch_size=10)
    for layer, zero in zip(weighted(trained), zeros, strict=True):
        # Units that answer to no image get no gradient; most do.
        assert np.count_nonzero(layer.weight[zero]) > zero.sum() / 2, (
            "the masks decide which weights stay zero: a weight that starts at zero must train where its "
            "mask is True"
        )
    check_pruned(trained, masks)


@pytest.mark.grades("finetune")
def test_finetune_trains_weights_and_biases_of_every_layer(submission, rng):
    for model, features in ((small_model(rng), FEATURES), (small_conv_model(rng), 36)):
        dataset, masks = learnable(rng, 40, features), random_masks(rng, model, 0.8)
        start = masked(model, masks)
        trained = tuned(submission, model, masks, dataset, epochs=2, learning_rate=0.05, batch_size=10)
        for before, after in zip(weighted(start), weighted(trained), strict=True):
            assert np.abs(after.bias - before.bias).max() > 0, "the biases of every layer must train"
            assert np.abs(after.weight - before.weight).max() > 0, (
                "the kept weights of every layer must train"
            )


@pytest.mark.grades("finetune")
def test_finetune_starts_from_the_weights_it_is_given(submission, rng):
    for model, features in ((small_model(rng), FEATURES), (small_conv_model(rng), 36)):
        dataset, masks = learnable(rng, 40, features), random_masks(rng, model, 0.6)
        units_first(masks[0])[0] = False  # a unit of which nothing but the bias is left
        for layer, mask in zip(weighted(model), masks, strict=True):
            layer.weight[mask & (rng.random(mask.shape) < 0.2)] = 5e-4
        trained = tuned(submission, model, masks, dataset, epochs=1, learning_rate=1e-6, batch_size=10)
        # Four steps of 1e-6: an SGD step is the gradient's size, below 10; an Adam step about 1.
        assert farthest(trained, masked(model, masks)) <= 1e-3, (
            "at a tiny learning_rate, kept weights and biases stay nearly as they were: training starts "
            "from the model's own weights, and learning_rate is the size of a step"
        )
        for layer, mask in zip(weighted(trained), masks, strict=True):
            assert layer.weight[mask].all(), (
                "the masks decide which weights are zero: a small weight must not be set to zero where its "
                "mask is True"
            )


@pytest.mark.grades("finetune")
def test_finetune_goes_down_the_slope_of_the_cross_entropy(submission, rng):
    for model, features in ((small_model(rng), FEATURES), (small_conv_model(rng), 36)) * 2:
        dataset, masks = learnable(rng, 20, features), random_masks(rng, model, 0.6)
        start = masked(model, masks)
        trained = tuned(submission, model, masks, dataset, epochs=4, learning_rate=5e-4, batch_size=20)
        move, slope = joined(trained) - joined(start), slope_at(start, masks, dataset)
        # Four small steps in one full batch: SGD and momentum go along the slope, Adam by its signs. Both are
        # within 8 degrees of that; another loss, other images or a penalty on the weights is 25 and more off.
        assert max(cosine(-move, slope), cosine(-move, np.sign(slope))) >= 0.95, (
            "the first steps must follow the gradient of the mean cross-entropy on the given images, for "
            "kept weights and for biases: use no other loss, do not change the images, add no penalty"
        )


@pytest.mark.grades("finetune")
def test_finetune_steps_on_the_mean_loss(submission, rng):
    model, dataset = small_model(rng), learnable(rng, 16, FEATURES)
    masks = random_masks(rng, model, 0.6)
    doubled = Dataset(np.tile(dataset.images, (2, 1)), np.tile(dataset.labels, 2))
    settings = {"epochs": 3, "learning_rate": 0.02, "batch_size": 64}
    once, twice = (tuned(submission, model, masks, given, **settings) for given in (dataset, doubled))
    moved = farthest(once, masked(model, masks))
    # Three small steps along a mean that is the same up to rounding; along a sum they are twice as long.
    assert farthest(once, twice) <= 0.05 * moved + AGREES, (
        "a batch with every image twice has the same mean loss, and must give the same steps: divide by the "
        "number of images that are in the batch"
    )


@pytest.mark.grades("finetune")
def test_finetune_uses_its_settings(submission, rng):
    model, dataset = small_model(rng), learnable(rng, 40, FEATURES)
    masks = random_masks(rng, model, 0.6)
    usual = {"epochs": 2, "learning_rate": 0.02, "batch_size": 10, "seed": 5}
    trained = tuned(submission, model, masks, dataset, **usual)
    for name, value in (("epochs", 4), ("learning_rate", 0.04), ("batch_size", 40)):
        other = tuned(submission, model, masks, dataset, **(usual | {name: value}))
        assert farthest(trained, other) > AGREES, f"{name} must make a difference"
    dataset, brief = learnable(rng, 130, FEATURES), {"epochs": 1, "learning_rate": 0.02}
    unsaid = tuned(submission, model, masks, dataset, **brief)
    assert farthest(unsaid, tuned(submission, model, masks, dataset, **brief, batch_size=128, seed=0)) == 0, (
        "by default batch_size is 128 and seed is 0"
    )


@pytest.mark.grades("finetune")
def test_finetune_repeats_itself_under_a_seed(submission, rng):
    dataset = learnable(rng, 40, FEATURES)
    first, second = small_model(rng), small_model(rng)
    masks = random_masks(rng, first, 0.6)
    settings = {"epochs": 2, "learning_rate": 0.05, "batch_size": 8, "seed": int(rng.integers(1000))}
    results = []
    for model in (first, second, first):
        results.append(tuned(submission, model, masks, dataset, **settings))
    same = zip(results[0].parameters(), results[2].parameters(), strict=True)
    assert all(np.array_equal(a, b) for a, b in same), (
        "the same seed and arguments must give identical arrays, whatever was trained in between"
    )


@pytest.mark.grades("finetune")
def test_finetune_returns_a_new_model(submission, rng):
    for model, features in ((small_model(rng), FEATURES), (small_conv_model(rng), 36)):
        dataset, masks = learnable(rng, 20, features), random_masks(rng, model, 0.6)
        call = submission.inspect(
            "finetune", model, masks, dataset, epochs=1, learning_rate=0.05, batch_size=8
        )
        expect.a_model(expect.unaliased(call, "finetune"), "the finetuned model", like=model)


@pytest.mark.grades("finetune")
def test_finetune_refuses_nan_among_weights(submission, rng):
    dataset = learnable(rng, 20, FEATURES)
    for index in range(2):
        model = small_model(rng)
        masks = [np.ones(layer.weight.shape, bool) for layer in weighted(model)]
        weight = weighted(model)[index].weight
        weight.flat[rng.integers(weight.size)] = np.nan
        expect.rejects_nan(
            submission, "finetune", model, masks, dataset, epochs=1, learning_rate=0.05,
            names=("weight", "model"),
        )  # fmt: skip

"""Part 5, hidden: `neuron_importance` decided by exact values on dense and convolutional networks."""

from __future__ import annotations

import numpy as np
import pytest

from assignment.nn import AvgPool2D, Conv2D, Dense, Flatten, MaxPool2D, ReLU, Reshape, Sequential
from tests_public import expect

STEP = 2.0**-23  # float32: the relative distance between neighbouring numbers


def dense(rng, inputs, units):
    """A layer whose outputs, on images in [0, 1], are as often negative as positive."""
    weight = rng.standard_normal((inputs, units)).astype(np.float32)
    bias = -0.5 * weight.sum(axis=0) + 0.5 * rng.standard_normal(units).astype(np.float32)
    return Dense.from_arrays(weight, bias.astype(np.float32))


def convolution(rng, inputs, channels, kernel=(3, 3), **settings):
    layer = Conv2D(inputs, channels, kernel, rng=rng, **settings)
    layer.bias = (0.3 * rng.standard_normal(channels)).astype(np.float32)
    return layer


def images(rng, count, pixels):
    return rng.random((count, pixels), np.float32)


def outputs(model, layer_index, x):
    """What the layer of this index puts out, computed by the given framework: float64."""
    for layer in model.copy().layers[: layer_index + 1]:
        x = layer.forward(x)
    return x.astype(np.float64)


def by_unit(out):
    """(N, units, ...) to (units, everything else): a channel's images and positions in one row."""
    return np.moveaxis(out, 1, 0).reshape(out.shape[1], -1)


def importance(submission, model, layer_index, x):
    """`neuron_importance` called and checked."""
    units = len(model.layers[layer_index].bias)
    value = submission.call("neuron_importance", model, layer_index, x)
    value = expect.an_array(
        value, "neuron_importance", (units,), "f", shape_of="a 1-D array with one number per unit"
    )
    return value.astype(np.float64)


def assert_is_mean(value, out, sentence):
    """The mean absolute value of each unit's row, whichever way float32 adds it up.

    A running sum of n numbers is off by n / 2 steps of itself at most; the layer's own sums add some.
    """
    rows = np.abs(by_unit(out))
    expected = rows.mean(axis=1)
    tolerance = (rows.shape[1] + 64) * STEP * max(expected.max(), 1e-30)
    assert (np.abs(value - expected) <= tolerance).all(), sentence


@pytest.mark.grades("neuron_importance")
def test_importance_is_taken_after_the_next_relu(submission, rng):
    model = Sequential([dense(rng, 9, 7), ReLU(), dense(rng, 7, 10)])
    x = images(rng, 30, 9)
    value = importance(submission, model, 0, x)
    assert_is_mean(
        value,
        outputs(model, 1, x),
        "a unit's importance is what it passes on: where the next layer is a ReLU, the mean of its output "
        "after that ReLU",
    )


@pytest.mark.grades("neuron_importance")
def test_importance_without_a_relu_is_raw(submission, rng):
    x = images(rng, 30, 9)
    sentence = (
        "where the very next layer is not a ReLU, importance is the mean absolute value of the raw output"
    )
    classifier = Sequential([dense(rng, 9, 7), ReLU(), dense(rng, 7, 10)])
    assert_is_mean(importance(submission, classifier, 2, x), outputs(classifier, 2, x), sentence)
    later = Sequential([dense(rng, 9, 7), dense(rng, 7, 6), ReLU(), dense(rng, 6, 10)])
    assert_is_mean(importance(submission, later, 0, x), outputs(later, 0, x), sentence)
    before = Sequential([dense(rng, 9, 7), ReLU(), dense(rng, 7, 6), dense(rng, 6, 10)])
    assert_is_mean(importance(submission, before, 2, x), outputs(before, 2, x), sentence)
    flat = Sequential(
        [Reshape((1, 3, 3)), convolution(rng, 1, 4, (2, 2)), Flatten(), ReLU(), dense(rng, 16, 10)]
    )
    assert_is_mean(
        importance(submission, flat, 1, x), outputs(flat, 1, x), f"{sentence}, after a Flatten too"
    )


@pytest.mark.grades("neuron_importance")
def test_importance_of_a_channel_is_one_mean(submission, rng):
    model = Sequential(
        [
            Reshape((1, 5, 6)),
            convolution(rng, 1, 4, padding=1),
            ReLU(),
            convolution(rng, 4, 3, (2, 3)),
            Flatten(),
            dense(rng, 48, 10),
        ]
    )
    x = images(rng, 12, 30)
    sentence = "a channel has one importance: its mean absolute output over all images and all positions"
    assert_is_mean(importance(submission, model, 1, x), outputs(model, 2, x), sentence)
    assert_is_mean(
        importance(submission, model, 3, x), outputs(model, 3, x), f"{sentence} (raw: a Flatten comes next)"
    )


@pytest.mark.grades("neuron_importance")
def test_importance_with_a_pool_before_the_relu(submission, rng):
    """Free: after the pool's ReLU, or of the raw output, or of what a ReLU would leave of it."""
    for pool in (MaxPool2D(2), AvgPool2D(2)):
        model = Sequential(
            [Reshape((1, 8, 6)), convolution(rng, 1, 5), pool, ReLU(), Flatten(), dense(rng, 30, 10)]
        )
        x = images(rng, 12, 48)
        value = importance(submission, model, 1, x)
        raw = outputs(model, 1, x)
        rows = [np.abs(by_unit(out)) for out in (raw, np.maximum(raw, 0), outputs(model, 3, x))]
        expected = [row.mean(axis=1) for row in rows]
        tolerance = (rows[0].shape[1] + 64) * STEP * expected[0].max()
        assert any((np.abs(value - answer) <= tolerance).all() for answer in expected), (
            "with a pool between the layer and its ReLU, a channel's importance is the mean absolute value "
            "of its output, raw or after that ReLU"
        )


@pytest.mark.grades("neuron_importance")
def test_importance_is_taken_before_a_pool_that_follows(submission, rng):
    for pool in (MaxPool2D(2), AvgPool2D(2)):
        x = images(rng, 12, 63)
        front, rest = [Reshape((1, 9, 7)), convolution(rng, 1, 5)], [pool, Flatten(), dense(rng, 30, 10)]
        active, raw = Sequential([*front, ReLU(), *rest]), Sequential([*front, *rest])
        assert_is_mean(
            importance(submission, active, 1, x),
            outputs(active, 2, x),
            "the mean is over all positions of the ReLU's output, not only over those that a pool keeps",
        )
        assert_is_mean(
            importance(submission, raw, 1, x),
            outputs(raw, 1, x),
            "without a ReLU the mean is over all positions of the raw output, not only over those that a "
            "pool keeps",
        )


@pytest.mark.grades("neuron_importance")
def test_importance_does_not_depend_on_batches(submission, rng):
    """5,003 images whose last three are a thousand times as bright: a mean of batch means overrates them."""
    layer = dense(rng, 8, 6)
    layer.bias = np.zeros(6, np.float32)
    model = Sequential([layer, ReLU(), dense(rng, 6, 10)])
    x = images(rng, 5003, 8) / np.float32(1000)
    x[-3:] = images(rng, 3, 8)
    assert_is_mean(
        importance(submission, model, 0, x),
        outputs(model, 1, x),
        "every image counts the same: the mean is over all images, whatever the size of the last batch",
    )
    channels = Sequential(
        [Reshape((1, 3, 3)), convolution(rng, 1, 4, (2, 2)), ReLU(), Flatten(), dense(rng, 16, 10)]
    )
    channels.layers[1].bias = np.zeros(4, np.float32)
    x = images(rng, 1003, 9) / np.float32(1000)
    x[-3:] = images(rng, 3, 9)
    assert_is_mean(
        importance(submission, channels, 1, x),
        outputs(channels, 2, x),
        "every image counts the same for channels too, whatever the size of the last batch",
    )


@pytest.mark.grades("neuron_importance")
def test_importance_of_images_given_twice(submission, rng):
    model = Sequential([dense(rng, 8, 6), ReLU(), dense(rng, 6, 10)])
    x = images(rng, 25, 8)
    once, twice = importance(submission, model, 0, x), importance(submission, model, 0, np.tile(x, (2, 1)))
    assert (np.abs(once - twice) <= 114 * STEP * np.abs(once).max()).all(), (
        "importance is a mean over the images, not a sum: the same images twice change nothing"
    )
    other = importance(submission, model, 0, images(rng, 25, 8))
    assert np.abs(once - other).max() > 1e-4 * np.abs(once).max(), (
        "importance must come from the outputs on the given images, not from the weights alone"
    )


@pytest.mark.grades("neuron_importance")
def test_importance_of_a_later_layer(submission, rng):
    model = Sequential(
        [
            Reshape((1, 6, 6)),
            convolution(rng, 1, 3),
            ReLU(),
            MaxPool2D(2),
            Flatten(),
            dense(rng, 12, 9),
            ReLU(),
            dense(rng, 9, 9),
            ReLU(),
            dense(rng, 9, 10),
        ]
    )
    x = images(rng, 20, 36)
    for layer_index in (5, 7):
        assert_is_mean(
            importance(submission, model, layer_index, x),
            outputs(model, layer_index + 1, x),
            "layer_index counts all layers of the model, and the images pass through those before it",
        )


@pytest.mark.grades("neuron_importance")
def test_importance_moves_with_its_unit(submission, rng):
    layer, order = dense(rng, 9, 8), rng.permutation(8)
    shuffled = Dense.from_arrays(layer.weight[:, order].copy(), layer.bias[order].copy())
    x, rest = images(rng, 20, 9), [ReLU(), dense(rng, 8, 10)]
    first = importance(submission, Sequential([layer, *rest]), 0, x)
    second = importance(submission, Sequential([shuffled, *rest]), 0, x)
    assert (np.abs(second - first[order]) <= 84 * STEP * np.abs(first).max()).all(), (
        "the numbers must be in the order of the units: permuting the units permutes them (do not sort)"
    )


@pytest.mark.grades("neuron_importance")
def test_importance_of_a_dead_unit_is_zero(submission, rng):
    layer = dense(rng, 9, 6)
    layer.weight, layer.bias = np.abs(layer.weight), np.abs(layer.bias)
    layer.weight[:, [1, 4]] *= -1
    layer.bias[[1, 4]] *= -1
    value = importance(submission, Sequential([layer, ReLU(), dense(rng, 6, 10)]), 0, images(rng, 20, 9))
    assert (value[[1, 4]] == 0).all(), "a unit that the ReLU silences on every image has importance exactly 0"
    assert (np.delete(value, [1, 4]) > 0).all(), "a unit that fires has importance above 0"


@pytest.mark.grades("neuron_importance")
def test_importance_from_one_image_or_unit(submission, rng):
    sentence = "the numbers must also be right for one image, and for a layer of one unit"
    model = Sequential([dense(rng, 9, 7), ReLU(), dense(rng, 7, 10)])
    x = images(rng, 1, 9)
    assert_is_mean(importance(submission, model, 0, x), outputs(model, 1, x), sentence)
    narrow, x = Sequential([dense(rng, 9, 1), dense(rng, 1, 10)]), images(rng, 20, 9)
    assert_is_mean(importance(submission, narrow, 0, x), outputs(narrow, 0, x), sentence)


@pytest.mark.grades("neuron_importance")
def test_importance_needs_a_layer_with_weights(submission, rng):
    model = Sequential([Reshape((1, 6, 6)), convolution(rng, 1, 3), ReLU(), Flatten(), dense(rng, 48, 10)])
    x, names = images(rng, 5, 36), ["layer_index", "layer index", "layer"]
    good = (model, 1, x)
    for layer_index, layer in ((0, "Reshape"), (2, "ReLU"), (3, "Flatten")):
        got = (str(layer_index), layer)
        expect.rejects(
            submission, "neuron_importance", model, layer_index, x, names=names, got=got, good=good
        )
    for layer_index in (5, 12):
        got = (str(layer_index),)
        expect.rejects(
            submission, "neuron_importance", model, layer_index, x, names=names, got=got, good=good
        )


@pytest.mark.grades("neuron_importance")
def test_importance_leaves_its_arguments(submission, rng):
    model = Sequential([dense(rng, 9, 7), ReLU(), dense(rng, 7, 10)])
    x = images(rng, 20, 9)
    value = expect.unaliased(submission.inspect("neuron_importance", model, 0, x), "neuron_importance")
    value = expect.an_array(
        value, "neuron_importance", (7,), "f", shape_of="a 1-D array with one number per unit"
    )
    assert_is_mean(value, outputs(model, 1, x), "neuron_importance must return the units' importance")

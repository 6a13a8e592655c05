"""Part 5, public: which neurons matter, and removing those that do not, on networks drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from assignment.nn import Conv2D, Dense, Flatten, ReLU, Reshape, Sequential
from tests_public import expect

ROUNDING = 1e-6
"""A handful of float32 operations on numbers of size 10 or less."""


def array(*rows):
    return np.array(rows, np.float32)


def dense(weight, bias):
    return Dense.from_arrays(array(*weight), array(*bias))


def numbers(count, start=1):
    """start, start + 1, ...: where each one went can be read off."""
    return np.arange(start, start + count, dtype=np.float32)


def assert_importance(submission, model, layer_index, images, expected, idea):
    value = submission.neuron_importance(model, layer_index, images)
    value = expect.an_array(
        value, "neuron_importance", (len(expected),), "f", shape_of="a 1-D array with one number per unit"
    )
    assert np.abs(value - expected).max() < ROUNDING, (
        f"the importance of these units is {expected}, got {np.round(value, 4).tolist()}: {idea}"
    )


@pytest.mark.grades("neuron_importance")
def test_importance_after_the_relu(submission):
    """Image [1, 0] gives outputs [1, -2], image [0, 1] gives [3, 6]. After the ReLU they are [1, 0] and
    [3, 6]: means 2 and 3. (Before it, the second unit's magnitudes would average 4.)"""
    model = Sequential([dense([[1, -2], [3, 6]], [0, 0]), ReLU(), dense([[1], [1]], [0])])
    idea = "run the images through the layer and the ReLU behind it, then average over the images"
    assert_importance(submission, model, 0, array([1, 0], [0, 1]), [2.0, 3.0], idea)


@pytest.mark.grades("neuron_importance")
def test_importance_without_a_relu(submission):
    """The same outputs, [1, -2] and [3, 6], of a layer with no ReLU behind it: magnitudes 2 and 4."""
    model = Sequential([dense([[1, -2], [3, 6]], [0, 0]), dense([[1], [1]], [0])])
    idea = "without a ReLU -2 counts as much as 2: average the absolute values of the raw outputs"
    assert_importance(submission, model, 0, array([1, 0], [0, 1]), [2.0, 4.0], idea)


@pytest.mark.grades("neuron_importance")
def test_importance_of_a_channel(submission):
    """Two 1 x 1 kernels on one image of four pixels 0, 0.25, 0.5, 0.75: the first channel is twice the
    image, mean 0.75; the second 0.5 minus it, after the ReLU [0.5, 0.25, 0, 0], mean 0.1875."""
    kernels = array(2, -1).reshape(2, 1, 1, 1)
    convolution = Conv2D.from_arrays(kernels, array(0, 0.5))
    model = Sequential([Reshape((1, 2, 2)), convolution, ReLU(), Flatten(), Dense(8, 10)])
    idea = "a channel is one unit: average over the images and over all its positions"
    assert_importance(submission, model, 1, array([0, 0.25, 0.5, 0.75]), [0.75, 0.1875], idea)


@pytest.mark.grades("neuron_importance")
def test_importance_of_uneven_batches(submission):
    """1,001 images, the last one 1, all others 0: the mean is 1 / 1001, however the images are batched."""
    model = Sequential([dense([[1]], [0]), ReLU(), dense([[1]], [0])])
    images = np.zeros((1001, 1), np.float32)
    images[-1] = 1
    value = submission.neuron_importance(model, 0, images)
    value = expect.an_array(
        value, "neuron_importance", (1,), "f", shape_of="a 1-D array with one number per unit"
    )
    assert abs(value[0] - 1 / 1001) < ROUNDING, (
        f"the mean of one 1 and a thousand 0 is {1 / 1001:.6f}, got {value[0]:.6f}: a mean of batch means "
        "gives the images of a small last batch more weight; add up first, divide at the end"
    )


def a_pruned_model(value, model):
    value = expect.a_model(value, "what prune_neurons returns")
    assert [type(layer) for layer in value.layers] == [type(layer) for layer in model.layers], (
        "prune_neurons takes units out of layers, never whole layers: their kinds and order stay"
    )
    return value


def assert_equal(got, wanted, name, idea):
    wanted = np.asarray(wanted)
    assert got.shape == wanted.shape, f"{name} must have shape {wanted.shape}, got {got.shape}: {idea}"
    assert np.array_equal(got, wanted), f"{name} must be {wanted.tolist()}, got {got.tolist()}: {idea}"


@pytest.mark.grades("prune_neurons")
def test_removed_units_take_their_connections_along(submission):
    """Importances [5, 1, 7, 3], half to be kept: units 0 and 2 stay, in this order (not 2 and 0).

    Out of the first layer go columns 1 and 3 and biases 1 and 3; out of the next one rows 1 and 3, which
    read units that are no longer there.
    """
    first = dense([[1, 2, 3, 4], [5, 6, 7, 8]], [10, 20, 30, 40])
    model = Sequential([first, ReLU(), dense([[1, 2], [3, 4], [5, 6], [7, 8]], [100, 200])])
    pruned = a_pruned_model(submission.prune_neurons(model, 0, np.array([5.0, 1, 7, 3]), 0.5), model)
    idea = "the most important units stay, in their original order, in arrays that are really smaller"
    assert_equal(pruned.layers[0].weight, array([1, 3], [5, 7]), "the layer's weight", idea)
    assert_equal(pruned.layers[0].bias, array(10, 30), "the layer's bias", "a unit's bias goes with it")
    idea = "the next layer loses the inputs that read the removed units, and keeps all its outputs"
    assert_equal(pruned.layers[2].weight, array([1, 2], [5, 6]), "the next layer's weight", idea)
    assert_equal(pruned.layers[2].bias, array(100, 200), "the next layer's bias", idea)


@pytest.mark.grades("prune_neurons")
def test_number_of_units_left(submission):
    """max(1, round(keep_ratio * units)): of 5 units half is 2.5, and Python rounds it to 2, 3.5 to 4."""
    for units, keep_ratio, count in ((5, 0.5, 2), (7, 0.5, 4), (4, 0.7, 3), (4, 0.0, 1), (4, 1.0, 4)):
        model = Sequential([Dense(3, units), ReLU(), Dense(units, 10)])
        pruned = a_pruned_model(submission.prune_neurons(model, 0, numbers(units), keep_ratio), model)
        left = pruned.layers[0].weight.shape[1]
        assert left == count, (
            f"of {units} units at keep_ratio {keep_ratio}, max(1, round({keep_ratio * units:g})) = {count} "
            f"must be left, got {left}"
        )


@pytest.mark.grades("prune_neurons")
def test_channels_are_cut_from_two_convolutions(submission):
    """A Conv2D's weight is (out, in, kh, kw): a channel is an entry of axis 0 here, of axis 1 in the next."""
    first = Conv2D.from_arrays(numbers(3).reshape(3, 1, 1, 1), numbers(3, 10))
    second = Conv2D.from_arrays(numbers(6).reshape(2, 3, 1, 1), numbers(2, 20))
    model = Sequential([Reshape((1, 2, 2)), first, ReLU(), second, Flatten(), Dense(8, 10)])
    pruned = a_pruned_model(submission.prune_neurons(model, 1, np.array([0.3, 0.1, 0.2]), 0.67), model)
    idea = "output channels are axis 0 of this layer, input channels axis 1 of the next"
    assert_equal(pruned.layers[1].weight.ravel(), array(1, 3), "the layer's weight", idea)
    assert_equal(pruned.layers[1].bias, array(10, 12), "the layer's bias", idea)
    assert_equal(
        pruned.layers[3].weight.reshape(2, -1), array([1, 3], [4, 6]), "the next layer's weight", idea
    )
    assert_equal(
        pruned.layers[5].weight, model.layers[5].weight, "the layer after that", "it does not change"
    )


@pytest.mark.grades("prune_neurons")
def test_a_channel_has_a_block_of_inputs_behind_a_flatten(submission):
    """Flatten lays out channel 0's four positions, then channel 1's, then channel 2's: the Dense layer has
    12 inputs, and those of channel 1, rows 4 to 7, go with it."""
    convolution = Conv2D.from_arrays(numbers(3).reshape(3, 1, 1, 1), numbers(3, 10))
    classifier = Dense.from_arrays(numbers(12).reshape(12, 1), array(0))
    model = Sequential([Reshape((1, 2, 2)), convolution, ReLU(), Flatten(), classifier])
    pruned = a_pruned_model(submission.prune_neurons(model, 1, np.array([3.0, 1, 2]), 0.67), model)
    idea = "keep rows 0 to 3 and 8 to 11: a channel's positions stand side by side"
    wanted = array(1, 2, 3, 4, 9, 10, 11, 12)
    assert_equal(pruned.layers[4].weight.ravel(), wanted, "the Dense layer's weight", idea)


@pytest.mark.grades("prune_neurons")
def test_removing_silent_units_keeps_the_logits(submission):
    """Units 1 and 2 never fire (no weights, bias -1): without them the network answers as before."""
    first = dense([[2, 0, 0, 1], [1, 0, 0, 3]], [0, -1, -1, 1])
    model = Sequential([first, ReLU(), dense([[1, -1], [9, 9], [9, 9], [2, 3]], [0, 1])])
    pruned = a_pruned_model(submission.prune_neurons(model, 0, np.array([3.0, 0, 0, 4]), 0.5), model)
    assert pruned.layers[0].weight.shape == (2, 2), "two of the four units must be left"
    assert pruned.layers[2].weight.shape == (2, 2), "the next layer must have two inputs left"
    images = array([1, 0], [0, 1], [0.5, 0.5])
    before, after = (m.copy().forward(images) for m in (model, pruned))
    assert np.abs(after - before).max() < ROUNDING, (
        f"removing units whose output is always 0 must not change the logits: they were {before.tolist()}, "
        f"got {after.tolist()}"
    )


@pytest.mark.grades("prune_neurons")
def test_bad_arguments_are_refused(submission):
    """The classifier's units are the classes, a ReLU has none, and a ratio is a number from 0 to 1."""
    model, importance = Sequential([Dense(4, 5), ReLU(), Dense(5, 10)]), numbers(10)
    names = ["layer_index", "layer index", "layer"]
    good = model, 0, numbers(5), 0.5
    for layer_index, layer in ((2, "classifier"), (1, "ReLU"), (7, "7")):
        arguments = submission, "prune_neurons", model, layer_index, importance, 0.5
        expect.rejects(*arguments, names=names, got=(str(layer_index), layer, "Dense"), good=good)
    for keep_ratio in (1.5, float("nan")):
        arguments = submission, "prune_neurons", model, 0, numbers(5), keep_ratio
        expect.rejects(*arguments, names=["keep_ratio", "keep ratio", "ratio"], got=keep_ratio)


@pytest.mark.grades("prune_neurons")
def test_prune_neurons_works_on_a_copy(submission):
    model = Sequential([Dense(4, 5), ReLU(), Dense(5, 10)])
    call = submission.inspect("prune_neurons", model, 0, numbers(5), 0.6)
    pruned = a_pruned_model(expect.unaliased(call, "prune_neurons"), model)
    assert pruned.layers[0].weight.shape == (4, 3), "three of the five units must be left"

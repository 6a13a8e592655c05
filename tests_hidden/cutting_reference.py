"""Models to cut, how they look when cut, and the checks that the hidden tests of `prune_neurons` share."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from assignment.nn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Reshape, Sequential
from tests_public import expect

STEP = 2.0**-23  # float32: the relative distance between neighbouring numbers


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def dense(rng, inputs, units):
    return Dense.from_arrays(normal(rng, inputs, units), normal(rng, units))


def convolution(rng, inputs, channels, kernel=(3, 3), stride=1, padding=0):
    weight = normal(rng, channels, inputs, *kernel)
    return Conv2D.from_arrays(weight, normal(rng, channels), stride, padding)


def perceptron(rng, *sizes):
    """Dense layers with ReLUs between them."""
    layers = []
    for inputs, units in pairwise(sizes):
        layers += [dense(rng, inputs, units), ReLU()]
    return Sequential(layers[:-1])


def convolutional(rng):
    """Two convolutions, at settings other than the defaults, and two dense layers; images of 9 x 7."""
    return Sequential(
        [
            Reshape((1, 9, 7)),
            convolution(rng, 1, 6, (3, 2), padding=1),  # 9 x 8
            ReLU(),
            MaxPool2D(2),  # 4 x 4
            convolution(rng, 6, 8, (2, 2), stride=2, padding=1),  # 3 x 3
            ReLU(),
            Flatten(),
            dense(rng, 72, 6),
            ReLU(),
            dense(rng, 6, 10),
        ]
    )


def distinct(rng, units):
    """An importance for each unit, no two alike."""
    return (rng.permutation(units) + 1) / np.float64(units)


def follower(model, layer_index):
    """The index of the next layer that has weights."""
    return next(i for i in range(layer_index + 1, len(model.layers)) if model.layers[i].parameters())


def cut(model, layer_index, keep):
    """The model with only the units `keep` of one layer."""
    model, keep = model.copy(), np.asarray(keep)
    layer, reader = model.layers[layer_index], model.layers[follower(model, layer_index)]
    units = len(layer.bias)
    layer.bias = layer.bias[keep]
    layer.weight = layer.weight[:, keep] if isinstance(layer, Dense) else layer.weight[keep]
    if isinstance(reader, Conv2D):
        reader.weight = reader.weight[:, keep]
    else:
        blocks = reader.weight.reshape(units, -1, reader.weight.shape[1])
        reader.weight = blocks[keep].reshape(-1, reader.weight.shape[1])
    return model


def call(submission, model, layer_index, importance, keep_ratio):
    """`prune_neurons` called and checked."""
    return checked(submission.call("prune_neurons", model, layer_index, importance, keep_ratio), model)


def checked(value, model):
    """A model of the same layers as `model`, whatever their sizes."""
    name = "what prune_neurons returns"
    value = expect.a_model(value, name)
    assert [type(layer) for layer in value.layers] == [type(layer) for layer in model.layers], (
        f"{name} must have the same kinds of layers in the same order"
    )
    assert [layer.config() for layer in value.layers] == [layer.config() for layer in model.layers], (
        f"{name} must keep the settings of every layer: stride, padding, pool size, shape"
    )
    return value


def same(a, b):
    """Two layers with the very same arrays: cutting computes nothing, so nothing is rounded."""
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return all(x.shape == y.shape and np.array_equal(x, y) for x, y in pairs)


def assert_keeps(submission, model, layer_index, importance, keep_ratio, keep):
    """Just the units `keep` are left, in this order, and the next layer reads just those."""
    pruned = call(submission, model, layer_index, importance, keep_ratio)
    assert_is_cut(pruned, model, layer_index, importance, keep)
    return pruned


def assert_is_cut(pruned, model, layer_index, importance, keep):
    expected, reader = cut(model, layer_index, keep), follower(model, layer_index)
    layer = pruned.layers[layer_index]
    assert len(layer.bias) == len(keep), (
        "max(1, round(keep_ratio * units)) units must be left, and the others really removed: the arrays "
        f"get smaller{counted_otherwise(len(layer.bias), len(model.layers[layer_index].bias))}"
    )
    assert same(layer, expected.layers[layer_index]), (
        "the most important units must be left, in their original order, each with its own weights and bias"
        + chosen_otherwise(layer, model, layer_index, importance, len(keep))
    )
    got, wanted = pruned.layers[reader], expected.layers[reader]
    assert got.weight.shape == wanted.weight.shape, (
        "the next layer with weights must lose the inputs that read the removed units, and only those"
    )
    assert np.array_equal(got.bias, wanted.bias), "the next layer keeps its own biases"
    assert np.array_equal(got.weight, wanted.weight), (
        "the next layer must keep exactly the inputs that read the units that are left (after a Flatten a "
        "channel's positions lie side by side)"
    )
    others = [i for i in range(len(model.layers)) if i not in (layer_index, reader)]
    assert all(same(pruned.layers[i], model.layers[i]) for i in others), (
        "only the layer itself and the next one with weights change: all other arrays stay as they are"
    )


def counted_otherwise(count, units):
    return " (yours has as many units as before)" if count == units else ""


def chosen_otherwise(layer, model, layer_index, importance, count):
    """The misconception that chose these units, where it is a known one."""
    ranked = np.argsort(importance)
    for keep, phrase in (
        (np.sort(ranked[:count]), "yours are the least important ones"),
        (ranked[::-1][:count], "yours are ordered by importance"),
        (ranked[-count:], "yours are ordered by importance"),
        (np.arange(count), "yours are the first ones"),
    ):
        if same(layer, cut(model, layer_index, keep).layers[layer_index]):
            return f" ({phrase})"
    return ""


def most_important(importance, count):
    return np.sort(np.argsort(importance)[len(importance) - count :])


def logits(model, x):
    """The model's answers: the shapes of a checked model chain, so that nothing can fail here."""
    return model.copy().forward(x).astype(np.float64)


def rounding(model, x):
    """How far float32 logits may be off when sums are taken in another order.

    The logits of the model with every weight, bias and pixel made positive bound what is summed; a sum of n
    terms is off by n steps of that at most, and by a few square roots of n in practice.
    """
    bound = model.copy()
    for layer in expect.weighted(bound):
        layer.weight, layer.bias = np.abs(layer.weight), np.abs(layer.bias)
    return 32 * STEP * float(bound.forward(np.abs(x)).max())

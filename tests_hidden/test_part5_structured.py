"""Part 5, hidden: `prune_neurons` decided by which units are left, by what the next layer loses, and by
what may not change.
"""

from __future__ import annotations

import numpy as np
import pytest

from assignment.nn import AvgPool2D, Dense, Flatten, MaxPool2D, ReLU, Reshape, Sequential
from tests_hidden.cutting_reference import (
    assert_is_cut,
    assert_keeps,
    call,
    checked,
    convolution,
    convolutional,
    counted_otherwise,
    cut,
    dense,
    distinct,
    logits,
    most_important,
    perceptron,
    rounding,
)
from tests_public import expect

NAMES = ["layer_index", "layer index", "layer"]


@pytest.mark.grades("prune_neurons")
def test_count_follows_pythons_round(submission, rng):
    # Halves go to the even neighbour: 2.5 and 1.5 to 2, 3.5 and 4.5 to 4.
    cases = [
        (5, 0.5, 2),
        (7, 0.5, 4),
        (9, 0.5, 4),
        (6, 0.25, 2),
        (10, 0.25, 2),
        (8, 0.8, 6),
        (8, 0.7, 6),
        (9, 0.1, 1),
    ]
    for units, keep_ratio, count in cases:
        importance = distinct(rng, units)
        model = perceptron(rng, 4, units, 10)
        pruned = call(submission, model, 0, importance, keep_ratio)
        left = len(pruned.layers[0].bias)
        assert left == count, (
            "max(1, round(keep_ratio * units)) units must be left, with Python's round: halves go to the "
            f"even neighbour{counted_otherwise(left, units)}"
        )
        assert_is_cut(pruned, model, 0, importance, most_important(importance, count))


@pytest.mark.grades("prune_neurons")
def test_one_unit_is_always_left(submission, rng):
    for keep_ratio in (0, 0.0, 0.03):
        importance = distinct(rng, 7)
        model = perceptron(rng, 5, 7, 10)
        assert_keeps(submission, model, 0, importance, keep_ratio, most_important(importance, 1))


@pytest.mark.grades("prune_neurons")
def test_a_ratio_of_one_keeps_every_unit(submission, rng):
    for keep_ratio in (1, 1.0):
        model = perceptron(rng, 5, 7, 10)
        assert_keeps(submission, model, 0, distinct(rng, 7), keep_ratio, np.arange(7))
    layered = convolutional(rng)
    assert_keeps(submission, layered, 4, distinct(rng, 8), 1.0, np.arange(8))


@pytest.mark.grades("prune_neurons")
def test_most_important_units_stay_in_order(submission, rng):
    for dtype in (np.float64, np.float32):
        importance = distinct(rng, 12).astype(dtype)
        model = perceptron(rng, 6, 12, 10)
        assert_keeps(submission, model, 0, importance, 0.5, most_important(importance, 6))


@pytest.mark.grades("prune_neurons")
def test_ranking_takes_importance_as_it_is_given(submission, rng):
    order = rng.permutation(12)
    for importance in (
        order - 6.0,  # below 0 is less than 0
        1 + order * 2.0**-20,  # float32 tells them apart, half precision does not
        1e6 * (order + 1),
        1e-9 * (order + 1),
    ):
        model = perceptron(rng, 6, 12, 10)
        assert_keeps(submission, model, 0, importance, 0.5, most_important(importance, 6))


@pytest.mark.grades("prune_neurons")
def test_importance_alone_decides_whether_a_unit_stays(submission, rng):
    """Units without weights still pass on their bias, and nobody but importance says that they may go."""
    model, importance = perceptron(rng, 6, 9, 10), distinct(rng, 9)
    keep = most_important(importance, 6)
    layer, reader = model.layers[0], model.layers[2]
    layer.weight[:, keep[:2]] = 0
    layer.bias[keep[2]] = 0
    reader.weight[keep[3]] = 0
    assert_keeps(submission, model, 0, importance, 6 / 9, keep)


@pytest.mark.grades("prune_neurons")
def test_count_is_exact_where_importance_ties(submission, rng):
    units, count = 8, 4
    for ties in ([1.0] * 8, [0.0] * 8, [5, 1, 1, 1, 1, 1, 0, 0]):
        importance = rng.permutation(np.array(ties, np.float64))
        model = perceptron(rng, 6, units, 10)
        pruned = call(submission, model, 0, importance, count / units)
        layer = pruned.layers[0]
        assert layer.weight.shape == (6, count), (
            "the count must be exact where importances tie: a threshold keeps too many or too few"
        )
        # Random columns are all different, so that a column tells which unit it was.
        columns = {column.tobytes(): i for i, column in enumerate(model.layers[0].weight.T.copy())}
        keep = [columns.get(column.tobytes(), -1) for column in layer.weight.T.copy()]
        assert min(keep) >= 0, "the units left must be units of the model"
        assert keep == sorted(set(keep)), "each unit that is left must be there once, in the original order"
        assert min(importance[keep]) >= max(np.delete(importance, keep)), (
            "no unit that is left may be less important than one that was removed"
        )
        assert_is_cut(pruned, model, 0, importance, keep)


@pytest.mark.grades("prune_neurons")
def test_cascade_dense_to_dense(submission, rng):
    model = perceptron(rng, 6, 8, 9, 5, 10)
    for layer_index, units in ((0, 8), (2, 9), (4, 5)):
        importance = distinct(rng, units)
        keep = most_important(importance, max(1, round(0.4 * units)))
        assert_keeps(submission, model, layer_index, importance, 0.4, keep)
    direct = Sequential([dense(rng, 6, 8), dense(rng, 8, 10)])
    importance = distinct(rng, 8)
    assert_keeps(submission, direct, 0, importance, 0.25, most_important(importance, 2))


@pytest.mark.grades("prune_neurons")
def test_cascade_conv_to_conv(submission, rng):
    model, importance = convolutional(rng), distinct(rng, 6)
    pruned = assert_keeps(submission, model, 1, importance, 0.5, most_important(importance, 3))
    answers = expect.an_array(logits(pruned, rng.random((3, 63), np.float32)), "the pruned model's logits")
    assert answers.shape == (3, 10), "the pruned model must still run from images to ten logits"
    plain = Sequential(
        [
            Reshape((2, 5, 4)),
            convolution(rng, 2, 8, (2, 2)),
            convolution(rng, 8, 8),
            Flatten(),
            dense(rng, 16, 10),
        ]
    )
    importance = distinct(rng, 8)
    assert_keeps(submission, plain, 1, importance, 0.75, most_important(importance, 6))


@pytest.mark.grades("prune_neurons")
def test_cascade_conv_through_flatten_to_dense(submission, rng):
    model, importance = convolutional(rng), distinct(rng, 8)
    assert_keeps(submission, model, 4, importance, 0.5, most_important(importance, 4))
    for between in ([ReLU(), AvgPool2D(2)], [MaxPool2D(2), ReLU()], [AvgPool2D(2)]):
        pooled = Sequential(
            [
                Reshape((1, 6, 9)),
                convolution(rng, 1, 5),
                *between,
                Flatten(),
                dense(rng, 5 * 2 * 3, 10),
            ]
        )
        importance = distinct(rng, 5)
        assert_keeps(submission, pooled, 1, importance, 0.4, most_important(importance, 2))


@pytest.mark.grades("prune_neurons")
def test_cascade_ends_at_the_next_layer_with_weights(submission, rng):
    """A decoder in the middle: dense and convolutional layers follow each other twice, at equal sizes."""
    model = Sequential(
        [
            Reshape((1, 3, 3)),
            convolution(rng, 1, 8, (2, 2)),
            ReLU(),
            Flatten(),
            dense(rng, 32, 32),
            Reshape((8, 2, 2)),
            convolution(rng, 8, 8, (2, 2)),
            Flatten(),
            dense(rng, 8, 8),
            ReLU(),
            dense(rng, 8, 10),
        ]
    )
    for layer_index in (1, 6, 8):
        importance = distinct(rng, 8)
        assert_keeps(submission, model, layer_index, importance, 0.5, most_important(importance, 4))


@pytest.mark.grades("prune_neurons")
def test_removing_dead_units_keeps_the_logits(submission, rng):
    for model, layer_index, pixels in ((perceptron(rng, 12, 10, 10, 10), 2, 12), (convolutional(rng), 4, 63)):
        layer = model.layers[layer_index]
        units = len(layer.bias)
        dead = np.sort(rng.choice(units, units // 2, replace=False))
        layer.weight[(slice(None), dead) if isinstance(layer, Dense) else dead] = 0
        layer.bias[dead] = -np.abs(layer.bias[dead])
        importance = distinct(rng, units)
        importance[dead] = 0
        pruned = call(submission, model, layer_index, importance, 1 - len(dead) / units)
        left = np.delete(np.arange(units), dead)
        assert_is_cut(pruned, model, layer_index, importance, left)
        x = rng.random((8, pixels), np.float32)
        assert np.abs(logits(pruned, x) - logits(model, x)).max() <= rounding(model, x), (
            "units whose output is always 0 tell the next layer nothing: removing them must not change the "
            "logits"
        )


@pytest.mark.grades("prune_neurons")
def test_permuting_units_and_pruning_commute(submission, rng):
    model, importance = convolutional(rng), distinct(rng, 8)
    x, order = rng.random((8, 63), np.float32), rng.permutation(8)
    shuffled = cut(model, 4, order)  # all units, in another order, and the next layer to match
    one = call(submission, model, 4, importance, 0.5)
    other = call(submission, shuffled, 4, importance[order], 0.5)
    for pruned, whole, scores in ((one, model, importance), (other, shuffled, importance[order])):
        assert_is_cut(pruned, whole, 4, scores, most_important(scores, 4))
    assert np.abs(logits(one, x) - logits(other, x)).max() <= rounding(model, x), (
        "which units are left must not depend on where they stand"
    )


@pytest.mark.grades("prune_neurons")
def test_ratio_outside_0_and_1_is_refused(submission, rng):
    model, importance = perceptron(rng, 6, 8, 10), distinct(rng, 8)
    for keep_ratio in (-0.25, 1.5, float("nan")):
        arguments = submission, "prune_neurons", model, 0, importance, keep_ratio
        expect.rejects(*arguments, names=["keep_ratio", "keep ratio", "ratio"], got=keep_ratio)


@pytest.mark.grades("prune_neurons")
def test_classifier_is_refused(submission, rng):
    pooled = Sequential(
        [Reshape((1, 5, 5)), convolution(rng, 1, 10, (2, 2)), ReLU(), AvgPool2D(4), Flatten()]
    )
    good = perceptron(rng, 6, 8, 10), 0, distinct(rng, 8), 0.5
    for model, layer_index in ((perceptron(rng, 6, 8, 10), 2), (convolutional(rng), 9), (pooled, 1)):
        arguments = submission, "prune_neurons", model, layer_index, distinct(rng, 10), 0.5
        expect.rejects(
            *arguments,
            names=NAMES,
            got=(str(layer_index), "Dense", "Conv2D", "classifier", "last"),
            good=good,
        )


@pytest.mark.grades("prune_neurons")
def test_layers_without_weights_are_refused(submission, rng):
    model = convolutional(rng)
    good = model, 1, distinct(rng, 6), 0.5
    for layer_index, layer in (
        (0, "Reshape"),
        (2, "ReLU"),
        (3, "MaxPool2D"),
        (6, "Flatten"),
        (10, "10"),
        (25, "25"),
    ):
        arguments = submission, "prune_neurons", model, layer_index, distinct(rng, 6), 0.5
        expect.rejects(*arguments, names=NAMES, got=(str(layer_index), layer), good=good)


@pytest.mark.grades("prune_neurons")
def test_prune_neurons_leaves_its_arguments(submission, rng):
    for keep_ratio in (0.5, 1.0):
        for model, layer_index, units in ((perceptron(rng, 6, 8, 10), 0, 8), (convolutional(rng), 1, 6)):
            importance = distinct(rng, units)
            done = submission.inspect("prune_neurons", model, layer_index, importance, keep_ratio)
            pruned = checked(expect.unaliased(done, "prune_neurons"), model)
            keep = most_important(importance, round(keep_ratio * units))
            assert_is_cut(pruned, model, layer_index, importance, keep)

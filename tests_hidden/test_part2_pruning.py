"""Part 2, hidden: `magnitude_mask` and `global_magnitude_masks`. Exact counts, and the right weights."""

from __future__ import annotations

import numpy as np
import pytest

from tests_hidden.inputs import (
    all_weights,
    conv_model,
    dense_model,
    distinct,
    weighted,
    with_distinct_weights,
    with_weights,
)
from tests_public import expect

SHAPES = [(17,), (1, 23), (6, 7), (3, 4, 5), (4, 2, 3, 3)]
TIES = "where magnitudes tie, any of them may go, but exactly round(sparsity * size) entries are False"
SMALLEST = "the weights of smallest magnitude are pruned (mask False), exactly as many as asked for"


def smallest_pruned(weights, count):
    """The mask, unique since no magnitudes tie, with `count` entries False."""
    ranks = np.argsort(np.argsort(np.abs(weights), axis=None))
    return (ranks >= count).reshape(weights.shape)


# magnitude_mask


def mask_of(submission, weights, sparsity):
    value = submission.call("magnitude_mask", weights, sparsity)
    return expect.an_array(value, "the mask", weights.shape, "b", shape_of="weights")


def check_mask(mask, weights, sparsity, idea):
    """The count is exact, and no kept weight is smaller than a pruned one."""
    assert np.count_nonzero(~mask) == round(sparsity * weights.size), idea
    kept, pruned = np.abs(weights[mask]), np.abs(weights[~mask])
    if kept.size and pruned.size:
        assert kept.min() >= pruned.max(), "a kept weight is smaller in magnitude than a pruned one"


@pytest.mark.grades("magnitude_mask")
def test_mask_prunes_the_smallest_magnitudes_of_any_shape(submission, rng):
    for shape in SHAPES:
        weights = distinct(rng, shape)
        count = int(rng.integers(1, weights.size))
        sparsity = count / weights.size
        mask = mask_of(submission, weights, sparsity)
        assert np.array_equal(mask, smallest_pruned(weights, count)), SMALLEST


@pytest.mark.grades("magnitude_mask")
def test_mask_keeps_exact_count_when_magnitudes_tie(submission, rng):
    for shape in SHAPES:
        constant = np.full(shape, rng.normal(), np.float32)
        few_values = rng.choice(np.float32([-2, -1, 0, 1, 2]), shape)
        half_zero = (distinct(rng, shape) * (rng.random(shape) < 0.5)).astype(np.float32)
        for weights in (constant, -np.abs(constant), few_values, half_zero, np.zeros(shape, np.float32)):
            sparsity = float(rng.choice([0.1, 0.25, 0.5, 0.6, 0.9]))
            check_mask(mask_of(submission, weights, sparsity), weights, sparsity, TIES)


@pytest.mark.grades("magnitude_mask")
def test_mask_rounds_the_count_as_python_does(submission, rng):
    for size, sparsity in (
        (1, 0.5),
        (3, 0.5),
        (5, 0.5),
        (7, 0.5),
        (9, 0.5),
        (10, 0.25),
        (10, 0.75),
        (20, 0.29),
    ):
        weights = distinct(rng, (size,))
        mask = mask_of(submission, weights, sparsity)
        assert np.array_equal(mask, smallest_pruned(weights, round(sparsity * size))), (
            "exactly Python's round(sparsity * size) are pruned, halves rounded to the even number"
        )


@pytest.mark.grades("magnitude_mask")
def test_mask_at_sparsity_zero_and_one(submission, rng):
    for shape in SHAPES:
        weights = rng.choice(np.float32([-1, 0, 0, 2]), shape)
        for none, everything in ((0.0, 1.0), (0, 1)):
            assert mask_of(submission, weights, none).all(), (
                "at sparsity 0 everything is kept, even weights that are already zero"
            )
            assert not mask_of(submission, weights, everything).any(), "at sparsity 1 everything is pruned"


@pytest.mark.grades("magnitude_mask")
def test_mask_of_an_empty_array_is_empty(submission, rng):
    for shape in ((0,), (3, 0), (0, 4), (2, 0, 3)):
        mask_of(submission, np.zeros(shape, np.float32), float(rng.choice([0.0, 0.5, 1.0])))


@pytest.mark.grades("magnitude_mask")
def test_mask_ignores_sign_and_scale_and_follows_the_order(submission, rng):
    weights = distinct(rng, (6, 9))
    count = int(rng.integers(10, 44))
    sparsity, expected = count / weights.size, smallest_pruned(weights, count)
    order = rng.permutation(weights.size)
    reordered = weights.ravel()[order].reshape(9, 6)
    for changed, mask, how in (
        (-np.abs(weights), expected, "a weight's sign must not matter: only magnitudes are ranked"),
        (np.abs(weights), expected, "a weight's sign must not matter: only magnitudes are ranked"),
        (weights * np.float32(2.0**100), expected, "scaling all weights must leave the mask as it is"),
        (weights * np.float32(2.0**-100), expected, "scaling all weights must leave the mask as it is"),
        (
            reordered,
            expected.ravel()[order].reshape(9, 6),
            "with the weights in another order, the same weights must be pruned",
        ),
    ):
        assert np.array_equal(mask_of(submission, changed, sparsity), mask), how


@pytest.mark.grades("magnitude_mask")
def test_mask_leaves_weights_alone_and_remembers_nothing(submission, rng):
    first, second = distinct(rng, (5, 8)), distinct(rng, (5, 8))
    for weights, count in ((first, 10), (second, 10), (first, 30), (first, 10)):
        call = submission.inspect("magnitude_mask", weights, count / 40)
        mask = expect.unaliased(call, "magnitude_mask")
        expect.an_array(mask, "the mask", (5, 8), "b", shape_of="weights")
        assert np.array_equal(mask, smallest_pruned(weights, count)), (
            "each call must use only the arguments it is given, and remember nothing from earlier calls; "
            f"{SMALLEST}"
        )


def bad_shares(rng):
    above = round(float(rng.uniform(1.05, 3.0)), 2)
    return (above, -above, -0.01, 1.01, float("nan"), float("inf"))


@pytest.mark.grades("magnitude_mask")
def test_mask_refuses_a_sparsity_outside_0_to_1(submission, rng):
    for weights in (distinct(rng, (4, 5)), np.zeros((0, 3), np.float32)):
        for bad in bad_shares(rng):
            expect.rejects(
                submission, "magnitude_mask", weights, bad, names="sparsity", got=bad, needs=expect.A_RANGE
            )


@pytest.mark.grades("magnitude_mask")
def test_mask_refuses_nan_among_weights(submission, rng):
    for shape in SHAPES:
        weights = distinct(rng, shape)
        weights.flat[rng.integers(weights.size)] = np.nan
        for sparsity in (0.0, 0.5, 1.0):
            expect.rejects_nan(submission, "magnitude_mask", weights, sparsity, names="weight")


# global_magnitude_masks


def masks_of(submission, model, sparsity):
    """The masks, one for each layer with weights, of the shapes of the weights."""
    value = submission.call("global_magnitude_masks", model, sparsity)
    return checked_masks(value, model)


def checked_masks(value, model):
    layers = weighted(model)
    masks = expect.a_list(value, "what global_magnitude_masks returns", len(layers), of="masks")
    for index, (mask, layer) in enumerate(zip(masks, layers, strict=True)):
        expect.an_array(mask, f"mask {index}", layer.weight.shape, "b", shape_of="that layer's weight")
    return masks


def joined(masks):
    return np.concatenate([mask.ravel() for mask in masks])


@pytest.mark.grades("global_magnitude_masks")
def test_global_masks_rank_all_weights_together(submission, rng):
    for plain in (dense_model(rng, 9, 7, 8, 10), conv_model(rng)):
        model = with_distinct_weights(plain, rng)
        row = all_weights(model)
        count = int(rng.integers(row.size // 4, 3 * row.size // 4))
        sparsity = count / row.size
        mask = joined(masks_of(submission, model, sparsity))
        assert np.array_equal(mask, smallest_pruned(row, count)), (
            "rank the weights of all layers together: the smallest of the whole model are pruned, even if "
            "some layers lose many more than others"
        )


@pytest.mark.grades("global_magnitude_masks")
def test_global_masks_may_take_a_whole_layer(submission, rng):
    model = dense_model(rng, 8, 6, 7, 10)
    layers = weighted(model)
    small = int(rng.integers(len(layers)))
    for index, layer in enumerate(layers):
        layer.weight = distinct(rng, layer.weight.shape) + np.float32(0)
        layer.weight *= np.float32(2.0**-12 if index == small else 1.0)
    count = layers[small].weight.size
    masks = masks_of(submission, model, count / all_weights(model).size)
    assert not masks[small].any(), (
        "where all weights of a layer are smaller than those of the other layers, the whole layer is pruned "
        "first"
    )
    assert all(mask.all() for index, mask in enumerate(masks) if index != small), SMALLEST


@pytest.mark.grades("global_magnitude_masks")
def test_global_count_is_exact_when_magnitudes_tie(submission, rng):
    for plain in (dense_model(rng, 9, 7, 10), conv_model(rng)):
        size = all_weights(plain).size
        few = rng.choice(np.float32([-0.5, 0, 0.25, 0.5]), size)
        for row in (np.full(size, 0.3), few, np.zeros(size)):
            model = with_weights(plain, row)
            sparsity = float(rng.choice([0.1, 0.3, 0.5, 0.8]))
            mask = joined(masks_of(submission, model, sparsity))
            check_mask(mask, all_weights(model), sparsity, f"over the model as a whole: {TIES}")


@pytest.mark.grades("global_magnitude_masks")
def test_global_count_is_rounded_once_over_the_model(submission, rng):
    # Each layer has an odd number of weights, so halves arise in every layer, and 3 * 3 + 3 * 5 + 5 * 7 = 59.
    model = with_distinct_weights(dense_model(rng, 3, 3, 5, 7), rng)
    for sparsity in (0.5, 0.1, float(rng.uniform(0.2, 0.8))):
        count = round(sparsity * 59)
        pruned = np.count_nonzero(~joined(masks_of(submission, model, sparsity)))
        assert pruned == count, "the count is Python's round(sparsity * number of all weights), rounded once"


@pytest.mark.grades("global_magnitude_masks")
def test_global_masks_do_not_look_at_biases(submission, rng):
    model = with_distinct_weights(dense_model(rng, 6, 8, 10), rng)
    row = all_weights(model)
    count = int(rng.integers(row.size // 4, 3 * row.size // 4))
    for value in (0.0, 1e-6, 100.0):
        for layer in weighted(model):
            layer.bias = np.full(layer.bias.shape, value, np.float32)
        mask = joined(masks_of(submission, model, count / row.size))
        assert np.array_equal(mask, smallest_pruned(row, count)), (
            "biases are neither ranked nor counted: their values must not change a mask"
        )


@pytest.mark.grades("global_magnitude_masks")
def test_global_masks_at_sparsity_zero_and_one(submission, rng):
    for plain in (dense_model(rng, 6, 5, 10), conv_model(rng)):
        row = all_weights(plain)
        model = with_weights(plain, row * (rng.random(row.size) < 0.7))
        assert joined(masks_of(submission, model, 0.0)).all(), "at sparsity 0 everything is kept"
        assert not joined(masks_of(submission, model, 1.0)).any(), "at sparsity 1 everything is pruned"


@pytest.mark.grades("global_magnitude_masks")
def test_global_masks_leave_the_model_alone_and_remember_nothing(submission, rng):
    first = with_distinct_weights(conv_model(rng), rng)
    second = with_weights(first, all_weights(first)[::-1])
    size = all_weights(first).size
    for model, count in ((first, size // 3), (second, size // 3), (first, size // 2), (first, size // 3)):
        call = submission.inspect("global_magnitude_masks", model, count / size)
        masks = checked_masks(expect.unaliased(call, "global_magnitude_masks"), model)
        assert np.array_equal(joined(masks), smallest_pruned(all_weights(model), count)), (
            "each call must use only the model it is given, and remember nothing from earlier calls; "
            f"{SMALLEST}"
        )


@pytest.mark.grades("global_magnitude_masks")
def test_global_masks_refuse_a_sparsity_outside_0_to_1(submission, rng):
    model = dense_model(rng, 4, 5, 10)
    for bad in bad_shares(rng):
        expect.rejects(
            submission, "global_magnitude_masks", model, bad, names="sparsity", got=bad, needs=expect.A_RANGE
        )


@pytest.mark.grades("global_magnitude_masks")
def test_global_masks_refuse_nan_in_any_layer(submission, rng):
    for plain in (dense_model(rng, 4, 5, 10), conv_model(rng)):
        for index in range(len(weighted(plain))):
            model = plain.copy()
            model_weight = weighted(model)[index].weight
            model_weight.flat[rng.integers(model_weight.size)] = np.nan
            for sparsity in (0.0, 0.5, 1.0):
                expect.rejects_nan(
                    submission, "global_magnitude_masks", model, sparsity, names=("weight", "model")
                )

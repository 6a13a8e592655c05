"""Part 2, public: magnitude pruning, on a handful of weights."""

from __future__ import annotations

import numpy as np
import pytest

from assignment.nn import Dataset, Dense, ReLU, Sequential, cross_entropy
from tests_public import expect


def row(*values):
    return np.array(values, np.float32)


def dense(weight, bias):
    return Dense.from_arrays(np.array(weight, np.float32), np.array(bias, np.float32))


# magnitude_mask


def mask_of(submission, weights, sparsity):
    mask = submission.magnitude_mask(weights, sparsity)
    return expect.an_array(mask, "the mask", weights.shape, "b", shape_of="weights")


@pytest.mark.grades("magnitude_mask")
def test_mask_prunes_what_is_smallest_in_magnitude(submission):
    """Magnitudes 0.3, 0.1, 0.2, 0.9: half of four is two, and the two smallest are 0.1 and 0.2."""
    mask = mask_of(submission, row(0.3, -0.1, 0.2, -0.9), 0.5)
    assert mask.tolist() == [True, False, False, True], (
        f"of [0.3, -0.1, 0.2, -0.9] half is pruned: -0.1 and 0.2, the smallest in magnitude, so the mask is "
        f"[True, False, False, True], got {mask.tolist()}: -0.9 is large, True means kept"
    )


@pytest.mark.grades("magnitude_mask")
def test_mask_count_is_exact_when_weights_tie(submission):
    """Of six equal weights a third is two, whichever two. A threshold prunes all of them or none."""
    mask = mask_of(submission, np.full((2, 3), 0.5, np.float32), 1 / 3)
    pruned = int((~mask).sum())
    assert pruned == 2, (
        f"a third of six equal weights is 2, got {pruned} pruned: put the weights in order and take the "
        "first two; a threshold cannot tell equal weights apart"
    )


@pytest.mark.grades("magnitude_mask")
def test_mask_count_is_rounded_as_python_rounds(submission):
    """Half of five is 2.5: round(2.5) is 2. Half of seven is 3.5: round(3.5) is 4."""
    for size, count in ((5, 2), (7, 4), (0, 0)):
        mask = mask_of(submission, np.arange(1, size + 1, dtype=np.float32), 0.5)
        pruned = int((~mask).sum())
        assert pruned == count, (
            f"round(0.5 * {size}) is {count}, got {pruned} pruned: use round, not int or ceil"
        )


@pytest.mark.grades("magnitude_mask")
def test_mask_at_both_ends_and_beyond(submission):
    """Sparsity 0 keeps all, zeros too; 1 keeps nothing; 1.5 is no share, and NaN is no weight."""
    weights = row(0.0, 1.0, -2.0)
    assert mask_of(submission, weights, 0.0).all(), "sparsity 0 prunes nothing, not even a weight that is 0"
    assert not mask_of(submission, weights, 1.0).any(), "sparsity 1 prunes everything"
    expect.rejects(
        submission, "magnitude_mask", weights, 1.5, names="sparsity", got=1.5, needs=expect.A_RANGE
    )
    weights[1] = np.nan
    expect.rejects_nan(submission, "magnitude_mask", weights, 0.5, names="weight")


# global_magnitude_masks


def two_layers():
    """Small weights first, large ones after; biases smaller than all of them."""
    return Sequential([dense([[0.1, -0.2], [0.3, -0.4]], [0.01, 0.02]), ReLU(), dense([[5], [-6]], [0.03])])


def masks_of(submission, model, sparsity):
    layers = expect.weighted(model)
    masks = submission.global_magnitude_masks(model, sparsity)
    masks = expect.a_list(masks, "what global_magnitude_masks returns", len(layers), of="masks")
    for index, (mask, layer) in enumerate(zip(masks, layers, strict=True)):
        expect.an_array(mask, f"mask {index}", layer.weight.shape, "b", shape_of="that layer's weight")
    return masks


@pytest.mark.grades("global_magnitude_masks")
def test_global_masks_come_from_one_ranking(submission):
    """Half of six weights is three: 0.1, -0.2 and 0.3, all of them in the first layer."""
    first, second = masks_of(submission, two_layers(), 0.5)
    assert first.tolist() == [[False, False], [False, True]], (
        "the three smallest of all six weights lie in the first layer, whose mask is [[False, False], "
        f"[False, True]], got {first.tolist()}: rank the weights of both layers together, without the "
        "biases"
    )
    assert second.all(), (
        "the second layer's weights are the largest of the model: at sparsity 0.5 they all stay"
    )


@pytest.mark.grades("global_magnitude_masks")
def test_global_count_is_rounded_once(submission):
    """Three layers of three weights: half of nine is 4.5, round(4.5) is 4. By layer it would be 2 + 2 + 2."""
    model = Sequential([Dense(1, 3), Dense(3, 1), Dense(1, 3)])
    pruned = sum(int((~mask).sum()) for mask in masks_of(submission, model, 0.5))
    assert pruned == 4, f"round(0.5 * 9) is 4, got {pruned} pruned: round the count of the whole model, once"


@pytest.mark.grades("global_magnitude_masks")
def test_global_count_is_exact_when_weights_tie(submission):
    """Ten weights of 0.5 in two layers; 30 % of ten is three, whichever three."""
    model = Sequential([dense(np.full((2, 3), 0.5), [0, 0, 0]), dense(np.full((4, 1), 0.5), [0])])
    pruned = sum(int((~mask).sum()) for mask in masks_of(submission, model, 0.3))
    assert pruned == 3, (
        f"30 % of ten equal weights is 3, got {pruned} pruned: put the weights in order and take the first "
        "three; a threshold cannot tell equal weights apart"
    )


# prune


@pytest.mark.grades("prune")
def test_prune_by_layer_and_over_the_whole_model(submission):
    """By layer, half of each goes: 0.1 and -0.2, and 5. Globally half of six: 0.1, -0.2 and 0.3."""
    model = two_layers()
    for scope, first, second in (
        ("layer", [[0, 0], [0.3, -0.4]], [[0], [-6]]),
        ("global", [[0, 0], [0, -0.4]], [[5], [-6]]),
    ):
        pruned = expect.a_model(submission.prune(model, 0.5, scope), "the pruned model", like=model)
        weights = [layer.weight for layer in expect.weighted(pruned)]
        assert np.array_equal(weights[0], np.array(first, np.float32)), (
            f"with scope {scope!r} half the weights go; the first layer becomes {first}, got "
            f"{weights[0].round(4).tolist()}"
        )
        assert np.array_equal(weights[1], np.array(second, np.float32)), (
            f"with scope {scope!r} half the weights go; the second layer becomes {second}, got "
            f"{weights[1].round(4).tolist()}"
        )


@pytest.mark.grades("prune")
def test_prune_returns_a_new_model_with_its_biases(submission):
    """The biases of `two_layers` are smaller than all its weights, and stay; the model itself stays whole."""
    model = two_layers()
    pruned = expect.unaliased(submission.inspect("prune", model, 0.5), "prune")
    pruned = expect.a_model(pruned, "the pruned model", like=model)
    for before, after in zip(expect.weighted(model), expect.weighted(pruned), strict=True):
        assert np.array_equal(before.bias, after.bias), (
            f"biases are not pruned: {before.bias.round(4).tolist()} became {after.bias.round(4).tolist()}"
        )
    expect.rejects(
        submission, "prune", model, 0.5, "neuron", names="scope", got="neuron", needs=("global", "layer")
    )


# finetune


def task():
    """Four images of one bright pixel, each of another class; a model whose weights are all 0.1, half masked.

    Each image reads one row of the first weight. The masked model answers nearly the same to all four.
    """
    model = Sequential(
        [dense(np.full((4, 6), 0.1), np.full(6, 0.1)), ReLU(), dense(np.full((6, 10), 0.1), np.zeros(10))]
    )
    masks = [np.indices((4, 6)).sum(axis=0) % 2 == 0, np.indices((6, 10)).sum(axis=0) % 2 == 0]
    return model, masks, Dataset(np.eye(4, dtype=np.float32), np.array([0, 1, 2, 3]))


@pytest.mark.grades("finetune")
def test_finetune_learns_with_pruned_weights_at_zero(submission):
    """In 500 steps at 0.06 the loss falls, from 2.3 (ten classes alike) to 0.9 of that and less."""
    model, masks, dataset = task()
    trained = submission.finetune(model, masks, dataset, epochs=500, learning_rate=0.06)
    trained = expect.a_model(trained, "the finetuned model", like=model)
    for layer, mask in zip(expect.weighted(trained), masks, strict=True):
        assert not layer.weight[~mask].any(), (
            "weights whose mask is False must be exactly zero at the end: every step moves them, so set "
            "them to zero again after every step"
        )
    start = model.copy()
    for layer, mask in zip(expect.weighted(start), masks, strict=True):
        layer.weight = layer.weight * mask
    before, after = (
        cross_entropy(m.copy().forward(dataset.images), dataset.labels)[0] for m in (start, trained)
    )
    assert after <= 0.9 * before, (
        f"the loss was {before:.3f} and is {after:.3f} after 500 epochs: it should be at least 10 % lower "
        "(the four images are one batch, smaller than batch_size: train on it too)"
    )


@pytest.mark.grades("finetune")
def test_finetune_ignores_what_pruned_weights_were(submission):
    """Masked weights of 0.1 or of 9: after masking both models are the same, so both train alike."""
    model, masks, dataset = task()
    other = model.copy()
    for layer, mask in zip(expect.weighted(other), masks, strict=True):
        layer.weight[~mask] = 9
    results = [
        expect.a_model(
            submission.finetune(start, masks, dataset, epochs=3, learning_rate=0.05, batch_size=2),
            "the finetuned model",
            like=model,
        )
        for start in (model, other)
    ]
    pairs = zip(results[0].parameters(), results[1].parameters(), strict=True)
    # The same operations on the same numbers: nothing but the order of a sum may differ.
    assert all(np.abs(a - b).max() < 1e-5 for a, b in pairs), (
        "the values of pruned weights changed the result: set them to zero before the first step, not only "
        "after it"
    )


@pytest.mark.grades("finetune")
def test_finetune_starts_from_the_model_and_leaves_it_alone(submission):
    """At a rate of 1e-6 two steps move nothing by more than 1e-3, neither kept weights nor biases."""
    model, masks, dataset = task()
    call = submission.inspect("finetune", model, masks, dataset, epochs=1, learning_rate=1e-6, batch_size=2)
    trained = expect.a_model(expect.unaliased(call, "finetune"), "the finetuned model", like=model)
    for before, after, mask in zip(expect.weighted(model), expect.weighted(trained), masks, strict=True):
        moved = max(
            float(np.abs(after.weight - before.weight * mask).max()),
            float(np.abs(after.bias - before.bias).max()),
        )
        assert moved < 1e-3, (
            f"at learning_rate 1e-6 a kept weight or a bias moved by {moved:.4f}: training starts from the "
            "model's own weights, and learning_rate is the size of the steps"
        )

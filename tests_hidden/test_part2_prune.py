"""Part 2, hidden: `prune`. Judged by the model that comes back, not by the submission's own masks."""

from __future__ import annotations

import numpy as np
import pytest

from tests_hidden.inputs import (
    all_weights,
    conv_model,
    dense_model,
    weighted,
    with_distinct_weights,
    with_weights,
)
from tests_public import expect

SCOPES = ("global", "layer")


def pruned_model(submission, model, *args):
    return expect.a_model(submission.call("prune", model, *args), "the pruned model", like=model)


def zeroed(values, count, key=np.abs):
    """`values` with the `count` smallest in magnitude at zero."""
    kept = values.ravel().copy()
    kept[np.argsort(key(kept), kind="stable")[:count]] = 0
    return kept


def globally(model, sparsity, key=np.abs):
    row = all_weights(model)
    return zeroed(row, round(sparsity * row.size), key)


def layerwise(model, sparsity, key=np.abs):
    return np.concatenate(
        [zeroed(layer.weight, round(sparsity * layer.weight.size), key) for layer in weighted(model)]
    )


def models(rng):
    """Models whose weights all differ in magnitude, so that there is one right answer."""
    return [with_distinct_weights(plain, rng) for plain in (dense_model(rng, 7, 9, 5, 10), conv_model(rng))]


def share(rng):
    return float(rng.uniform(0.2, 0.8))


@pytest.mark.grades("prune")
def test_prune_zeroes_the_smallest_weights_of_the_whole_model(submission, rng):
    for model in models(rng):
        sparsity = share(rng)
        got = all_weights(pruned_model(submission, model, sparsity, "global"))
        assert np.array_equal(got, globally(model, sparsity)), (
            "scope global ranks the weights of all layers together, and sets the smallest to zero"
        )


@pytest.mark.grades("prune")
def test_prune_by_layer_takes_the_same_share_of_each(submission, rng):
    for model in models(rng):
        sparsity = share(rng)
        got = all_weights(pruned_model(submission, model, sparsity, "layer"))
        assert np.array_equal(got, layerwise(model, sparsity)), (
            "scope layer sets the smallest weights of each layer to zero, the same share of each"
        )


@pytest.mark.grades("prune")
def test_prune_without_a_scope_is_global(submission, rng):
    for model in models(rng):
        sparsity = share(rng)
        got = all_weights(pruned_model(submission, model, sparsity))
        assert np.array_equal(got, globally(model, sparsity)), "the scope is global by default"


@pytest.mark.grades("prune")
def test_prune_keeps_other_weights_and_all_biases_bit_for_bit(submission, rng):
    for scope in SCOPES:
        for model in models(rng):
            weighted(model)[-1].bias[::2] = 0
            weighted(model)[0].bias *= np.float32(1e-6)
            for sparsity in (share(rng), 1.0):
                pruned = pruned_model(submission, model, sparsity, scope)
                for before, after in zip(weighted(model), weighted(pruned), strict=True):
                    assert np.array_equal(before.bias, after.bias), (
                        "biases are not pruned: each must come back as it was, however small"
                    )
                    kept = after.weight != 0
                    assert np.array_equal(before.weight[kept], after.weight[kept]), (
                        "a weight that is kept must come back as it was, not scaled or rounded"
                    )


@pytest.mark.grades("prune")
def test_prune_count_is_exact_when_magnitudes_tie(submission, rng):
    for plain in (dense_model(rng, 5, 9, 10), conv_model(rng)):
        size = all_weights(plain).size
        for row in (np.full(size, -0.7), rng.choice(np.float32([-0.5, 0.25, 0.5]), size)):
            model = with_weights(plain, row)
            for sparsity in (
                share(rng),
                0.1,
                0.5,
            ):  # of 45 weights, 4.5 and 22.5: halves go to the even number
                got = all_weights(pruned_model(submission, model, sparsity, "global"))
                assert np.count_nonzero(got == 0) == round(sparsity * size), (
                    "where magnitudes tie, any may go, but exactly round(sparsity * size) are zero afterwards"
                )
                for layer in weighted(pruned_model(submission, model, sparsity, "layer")):
                    zeros = np.count_nonzero(layer.weight == 0)
                    assert zeros == round(sparsity * layer.weight.size), (
                        "with scope layer, exactly round(sparsity * size) weights of each layer are zero"
                    )


@pytest.mark.grades("prune")
def test_prune_of_a_sparse_model_counts_the_zeros_it_has(submission, rng):
    for scope in SCOPES:
        for model in models(rng):
            once = pruned_model(submission, model, 0.6, scope)
            twice = pruned_model(submission, once, 0.6, scope)
            less = pruned_model(submission, once, 0.3, scope)
            for again in (twice, less):
                assert np.array_equal(all_weights(again), all_weights(once)), (
                    "sparsity is the share that is zero afterwards: weights that are zero already are the "
                    "smallest, and pruning to the same share again changes nothing"
                )
    for model in models(rng):
        row = all_weights(model)
        sparse = with_weights(model, zeroed(row, row.size // 4))
        got = all_weights(pruned_model(submission, sparse, 0.5, "global"))
        assert np.array_equal(got, globally(model, 0.5)), (
            "weights that are zero already count among the pruned ones: they are the smallest"
        )


@pytest.mark.grades("prune")
def test_prune_at_sparsity_zero_and_one(submission, rng):
    for scope in SCOPES:
        for model in models(rng):
            same = pruned_model(submission, model, 0.0, scope)
            assert np.array_equal(all_weights(same), all_weights(model)), "sparsity 0 prunes nothing"
            assert not all_weights(pruned_model(submission, model, 1.0, scope)).any(), (
                "sparsity 1 prunes every weight"
            )


@pytest.mark.grades("prune")
def test_prune_returns_a_new_model(submission, rng):
    for scope in SCOPES:
        for sparsity in (0.0, 0.5):
            for model in models(rng):
                call = submission.inspect("prune", model, sparsity, scope)
                expect.a_model(expect.unaliased(call, "prune"), "the pruned model", like=model)


@pytest.mark.grades("prune")
def test_prune_remembers_nothing(submission, rng):
    first, second = (with_distinct_weights(dense_model(rng, 6, 8, 10), rng) for _ in range(2))
    for model, sparsity in ((first, 0.5), (second, 0.5), (first, 0.75), (first, 0.5)):
        got = all_weights(pruned_model(submission, model, sparsity))
        assert np.array_equal(got, globally(model, sparsity)), (
            "each call must prune the model it is given, by the share it is given, and remember nothing "
            "from earlier calls"
        )


@pytest.mark.grades("prune")
def test_prune_refuses_a_sparsity_outside_0_to_1(submission, rng):
    model = dense_model(rng, 4, 5, 10)
    above = round(float(rng.uniform(1.05, 3.0)), 2)
    for scope in SCOPES:
        for bad in (above, -above, -0.01, float("nan")):
            expect.rejects(
                submission, "prune", model, bad, scope, names="sparsity", got=bad, needs=expect.A_RANGE
            )


@pytest.mark.grades("prune")
def test_prune_refuses_an_unknown_scope(submission, rng):
    model = dense_model(rng, 4, 5, 10)
    for bad in ("galaxy", "neuron", "glob", "layers"):
        for sparsity in (0.0, 0.5):
            expect.rejects(
                submission, "prune", model, sparsity, bad, names="scope", got=bad, needs=("global", "layer")
            )


@pytest.mark.grades("prune")
def test_prune_refuses_nan_in_any_layer(submission, rng):
    for scope in SCOPES:
        for plain in models(rng):
            for index in range(len(weighted(plain))):
                model = plain.copy()
                weight = weighted(model)[index].weight
                weight.flat[rng.integers(weight.size)] = np.nan
                names = ("weight", "model")
                for sparsity in (0.0, 0.5):
                    expect.rejects_nan(submission, "prune", model, sparsity, scope, names=names)

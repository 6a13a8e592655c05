"""Wrong masks of one array."""

import math

import numpy as np

from tests_hidden.mutants import right, wrong


def check(weights, sparsity):
    """The reference's own refusals, without its mask."""
    right.magnitude_mask(weights, sparsity)


def lowest(values, count):
    """False on the `count` lowest of `values`."""
    mask = np.ones(values.size, dtype=bool)
    mask[np.argsort(values, axis=None, kind="stable")[:count]] = False
    return mask.reshape(values.shape)


@wrong("a percentile threshold, ties pruned", killed_by="test_mask_keeps_exact_count_when_magnitudes_tie")
def percentile(weights, sparsity):
    check(weights, sparsity)
    if weights.size == 0:
        return np.ones(weights.shape, dtype=bool)
    return np.abs(weights) > np.percentile(np.abs(weights), 100 * sparsity)


@wrong("a percentile threshold, ties kept", killed_by="test_mask_keeps_exact_count_when_magnitudes_tie")
def percentile_or_equal(weights, sparsity):
    check(weights, sparsity)
    if weights.size == 0:
        return np.ones(weights.shape, dtype=bool)
    return np.abs(weights) >= np.percentile(np.abs(weights), 100 * sparsity)


@wrong("a threshold at the k-th magnitude", killed_by="test_mask_keeps_exact_count_when_magnitudes_tie")
def kth_value(weights, sparsity):
    check(weights, sparsity)
    count = round(sparsity * weights.size)
    if count == 0:
        return np.ones(weights.shape, dtype=bool)
    return np.abs(weights) > np.sort(np.abs(weights), axis=None)[count - 1]


@wrong("ranks by signed value", killed_by="test_mask_ignores_sign_and_scale_and_follows_the_order")
def signed(weights, sparsity):
    check(weights, sparsity)
    return lowest(weights, round(sparsity * weights.size))


@wrong("prunes the largest", killed_by="test_mask_prunes_the_smallest_magnitudes_of_any_shape")
def largest(weights, sparsity):
    check(weights, sparsity)
    return lowest(-np.abs(weights), round(sparsity * weights.size))


@wrong("True means pruned", killed_by="test_mask_prunes_the_smallest_magnitudes_of_any_shape")
def inverted(weights, sparsity):
    return ~right.magnitude_mask(weights, sparsity)


@wrong("rounds the count down with int()", killed_by="test_mask_rounds_the_count_as_python_does")
def truncated(weights, sparsity):
    check(weights, sparsity)
    return lowest(np.abs(weights), int(sparsity * weights.size))


@wrong("rounds halves up", killed_by="test_mask_rounds_the_count_as_python_does")
def halves_up(weights, sparsity):
    check(weights, sparsity)
    return lowest(np.abs(weights), int(sparsity * weights.size + 0.5))


@wrong("rounds the count up", killed_by="test_mask_rounds_the_count_as_python_does")
def ceiling(weights, sparsity):
    check(weights, sparsity)
    return lowest(np.abs(weights), math.ceil(sparsity * weights.size))


@wrong("rounds the number kept, not the number pruned", killed_by="test_mask_rounds_the_count_as_python_does")
def rounds_the_kept(weights, sparsity):
    check(weights, sparsity)
    return lowest(np.abs(weights), weights.size - round((1 - sparsity) * weights.size))


@wrong("ignores sparsity", killed_by="test_mask_prunes_the_smallest_magnitudes_of_any_shape")
def ignores_sparsity(weights, sparsity):
    check(weights, sparsity)
    return right.magnitude_mask(weights, 0.5)


@wrong("keeps the share it should prune", killed_by="test_mask_prunes_the_smallest_magnitudes_of_any_shape")
def share_kept(weights, sparsity):
    check(weights, sparsity)
    return right.magnitude_mask(weights, 1 - sparsity)


@wrong(
    "a threshold at a share of the largest magnitude",
    killed_by="test_mask_keeps_exact_count_when_magnitudes_tie",
)
def share_of_the_largest(weights, sparsity):
    check(weights, sparsity)
    return np.abs(weights) >= sparsity * np.abs(weights).max(initial=0)


@wrong("prunes all zeros, even beyond the count", killed_by="test_mask_at_sparsity_zero_and_one")
def zeros_go_too(weights, sparsity):
    return right.magnitude_mask(weights, sparsity) & (weights != 0)


@wrong("always keeps one weight", killed_by="test_mask_at_sparsity_zero_and_one")
def keeps_one(weights, sparsity):
    check(weights, sparsity)
    return lowest(np.abs(weights), min(round(sparsity * weights.size), max(weights.size - 1, 0)))


@wrong(
    "a slice [-count:], which is everything when count is 0", killed_by="test_mask_at_sparsity_zero_and_one"
)
def minus_zero_slice(weights, sparsity):
    check(weights, sparsity)
    mask = np.ones(weights.size, dtype=bool)
    mask[np.argsort(-np.abs(weights), axis=None)[-round(sparsity * weights.size) :]] = False
    return mask.reshape(weights.shape)


@wrong("ranks each row by itself", killed_by="test_mask_prunes_the_smallest_magnitudes_of_any_shape")
def row_by_row(weights, sparsity):
    check(weights, sparsity)
    rows = [right.magnitude_mask(row, sparsity) for row in np.atleast_2d(weights)]
    return np.array(rows, dtype=bool).reshape(weights.shape)


@wrong("returns a flat mask", killed_by="test_mask_prunes_the_smallest_magnitudes_of_any_shape")
def flat(weights, sparsity):
    return right.magnitude_mask(weights, sparsity).ravel()


@wrong("returns a mask of floats", killed_by="test_mask_of_an_empty_array_is_empty")
def floats(weights, sparsity):
    return right.magnitude_mask(weights, sparsity).astype(np.float32)


@wrong("returns the pruned weights, not the mask", killed_by="test_mask_of_an_empty_array_is_empty")
def pruned_weights(weights, sparsity):
    return weights * right.magnitude_mask(weights, sparsity)


@wrong("fails on an empty array", killed_by="test_mask_of_an_empty_array_is_empty")
def no_empty(weights, sparsity):
    mask = right.magnitude_mask(weights, sparsity)
    np.abs(weights).max()
    return mask


@wrong("sorts the weights in place", killed_by="test_mask_leaves_weights_alone_and_remembers_nothing")
def sorts_in_place(weights, sparsity):
    mask = right.magnitude_mask(weights, sparsity)
    weights.reshape(-1).sort()
    return mask


@wrong("prunes the weights themselves", killed_by="test_mask_leaves_weights_alone_and_remembers_nothing")
def prunes_in_place(weights, sparsity):
    mask = right.magnitude_mask(weights, sparsity)
    weights *= mask
    return mask


@wrong(
    "remembers masks by shape and sparsity", killed_by="test_mask_leaves_weights_alone_and_remembers_nothing"
)
def remembered(weights, sparsity, memory={}):  # noqa: B006
    mask = right.magnitude_mask(weights, sparsity)
    return memory.setdefault((weights.shape, sparsity), mask).copy()


@wrong("accepts any sparsity", killed_by="test_mask_refuses_a_sparsity_outside_0_to_1")
def any_sparsity(weights, sparsity):
    inside = min(max(sparsity, 0.0), 1.0) if sparsity == sparsity else 0.0
    return right.magnitude_mask(weights, inside)


@wrong("accepts NaN as sparsity", killed_by="test_mask_refuses_a_sparsity_outside_0_to_1")
def nan_sparsity(weights, sparsity):
    if sparsity < 0 or sparsity > 1:
        raise ValueError(f"sparsity must be in [0, 1], got {sparsity}")
    return right.magnitude_mask(weights, sparsity if sparsity == sparsity else 0.0)


@wrong("uses assert where ValueError must be raised", killed_by="test_mask_refuses_a_sparsity_outside_0_to_1")
def asserts(weights, sparsity):
    assert 0 <= sparsity <= 1, f"sparsity must be in [0, 1], got {sparsity}"
    return right.magnitude_mask(weights, sparsity)


@wrong("an error that does not say what it got", killed_by="test_mask_refuses_a_sparsity_outside_0_to_1")
def mute_error(weights, sparsity):
    if not 0 <= sparsity <= 1:
        raise ValueError("sparsity must be in [0, 1]")
    return right.magnitude_mask(weights, sparsity)


@wrong("an error that does not name the argument", killed_by="test_mask_refuses_a_sparsity_outside_0_to_1")
def nameless_error(weights, sparsity):
    if not 0 <= sparsity <= 1:
        raise ValueError(f"must be in [0, 1], got {sparsity}")
    return right.magnitude_mask(weights, sparsity)


@wrong("an error that does not say what it needs", killed_by="test_mask_refuses_a_sparsity_outside_0_to_1")
def needless_error(weights, sparsity):
    if not 0 <= sparsity <= 1:
        raise ValueError(f"bad sparsity: {sparsity}")
    return right.magnitude_mask(weights, sparsity)


@wrong("accepts NaN, and sorts it with the weights", killed_by="test_mask_refuses_nan_among_weights")
def nan_weights(weights, sparsity):
    return right.magnitude_mask(np.nan_to_num(weights), sparsity)


@wrong(
    "ranks by the square, which underflows",
    killed_by="test_mask_ignores_sign_and_scale_and_follows_the_order",
)
def squares(weights, sparsity):
    check(weights, sparsity)
    return lowest(weights * weights, round(sparsity * weights.size))


@wrong(
    "ranks by half-precision magnitudes",
    killed_by="test_mask_ignores_sign_and_scale_and_follows_the_order",
)
def half_precision(weights, sparsity):
    check(weights, sparsity)
    return lowest(np.abs(weights).astype(np.float16), round(sparsity * weights.size))


@wrong("looks for NaN only where something is pruned", killed_by="test_mask_refuses_nan_among_weights")
def nan_where_nothing_is_pruned(weights, sparsity):
    if sparsity == 0:
        return np.ones(weights.shape, bool)
    return right.magnitude_mask(weights, sparsity)


@wrong("accepts any sparsity for an empty array", killed_by="test_mask_refuses_a_sparsity_outside_0_to_1")
def empty_before_checks(weights, sparsity):
    return np.ones(weights.shape, bool) if weights.size == 0 else right.magnitude_mask(weights, sparsity)


@wrong(
    "ranks distances from the mean weight",
    killed_by="test_mask_ignores_sign_and_scale_and_follows_the_order",
)
def from_the_mean(weights, sparsity):
    check(weights, sparsity)
    mean = weights.sum() / max(weights.size, 1)
    return lowest(np.abs(weights - mean), round(sparsity * weights.size))


@wrong(
    "reads the weights column by column, and writes the mask row by row",
    killed_by="test_mask_prunes_the_smallest_magnitudes_of_any_shape",
)
def columns_for_rows(weights, sparsity):
    return right.magnitude_mask(weights.ravel(order="F"), sparsity).reshape(weights.shape)


@wrong(
    "prunes a share of the weights that are not zero yet",
    killed_by="test_mask_keeps_exact_count_when_magnitudes_tie",
)
def share_of_the_rest(weights, sparsity):
    zeros = weights.size - np.count_nonzero(weights)
    count = zeros + round(sparsity * (weights.size - zeros))
    check(weights, sparsity)
    return lowest(np.abs(weights), count)

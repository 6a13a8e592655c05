"""Wrong masks of a whole model."""

import numpy as np

from assignment.nn import Dense, Sequential
from tests_hidden.mutants import right, wrong


def check(model, sparsity):
    """The reference's own refusals, without its masks."""
    right.global_magnitude_masks(model, sparsity)


def cut(model, mask):
    """One long mask as the layers' masks."""
    weights = [layer.weight for layer in right.weighted_layers(model)]
    ends = np.cumsum([weight.size for weight in weights])[:-1]
    return [part.reshape(w.shape) for part, w in zip(np.split(mask, ends), weights, strict=True)]


def row(model):
    return np.concatenate([layer.weight.ravel() for layer in right.weighted_layers(model)])


@wrong("prunes each layer by the same share", killed_by="test_global_masks_rank_all_weights_together")
def layer_by_layer(model, sparsity):
    check(model, sparsity)
    return [right.magnitude_mask(layer.weight, sparsity) for layer in right.weighted_layers(model)]


@wrong(
    "ranks weights relative to their layer's largest", killed_by="test_global_masks_rank_all_weights_together"
)
def relative_to_largest(model, sparsity):
    check(model, sparsity)
    weights = [layer.weight.ravel() for layer in right.weighted_layers(model)]
    scaled = np.concatenate([np.abs(w) / max(np.abs(w).max(), 1e-30) for w in weights])
    return cut(model, right.magnitude_mask(scaled, sparsity))


@wrong(
    "ranks weights relative to their layer's spread", killed_by="test_global_masks_rank_all_weights_together"
)
def relative_to_spread(model, sparsity):
    check(model, sparsity)
    weights = [layer.weight.ravel() for layer in right.weighted_layers(model)]
    return cut(model, right.magnitude_mask(np.concatenate([w / (w.std() + 1e-9) for w in weights]), sparsity))


@wrong("one percentile threshold over the model", killed_by="test_global_count_is_exact_when_magnitudes_tie")
def percentile(model, sparsity):
    check(model, sparsity)
    threshold = np.percentile(np.abs(row(model)), 100 * sparsity)
    return [np.abs(layer.weight) > threshold for layer in right.weighted_layers(model)]


@wrong("one percentile threshold, ties kept", killed_by="test_global_count_is_exact_when_magnitudes_tie")
def percentile_or_equal(model, sparsity):
    check(model, sparsity)
    threshold = np.percentile(np.abs(row(model)), 100 * sparsity)
    return [np.abs(layer.weight) >= threshold for layer in right.weighted_layers(model)]


@wrong("ranks biases among the weights", killed_by="test_global_masks_do_not_look_at_biases")
def with_biases(model, sparsity):
    check(model, sparsity)
    everything = np.concatenate([array.ravel() for array in model.parameters()])
    mask, masks, start = right.magnitude_mask(everything, sparsity), [], 0
    for array in model.parameters():
        masks.append(mask[start : start + array.size].reshape(array.shape))
        start += array.size
    return masks[::2]


@wrong("counts biases, but ranks weights", killed_by="test_global_count_is_rounded_once_over_the_model")
def counts_biases(model, sparsity):
    check(model, sparsity)
    count = min(round(sparsity * right.count_parameters(model)), row(model).size)
    return cut(model, right.magnitude_mask(row(model), count / row(model).size))


@wrong("a mask for every layer, ReLU too", killed_by="test_global_masks_at_sparsity_zero_and_one")
def for_every_layer(model, sparsity):
    masks = iter(right.global_magnitude_masks(model, sparsity))
    return [next(masks) if layer.parameters() else None for layer in model.layers]


@wrong("leaves convolutions out", killed_by="test_global_masks_rank_all_weights_together")
def dense_only(model, sparsity):
    check(model, sparsity)
    dense = right.Sequential([layer for layer in model.layers if isinstance(layer, Dense)])
    masks = iter(right.global_magnitude_masks(dense, sparsity))
    ones = [np.ones(layer.weight.shape, bool) for layer in right.weighted_layers(model)]
    layers = right.weighted_layers(model)
    return [next(masks) if isinstance(layer, Dense) else one for layer, one in zip(layers, ones, strict=True)]


@wrong("never prunes the classifier", killed_by="test_global_masks_rank_all_weights_together")
def spares_the_last(model, sparsity):
    masks = right.global_magnitude_masks(model, sparsity)
    return [*masks[:-1], np.ones_like(masks[-1])]


@wrong("keeps at least one weight of each layer", killed_by="test_global_masks_may_take_a_whole_layer")
def never_a_whole_layer(model, sparsity):
    masks = right.global_magnitude_masks(model, sparsity)
    for mask, layer in zip(masks, right.weighted_layers(model), strict=True):
        if not mask.any() and sparsity < 1:
            mask.flat[np.abs(layer.weight).argmax()] = True
    return masks


@wrong("returns one long mask", killed_by="test_global_masks_at_sparsity_zero_and_one")
def one_row(model, sparsity):
    check(model, sparsity)
    return right.magnitude_mask(row(model), sparsity)


@wrong("returns the masks in reverse order", killed_by="test_global_masks_rank_all_weights_together")
def reversed_order(model, sparsity):
    return right.global_magnitude_masks(model, sparsity)[::-1]


@wrong("rounds the count layer by layer", killed_by="test_global_count_is_rounded_once_over_the_model")
def sum_of_rounded_counts(model, sparsity):
    check(model, sparsity)
    count = sum(round(sparsity * layer.weight.size) for layer in right.weighted_layers(model))
    return cut(model, right.magnitude_mask(row(model), count / row(model).size))


@wrong("rounds the count down with int()", killed_by="test_global_count_is_rounded_once_over_the_model")
def truncated(model, sparsity):
    check(model, sparsity)
    return cut(model, right.magnitude_mask(row(model), int(sparsity * row(model).size) / row(model).size))


@wrong("ranks by signed value", killed_by="test_global_masks_rank_all_weights_together")
def signed(model, sparsity):
    check(model, sparsity)
    ranks = np.argsort(np.argsort(row(model), kind="stable"))
    return cut(model, ranks >= round(sparsity * ranks.size))


@wrong("prunes the largest", killed_by="test_global_masks_rank_all_weights_together")
def largest(model, sparsity):
    return [~mask for mask in right.global_magnitude_masks(model, 1 - sparsity)]


@wrong("True means pruned", killed_by="test_global_masks_at_sparsity_zero_and_one")
def inverted(model, sparsity):
    return [~mask for mask in right.global_magnitude_masks(model, sparsity)]


@wrong(
    "prunes the model it is given", killed_by="test_global_masks_leave_the_model_alone_and_remember_nothing"
)
def prunes_in_place(model, sparsity):
    masks = right.global_magnitude_masks(model, sparsity)
    for layer, mask in zip(right.weighted_layers(model), masks, strict=True):
        layer.weight *= mask
    return masks


@wrong(
    "replaces the model's weights", killed_by="test_global_masks_leave_the_model_alone_and_remember_nothing"
)
def takes_magnitudes_in_the_model(model, sparsity):
    masks = right.global_magnitude_masks(model, sparsity)
    for layer in right.weighted_layers(model):
        layer.weight = np.abs(layer.weight)
    return masks


@wrong("remembers masks by shapes", killed_by="test_global_masks_leave_the_model_alone_and_remember_nothing")
def remembered(model, sparsity, memory={}):  # noqa: B006
    masks = right.global_magnitude_masks(model, sparsity)
    return [mask.copy() for mask in memory.setdefault((repr(model), sparsity), masks)]


@wrong("accepts any sparsity", killed_by="test_global_masks_refuse_a_sparsity_outside_0_to_1")
def any_sparsity(model, sparsity):
    return right.global_magnitude_masks(model, min(max(sparsity, 0.0), 1.0) if sparsity == sparsity else 0.0)


@wrong("looks for NaN in the first layer only", killed_by="test_global_masks_refuse_nan_in_any_layer")
def nan_in_the_first_layer(model, sparsity):
    if np.isnan(right.weighted_layers(model)[0].weight).any():
        raise ValueError("weights must be numbers, got NaN")
    clean = model.copy()
    for layer in right.weighted_layers(clean):
        layer.weight = np.nan_to_num(layer.weight)
    return right.global_magnitude_masks(clean, sparsity)


@wrong(
    "looks for NaN only where something is pruned",
    killed_by="test_global_masks_refuse_nan_in_any_layer",
)
def nan_where_nothing_is_pruned(model, sparsity):
    if sparsity == 0:
        return [np.ones(layer.weight.shape, bool) for layer in right.weighted_layers(model)]
    return right.global_magnitude_masks(model, sparsity)


@wrong("never prunes convolutions", killed_by="test_global_masks_at_sparsity_zero_and_one")
def spares_convolutions(model, sparsity):
    layers = right.weighted_layers(model)
    check(model, sparsity)
    dense = iter(
        right.global_magnitude_masks(Sequential([a for a in layers if isinstance(a, Dense)]), sparsity)
    )
    return [next(dense) if isinstance(a, Dense) else np.ones(a.weight.shape, bool) for a in layers]


@wrong("masks of integers", killed_by="test_global_masks_at_sparsity_zero_and_one")
def integers(model, sparsity):
    return [mask.astype(np.uint8) for mask in right.global_magnitude_masks(model, sparsity)]


@wrong("a mask for each bias as well", killed_by="test_global_masks_at_sparsity_zero_and_one")
def for_biases_too(model, sparsity):
    masks = right.global_magnitude_masks(model, sparsity)
    biases = [np.ones(layer.bias.shape, bool) for layer in right.weighted_layers(model)]
    return [mask for pair in zip(masks, biases, strict=True) for mask in pair]

"""Wrong prunings of a model."""

import numpy as np

from assignment.nn import Conv2D, Dense, Sequential
from tests_hidden.mutants import right, wrong


def check(model, sparsity, scope):
    """The reference's own refusals, without its pruning."""
    right.prune(model, sparsity, scope)


def held(model, masks):
    pruned = model.copy()
    for layer, mask in zip(right.weighted_layers(pruned), masks, strict=True):
        layer.weight[~mask] = 0
    return pruned


def layer_masks(model, sparsity):
    return [right.magnitude_mask(layer.weight, sparsity) for layer in right.weighted_layers(model)]


@wrong(
    "prunes by layer whatever the scope",
    killed_by="test_prune_zeroes_the_smallest_weights_of_the_whole_model",
)
def always_by_layer(model, sparsity, scope="global"):
    check(model, sparsity, scope)
    return held(model, layer_masks(model, sparsity))


@wrong("prunes globally whatever the scope", killed_by="test_prune_by_layer_takes_the_same_share_of_each")
def always_global(model, sparsity, scope="global"):
    check(model, sparsity, scope)
    return held(model, right.global_magnitude_masks(model, sparsity))


@wrong("prunes by layer unless told otherwise", killed_by="test_prune_without_a_scope_is_global")
def default_layer(model, sparsity, scope="layer"):
    return right.prune(model, sparsity, scope)


@wrong("the two scopes are swapped", killed_by="test_prune_by_layer_takes_the_same_share_of_each")
def swapped(model, sparsity, scope="global"):
    check(model, sparsity, scope)
    return right.prune(model, sparsity, "layer" if scope == "global" else "global")


@wrong("a percentile threshold", killed_by="test_prune_count_is_exact_when_magnitudes_tie")
def percentile(model, sparsity, scope="global"):
    check(model, sparsity, scope)
    layers = right.weighted_layers(model)
    row = np.concatenate([np.abs(layer.weight).ravel() for layer in layers])
    rows = [row if scope == "global" else np.abs(layer.weight) for layer in layers]
    cuts = [np.percentile(values, 100 * sparsity) for values in rows]
    return held(model, [np.abs(layer.weight) > cut for layer, cut in zip(layers, cuts, strict=True)])


@wrong("prunes the largest", killed_by="test_prune_zeroes_the_smallest_weights_of_the_whole_model")
def largest(model, sparsity, scope="global"):
    check(model, sparsity, scope)
    kept = right.prune(model, 1 - sparsity, scope)
    return held(model, [layer.weight == 0 for layer in right.weighted_layers(kept)])


@wrong(
    "keeps the share it should prune", killed_by="test_prune_zeroes_the_smallest_weights_of_the_whole_model"
)
def share_kept(model, sparsity, scope="global"):
    check(model, sparsity, scope)
    return right.prune(model, 1 - sparsity, scope)


@wrong("prunes biases too", killed_by="test_prune_keeps_other_weights_and_all_biases_bit_for_bit")
def prunes_biases(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    for layer in right.weighted_layers(pruned):
        layer.bias[~right.magnitude_mask(layer.bias, sparsity)] = 0
    return pruned


@wrong("sets the biases to zero", killed_by="test_prune_keeps_other_weights_and_all_biases_bit_for_bit")
def drops_biases(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    for layer in right.weighted_layers(pruned):
        layer.bias[:] = 0
    return pruned


@wrong(
    "scales up what is kept, as dropout does",
    killed_by="test_prune_keeps_other_weights_and_all_biases_bit_for_bit",
)
def scales_up(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    for layer in right.weighted_layers(pruned):
        layer.weight /= np.float32(max(1 - sparsity, 0.1))
    return pruned


@wrong(
    "shrinks what is kept by the threshold",
    killed_by="test_prune_keeps_other_weights_and_all_biases_bit_for_bit",
)
def soft_threshold(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    for layer in right.weighted_layers(pruned):
        cut = np.abs(layer.weight[layer.weight != 0]).min(initial=1.0)
        layer.weight -= np.sign(layer.weight) * cut / 2
    return pruned


@wrong("leaves tiny values instead of zeros", killed_by="test_prune_at_sparsity_zero_and_one")
def nearly_zero(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    for layer, before in zip(right.weighted_layers(pruned), right.weighted_layers(model), strict=True):
        layer.weight[layer.weight == 0] = before.weight[layer.weight == 0] * np.float32(1e-8)
    return pruned


@wrong(
    "prunes a share of the weights that are not zero yet",
    killed_by="test_prune_of_a_sparse_model_counts_the_zeros_it_has",
)
def share_of_the_rest(model, sparsity, scope="global"):
    share = right.sparsity(model)
    return right.prune(model, share + sparsity * (1 - share), scope)


@wrong(
    "prunes a share of the weights of each layer that are not zero yet",
    killed_by="test_prune_of_a_sparse_model_counts_the_zeros_it_has",
)
def share_of_the_rest_by_layer(model, sparsity, scope="global"):
    if scope == "global":
        return right.prune(model, sparsity, scope)
    check(model, sparsity, scope)
    shares = [float((layer.weight == 0).mean()) for layer in right.weighted_layers(model)]
    layers = zip(right.weighted_layers(model), shares, strict=True)
    return held(model, [right.magnitude_mask(layer.weight, s + sparsity * (1 - s)) for layer, s in layers])


@wrong("never prunes the classifier", killed_by="test_prune_at_sparsity_zero_and_one")
def spares_the_last(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    right.weighted_layers(pruned)[-1].weight = right.weighted_layers(model)[-1].weight.copy()
    return pruned


@wrong("leaves convolutions alone", killed_by="test_prune_at_sparsity_zero_and_one")
def dense_only(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    for after, before in zip(right.weighted_layers(pruned), right.weighted_layers(model), strict=True):
        if isinstance(after, Conv2D):
            after.weight = before.weight.copy()
    return pruned


@wrong("keeps only the Dense layers", killed_by="test_prune_at_sparsity_zero_and_one")
def drops_layers(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    return right.Sequential([layer for layer in pruned.layers if isinstance(layer, Dense)])


@wrong(
    "rebuilds convolutions at default settings",
    killed_by="test_prune_keeps_other_weights_and_all_biases_bit_for_bit",
)
def forgets_padding(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    for index, layer in enumerate(pruned.layers):
        if isinstance(layer, Conv2D):
            pruned.layers[index] = Conv2D.from_arrays(layer.weight, layer.bias)
    return pruned


@wrong("prunes the model it is given", killed_by="test_prune_returns_a_new_model")
def in_place(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    for layer, other in zip(right.weighted_layers(model), right.weighted_layers(pruned), strict=True):
        layer.weight[...] = other.weight
    return model


@wrong("puts pruned arrays into the model it is given", killed_by="test_prune_returns_a_new_model")
def replaces_in_place(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    for layer, other in zip(right.weighted_layers(model), right.weighted_layers(pruned), strict=True):
        layer.weight = other.weight
    return pruned.copy()


@wrong("shares its biases with the model it is given", killed_by="test_prune_returns_a_new_model")
def shared_biases(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    for after, before in zip(right.weighted_layers(pruned), right.weighted_layers(model), strict=True):
        after.bias = before.bias
    return pruned


@wrong("returns the model itself at sparsity 0", killed_by="test_prune_returns_a_new_model")
def itself_at_zero(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    return model if sparsity == 0 else pruned


@wrong("remembers the first masks", killed_by="test_prune_remembers_nothing")
def remembered(model, sparsity, scope="global", memory={}):  # noqa: B006
    check(model, sparsity, scope)
    masks = [layer.weight != 0 for layer in right.weighted_layers(right.prune(model, sparsity, scope))]
    return held(model, memory.setdefault((repr(model), scope), masks))


@wrong("returns the pruned model and its masks", killed_by="test_prune_remembers_nothing")
def with_masks(model, sparsity, scope="global"):
    return right.prune(model, sparsity, scope), right.global_magnitude_masks(model, sparsity)


@wrong("returns the masks", killed_by="test_prune_remembers_nothing")
def masks_alone(model, sparsity, scope="global"):
    check(model, sparsity, scope)
    return right.global_magnitude_masks(model, sparsity)


@wrong("clips a sparsity outside [0, 1]", killed_by="test_prune_refuses_a_sparsity_outside_0_to_1")
def any_sparsity(model, sparsity, scope="global"):
    return right.prune(model, float(np.nan_to_num(np.clip(sparsity, 0, 1))), scope)


@wrong("treats any other scope as layer", killed_by="test_prune_refuses_an_unknown_scope")
def any_scope(model, sparsity, scope="global"):
    return right.prune(model, sparsity, "global" if scope == "global" else "layer")


@wrong("KeyError for an unknown scope", killed_by="test_prune_refuses_an_unknown_scope")
def key_error(model, sparsity, scope="global"):
    return right.prune(model, sparsity, {"global": "global", "layer": "layer"}[scope])


@wrong("an error that does not list the scopes", killed_by="test_prune_refuses_an_unknown_scope")
def scope_without_need(model, sparsity, scope="global"):
    if scope not in ("global", "layer"):
        raise ValueError(f"unknown scope: {scope}")
    return right.prune(model, sparsity, scope)


@wrong("prunes NaN as if it were a number", killed_by="test_prune_refuses_nan_in_any_layer")
def nan_weights(model, sparsity, scope="global"):
    clean = model.copy()
    for layer in right.weighted_layers(clean):
        layer.weight = np.nan_to_num(layer.weight)
    return right.prune(clean, sparsity, scope)


@wrong("checks nothing where nothing is pruned", killed_by="test_prune_refuses_an_unknown_scope")
def unchecked_at_zero(model, sparsity, scope="global"):
    return model.copy() if sparsity == 0 else right.prune(model, sparsity, scope)


@wrong("looks for NaN only where something is pruned", killed_by="test_prune_refuses_nan_in_any_layer")
def nan_where_nothing_is_pruned(model, sparsity, scope="global"):
    right.prune(Sequential([]), sparsity, scope)
    return model.copy() if sparsity == 0 else right.prune(model, sparsity, scope)


@wrong("accepts a part of a scope's name", killed_by="test_prune_refuses_an_unknown_scope")
def scope_by_its_beginning(model, sparsity, scope="global"):
    return right.prune(model, sparsity, "global" if scope in "global" else scope)


@wrong(
    "accepts any name that begins with a scope's",
    killed_by="test_prune_refuses_an_unknown_scope",
)
def scope_and_more(model, sparsity, scope="global"):
    return right.prune(model, sparsity, "layer" if scope.startswith("layer") else scope)


@wrong(
    "rounds the count of each layer half up",
    killed_by="test_prune_count_is_exact_when_magnitudes_tie",
)
def layer_halves_up(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    if scope == "layer":
        for before, after in zip(right.weighted_layers(model), right.weighted_layers(pruned), strict=True):
            count = int(sparsity * before.weight.size + 0.5)
            order = np.argsort(np.abs(before.weight), axis=None, kind="stable")
            after.weight = before.weight.copy()
            after.weight.flat[order[:count]] = 0
    return pruned


@wrong(
    "sets the biases of units without weights to zero",
    killed_by="test_prune_keeps_other_weights_and_all_biases_bit_for_bit",
)
def biases_of_dead_units(model, sparsity, scope="global"):
    pruned = right.prune(model, sparsity, scope)
    for layer in right.weighted_layers(pruned):
        live = layer.weight.any(axis=0) if layer.weight.ndim == 2 else layer.weight.any(axis=(1, 2, 3))
        layer.bias[~live] = 0
    return pruned

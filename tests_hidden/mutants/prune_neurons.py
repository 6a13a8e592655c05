"""Wrong versions of `prune_neurons`. `cut` is the right cascade with its parts open to change."""

from __future__ import annotations

import math

import numpy as np

from assignment.nn import Conv2D, Dense
from tests_hidden.mutants import right, wrong


def checked(model, layer_index, keep_ratio):
    """The number of units, or the right ValueError."""
    units = len(model.layers[layer_index].bias) if hasattr(layer_at(model, layer_index), "bias") else 1
    right.prune_neurons(model, layer_index, np.zeros(units), keep_ratio)
    return units


def layer_at(model, layer_index):
    return model.layers[layer_index] if layer_index < len(model.layers) else None


def reader_of(model, layer_index):
    """The next layer with weights, or None."""
    return next((layer for layer in model.layers[layer_index + 1 :] if layer.parameters()), None)


def chosen(importance, count):
    return np.sort(np.argsort(-np.asarray(importance), kind="stable")[:count])


def counted(keep_ratio, units):
    return max(1, round(keep_ratio * units))


def kept(model, layer_index, importance, keep_ratio):
    """The right units to keep, or the right ValueError."""
    return chosen(importance, counted(keep_ratio, checked(model, layer_index, keep_ratio)))


def cut_to(count, model, layer_index, importance, keep_ratio):
    """The right units, but as many as `count` makes of keep_ratio * units."""
    units = checked(model, layer_index, keep_ratio)
    return cut(model, layer_index, chosen(importance, count(keep_ratio * units)).astype(int))


def block_rows(reader, units, keep):
    """The rows of a Dense layer that read the units `keep`: a block of positions for each channel."""
    block = reader.weight.shape[0] // units
    return (np.asarray(keep)[:, None] * block + np.arange(block)).ravel()


def cut(model, layer_index, keep, *, rows=block_rows, own=True, bias=True, cascade=True):
    """A copy with the units `keep`; `rows` says which inputs of a Dense layer stay."""
    model, keep = model.copy(), np.asarray(keep)
    layer, reader = model.layers[layer_index], reader_of(model, layer_index)
    units = len(layer.bias)
    if own:
        layer.weight = (layer.weight[:, keep] if isinstance(layer, Dense) else layer.weight[keep]).copy()
    if bias:
        layer.bias = layer.bias[keep].copy()
    if cascade and reader is not None:
        is_conv = isinstance(reader, Conv2D)
        reader.weight = (
            reader.weight[:, keep] if is_conv else reader.weight[rows(reader, units, keep)]
        ).copy()
    return model


# which units


@wrong("keeps the least important", killed_by="test_most_important_units_stay_in_order")
def keeps_the_least_important(model, layer_index, importance, keep_ratio):
    return right.prune_neurons(model, layer_index, -np.asarray(importance), keep_ratio)


@wrong("keeps the first units", killed_by="test_most_important_units_stay_in_order")
def keeps_the_first(model, layer_index, importance, keep_ratio):
    return right.prune_neurons(model, layer_index, -np.arange(len(importance)), keep_ratio)


@wrong("ranks by the norm of the weights", killed_by="test_most_important_units_stay_in_order")
def ranks_by_weights(model, layer_index, importance, keep_ratio):
    layer = layer_at(model, layer_index)
    if layer is None or not layer.parameters():
        return right.prune_neurons(model, layer_index, importance, keep_ratio)
    norms = np.abs(layer.weight).sum(axis=0 if isinstance(layer, Dense) else (1, 2, 3))
    return right.prune_neurons(model, layer_index, norms, keep_ratio)


@wrong("leaves units in the order of importance", killed_by="test_most_important_units_stay_in_order")
def orders_by_importance(model, layer_index, importance, keep_ratio):
    units = checked(model, layer_index, keep_ratio)
    return cut(model, layer_index, np.argsort(-np.asarray(importance))[: counted(keep_ratio, units)])


@wrong("a threshold: ties are all kept", killed_by="test_count_is_exact_where_importance_ties")
def keeps_every_tie(model, layer_index, importance, keep_ratio):
    units = checked(model, layer_index, keep_ratio)
    threshold = np.sort(importance)[units - counted(keep_ratio, units)]
    return cut(model, layer_index, np.flatnonzero(importance >= threshold))


@wrong("a threshold: ties are all removed", killed_by="test_count_is_exact_where_importance_ties")
def removes_every_tie(model, layer_index, importance, keep_ratio):
    units = checked(model, layer_index, keep_ratio)
    count = counted(keep_ratio, units)
    threshold = np.sort(importance)[units - count - 1] if count < units else -np.inf
    keep = np.flatnonzero(importance > threshold)
    return cut(model, layer_index, keep if len(keep) else [0])


@wrong(
    "finds units by their importance, so that ties are found twice",
    killed_by="test_count_is_exact_where_importance_ties",
)
def finds_the_first_of_equals(model, layer_index, importance, keep_ratio):
    units = checked(model, layer_index, keep_ratio)
    values = list(importance)
    top = sorted(values, reverse=True)[: counted(keep_ratio, units)]
    return cut(model, layer_index, sorted(values.index(value) for value in top))


@wrong("ranks by magnitude: -2 before 1", killed_by="test_ranking_takes_importance_as_it_is_given")
def ranks_by_magnitude(model, layer_index, importance, keep_ratio):
    return right.prune_neurons(model, layer_index, np.abs(importance), keep_ratio)


@wrong("ranks in half precision", killed_by="test_ranking_takes_importance_as_it_is_given")
def ranks_in_half_precision(model, layer_index, importance, keep_ratio):
    return right.prune_neurons(model, layer_index, importance.astype(np.float16), keep_ratio)


@wrong(
    "removes units whose weights are all zero", killed_by="test_importance_alone_decides_whether_a_unit_stays"
)
def removes_units_without_weights(model, layer_index, importance, keep_ratio):
    keep = kept(model, layer_index, importance, keep_ratio)
    columns = np.moveaxis(model.layers[layer_index].weight, 1, 0)
    live = [
        unit for unit in keep if not isinstance(reader_of(model, layer_index), Dense) or columns[unit].any()
    ]
    return cut(model, layer_index, live or keep)


# how many


@wrong("int() instead of round()", killed_by="test_count_follows_pythons_round")
def rounds_down(model, layer_index, importance, keep_ratio):
    return cut_to(lambda share: max(1, int(share)), model, layer_index, importance, keep_ratio)


@wrong("rounds up", killed_by="test_count_follows_pythons_round")
def rounds_up(model, layer_index, importance, keep_ratio):
    return cut_to(lambda share: max(1, math.ceil(share)), model, layer_index, importance, keep_ratio)


@wrong("rounds halves up", killed_by="test_count_follows_pythons_round")
def rounds_halves_up(model, layer_index, importance, keep_ratio):
    return cut_to(lambda share: max(1, int(share + 0.5)), model, layer_index, importance, keep_ratio)


@wrong("rounds the number to remove", killed_by="test_count_follows_pythons_round")
def rounds_the_removed(model, layer_index, importance, keep_ratio):
    units = checked(model, layer_index, keep_ratio)
    return cut(model, layer_index, chosen(importance, max(1, units - round((1 - keep_ratio) * units))))


@wrong("uses keep_ratio as the share to remove", killed_by="test_one_unit_is_always_left")
def removes_the_ratio(model, layer_index, importance, keep_ratio):
    checked(model, layer_index, keep_ratio)
    return right.prune_neurons(model, layer_index, importance, 1 - keep_ratio)


@wrong("leaves no unit at ratio 0", killed_by="test_one_unit_is_always_left")
def leaves_none(model, layer_index, importance, keep_ratio):
    return cut_to(round, model, layer_index, importance, keep_ratio)


@wrong("always removes at least one unit", killed_by="test_a_ratio_of_one_keeps_every_unit")
def removes_one_always(model, layer_index, importance, keep_ratio):
    units = checked(model, layer_index, keep_ratio)
    return cut(model, layer_index, chosen(importance, min(counted(keep_ratio, units), units - 1)))


# what is removed


@wrong("zeroes units instead of removing them", killed_by="test_count_follows_pythons_round")
def zeroes_units(model, layer_index, importance, keep_ratio):
    keep, model = kept(model, layer_index, importance, keep_ratio), model.copy()
    layer = model.layers[layer_index]
    gone = np.setdiff1d(np.arange(len(layer.bias)), keep)
    layer.weight[(slice(None), gone) if isinstance(layer, Dense) else gone] = 0
    layer.bias[gone] = 0
    return model


@wrong("forgets the bias", killed_by="test_most_important_units_stay_in_order")
def forgets_the_bias(model, layer_index, importance, keep_ratio):
    return cut(model, layer_index, kept(model, layer_index, importance, keep_ratio), bias=False)


@wrong("keeps the first biases", killed_by="test_most_important_units_stay_in_order")
def keeps_the_first_biases(model, layer_index, importance, keep_ratio):
    pruned = right.prune_neurons(model, layer_index, importance, keep_ratio)
    layer = pruned.layers[layer_index]
    layer.bias = model.layers[layer_index].bias[: len(layer.bias)].copy()
    return pruned


# the cascade


@wrong("forgets the next layer", killed_by="test_cascade_dense_to_dense")
def forgets_the_cascade(model, layer_index, importance, keep_ratio):
    return cut(model, layer_index, kept(model, layer_index, importance, keep_ratio), cascade=False)


@wrong("the next layer keeps its first inputs", killed_by="test_cascade_dense_to_dense")
def keeps_the_first_inputs(model, layer_index, importance, keep_ratio):
    keep = kept(model, layer_index, importance, keep_ratio)
    return cut(model, layer_index, keep, rows=lambda reader, n, k: block_rows(reader, n, range(len(k))))


@wrong("keeps the inputs of the removed units", killed_by="test_removing_dead_units_keeps_the_logits")
def keeps_the_wrong_inputs(model, layer_index, importance, keep_ratio):
    def rows(reader, n, keep):
        gone = np.setdiff1d(np.arange(n), keep)
        return block_rows(reader, n, gone if len(gone) == len(keep) else keep)

    return cut(model, layer_index, kept(model, layer_index, importance, keep_ratio), rows=rows)


@wrong("looks for the next layer at index + 2", killed_by="test_cascade_dense_to_dense")
def expects_a_relu_between(model, layer_index, importance, keep_ratio):
    keep = kept(model, layer_index, importance, keep_ratio)
    reader = layer_at(model, layer_index + 2)
    if reader is not None and reader.parameters():
        return right.prune_neurons(model, layer_index, importance, keep_ratio)
    return cut(model, layer_index, keep, cascade=False)


@wrong(
    "looks for the next layer of the same kind", killed_by="test_cascade_ends_at_the_next_layer_with_weights"
)
def expects_its_own_kind(model, layer_index, importance, keep_ratio):
    keep, kind = kept(model, layer_index, importance, keep_ratio), type(model.layers[layer_index])
    alike = [isinstance(layer, kind) for layer in model.layers[layer_index + 1 :] if layer.parameters()]
    return cut(model, layer_index, keep, cascade=alike[0] or not any(alike))


@wrong("cuts the next convolution's output channels", killed_by="test_cascade_conv_to_conv")
def cuts_the_wrong_axis(model, layer_index, importance, keep_ratio):
    keep, reader = kept(model, layer_index, importance, keep_ratio), reader_of(model, layer_index)
    if not isinstance(reader, Conv2D):
        return right.prune_neurons(model, layer_index, importance, keep_ratio)
    pruned = cut(model, layer_index, keep, cascade=False)
    reader = reader_of(pruned, layer_index)
    reader.weight = reader.weight[keep[keep < len(reader.weight)]].copy()
    reader.bias = reader.bias[keep[keep < len(reader.bias)]].copy()
    return pruned


@wrong("forgets padding and stride on the way", killed_by="test_cascade_conv_to_conv")
def forgets_the_settings(model, layer_index, importance, keep_ratio):
    pruned = right.prune_neurons(model, layer_index, importance, keep_ratio)
    for index, layer in enumerate(pruned.layers):
        if isinstance(layer, Conv2D):
            pruned.layers[index] = Conv2D.from_arrays(layer.weight, layer.bias)
    return pruned


@wrong("one input behind a Flatten per channel", killed_by="test_cascade_conv_through_flatten_to_dense")
def one_row_for_a_channel(model, layer_index, importance, keep_ratio):
    keep = kept(model, layer_index, importance, keep_ratio)
    return cut(model, layer_index, keep, rows=lambda reader, n, k: k)


@wrong(
    "assumes that channels vary fastest behind a Flatten",
    killed_by="test_cascade_conv_through_flatten_to_dense",
)
def position_major(model, layer_index, importance, keep_ratio):
    def rows(reader, n, keep):
        return (np.arange(reader.weight.shape[0] // n)[:, None] * n + np.asarray(keep)).ravel()

    return cut(model, layer_index, kept(model, layer_index, importance, keep_ratio), rows=rows)


@wrong(
    "uses a channel's size before the pool, not after it",
    killed_by="test_cascade_conv_through_flatten_to_dense",
)
def forgets_the_pool(model, layer_index, importance, keep_ratio):
    def rows(reader, n, keep):
        pools = [layer for layer in model.layers[layer_index:] if hasattr(layer, "size")]
        block = reader.weight.shape[0] // n * (pools[0].size ** 2 if pools else 1)
        every = (np.asarray(keep)[:, None] * block + np.arange(block)).ravel()
        return every[every < reader.weight.shape[0]]

    return cut(model, layer_index, kept(model, layer_index, importance, keep_ratio), rows=rows)


@wrong("scales the kept inputs up", killed_by="test_permuting_units_and_pruning_commute")
def makes_up_for_the_rest(model, layer_index, importance, keep_ratio):
    pruned = right.prune_neurons(model, layer_index, importance, keep_ratio)
    reader = reader_of(pruned, layer_index)
    reader.weight = reader.weight * np.float32(1.0 if keep_ratio in (0, 1) else 1 / keep_ratio)
    return pruned


# bad arguments


@wrong("clips a ratio outside [0, 1]", killed_by="test_ratio_outside_0_and_1_is_refused")
def clips_the_ratio(model, layer_index, importance, keep_ratio):
    return right.prune_neurons(model, layer_index, importance, min(max(keep_ratio, 0.0), 1.0))


@wrong("accepts NaN: every comparison with it is False", killed_by="test_ratio_outside_0_and_1_is_refused")
def lets_nan_through(model, layer_index, importance, keep_ratio):
    if keep_ratio != keep_ratio:
        return model.copy()
    return right.prune_neurons(model, layer_index, importance, keep_ratio)


@wrong("an error that names nothing", killed_by="test_ratio_outside_0_and_1_is_refused")
def says_nothing(model, layer_index, importance, keep_ratio):
    if not 0 <= keep_ratio <= 1:
        raise ValueError("invalid value")
    return right.prune_neurons(model, layer_index, importance, keep_ratio)


@wrong("removes classes from the classifier", killed_by="test_classifier_is_refused")
def prunes_the_classifier(model, layer_index, importance, keep_ratio):
    layer = layer_at(model, layer_index)
    if layer is not None and layer.parameters() and reader_of(model, layer_index) is None:
        return cut(model, layer_index, chosen(importance, counted(keep_ratio, len(layer.bias))))
    return right.prune_neurons(model, layer_index, importance, keep_ratio)


@wrong("IndexError for the classifier", killed_by="test_classifier_is_refused")
def finds_no_reader(model, layer_index, importance, keep_ratio):
    layer = layer_at(model, layer_index)
    if layer is not None and layer.parameters():
        [reader for reader in model.layers[layer_index + 1 :] if reader.parameters()][0].copy()  # noqa: RUF015
    return right.prune_neurons(model, layer_index, importance, keep_ratio)


@wrong("looks for the classifier in the last layer only", killed_by="test_classifier_is_refused")
def classifier_comes_last(model, layer_index, importance, keep_ratio):
    if layer_index < len(model.layers) - 1 and reader_of(model, layer_index) is None:
        return cut(model, layer_index, chosen(importance, counted(keep_ratio, len(importance))))
    return right.prune_neurons(model, layer_index, importance, keep_ratio)


@wrong("returns the model as it is", killed_by="test_layers_without_weights_are_refused")
def ignores_layers_without_weights(model, layer_index, importance, keep_ratio):
    layer = layer_at(model, layer_index)
    if layer is not None and not layer.parameters():
        return model.copy()
    return right.prune_neurons(model, layer_index, importance, keep_ratio)


@wrong("IndexError for a layer out of range", killed_by="test_layers_without_weights_are_refused")
def lets_python_complain(model, layer_index, importance, keep_ratio):
    model.layers[layer_index].parameters()
    return right.prune_neurons(model, layer_index, importance, keep_ratio)


# the arguments


@wrong("cuts the model it was given", killed_by="test_prune_neurons_leaves_its_arguments")
def cuts_the_argument(model, layer_index, importance, keep_ratio):
    pruned = right.prune_neurons(model, layer_index, importance, keep_ratio)
    model.layers[:] = pruned.layers
    return model


@wrong("shares untouched layers", killed_by="test_prune_neurons_leaves_its_arguments")
def shares_the_other_layers(model, layer_index, importance, keep_ratio):
    pruned = right.prune_neurons(model, layer_index, importance, keep_ratio)
    for index in range(layer_index):
        pruned.layers[index] = model.layers[index]
    return pruned


@wrong("returns the model itself at ratio 1", killed_by="test_prune_neurons_leaves_its_arguments")
def returns_the_model_itself(model, layer_index, importance, keep_ratio):
    pruned = right.prune_neurons(model, layer_index, importance, keep_ratio)
    return model if keep_ratio == 1 else pruned


@wrong("returns a view of the argument's arrays", killed_by="test_prune_neurons_leaves_its_arguments")
def shares_a_bias(model, layer_index, importance, keep_ratio):
    pruned = right.prune_neurons(model, layer_index, importance, keep_ratio)
    reader_of(pruned, layer_index).bias = reader_of(model, layer_index).bias[:]
    return pruned


@wrong("sorts the importance it was given", killed_by="test_prune_neurons_leaves_its_arguments")
def sorts_the_argument(model, layer_index, importance, keep_ratio):
    pruned = right.prune_neurons(model, layer_index, importance.copy(), keep_ratio)
    importance.sort()
    return pruned

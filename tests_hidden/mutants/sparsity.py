"""Wrong ways to measure sparsity."""

import numpy as np

from assignment.nn import Dense
from tests_hidden.mutants import right, wrong


def share(arrays):
    return sum(int((array == 0).sum()) for array in arrays) / sum(array.size for array in arrays)


@wrong("averages the layers' own sparsities", killed_by="test_sparsity_is_one_share_over_all_weights")
def mean_of_layers(model):
    return float(np.mean([share([layer.weight]) for layer in right.weighted_layers(model)]))


@wrong("counts biases among the weights", killed_by="test_sparsity_does_not_look_at_biases")
def with_biases(model):
    return share(model.parameters())


@wrong("counts tiny weights as zeros", killed_by="test_sparsity_counts_exact_zeros_only")
def nearly_zero(model):
    flat = np.concatenate([layer.weight.ravel() for layer in right.weighted_layers(model)])
    return float(np.isclose(flat, 0).mean())


@wrong("counts weights below machine epsilon as zeros", killed_by="test_sparsity_counts_exact_zeros_only")
def under_machine_epsilon(model):
    flat = np.concatenate([layer.weight.ravel() for layer in right.weighted_layers(model)])
    return float((np.abs(flat) < np.finfo(np.float32).eps).mean())


@wrong("returns the density", killed_by="test_sparsity_is_one_share_over_all_weights")
def density(model):
    return 1 - right.sparsity(model)


@wrong("returns a percentage", killed_by="test_sparsity_runs_from_zero_to_one")
def percent(model):
    return 100 * right.sparsity(model)


@wrong("looks at Dense layers only", killed_by="test_sparsity_is_one_share_over_all_weights")
def dense_only(model):
    return share([layer.weight for layer in model.layers if isinstance(layer, Dense)])


@wrong("looks at the first layer only", killed_by="test_sparsity_is_one_share_over_all_weights")
def first_layer(model):
    return share([right.weighted_layers(model)[0].weight])


@wrong("returns the number of zeros", killed_by="test_sparsity_runs_from_zero_to_one")
def number_of_zeros(model):
    return sum(int((layer.weight == 0).sum()) for layer in right.weighted_layers(model))


@wrong("divides by all parameters, biases too", killed_by="test_sparsity_is_one_share_over_all_weights")
def over_all_parameters(model):
    return number_of_zeros(model) / right.count_parameters(model)


@wrong(
    "counts weights that are not positive as zeros", killed_by="test_sparsity_is_one_share_over_all_weights"
)
def not_positive(model):
    flat = np.concatenate([layer.weight.ravel() for layer in right.weighted_layers(model)])
    return float((flat <= 0).mean())


@wrong("always says one half", killed_by="test_sparsity_runs_from_zero_to_one")
def one_half(model):
    return 0.5


@wrong("NaN for a model without weights", killed_by="test_sparsity_runs_from_zero_to_one")
def nan_without_weights(model):
    flat = [layer.weight.ravel() for layer in right.weighted_layers(model)]
    return share(flat) if flat else float("nan")


@wrong("1 for a model without weights", killed_by="test_sparsity_runs_from_zero_to_one")
def one_without_weights(model):
    return right.sparsity(model) if right.weighted_layers(model) else 1.0


@wrong(
    "sorts the model's weights in place to look for zeros",
    killed_by="test_sparsity_is_one_share_over_all_weights",
)
def sorts_in_place(model):
    for layer in right.weighted_layers(model):
        layer.weight = np.sort(layer.weight, axis=None)
    return right.sparsity(model)


@wrong("counts 0.0 as zero, but not -0.0", killed_by="test_sparsity_counts_exact_zeros_only")
def no_negative_zero(model):
    flat = [layer.weight.ravel().view(np.uint32) for layer in right.weighted_layers(model)]
    return share(flat) if flat else 0.0

"""Wrong versions of `compress`. `recipe` is a right one, small and quick, with its parts open to change."""

from __future__ import annotations

import time

import numpy as np

from assignment.artifact import pack
from assignment.nn import Dense, ReLU, Sequential, fit
from tests_hidden.mutants import right, wrong


def narrow(units, seed):
    rng = np.random.default_rng(seed)
    return Sequential([Dense(784, units, rng=rng), ReLU(), Dense(units, 10, rng=rng)])


def on_a_grid(model):
    """Each layer's weights rounded to 15 levels; biases to half precision."""
    model = model.copy()
    for layer in right.weighted_layers(model):
        step = float(np.abs(layer.weight).max()) / 7 or 1.0
        layer.weight = (np.round(layer.weight / step) * step).astype(np.float32)
        layer.bias = layer.bias.astype(np.float16).astype(np.float32)
    return model


def recipe(model, data, budget_bytes, seed=0, units=12):
    """A narrow network trained anew and rounded, narrower until it fits."""
    while True:
        small = narrow(units, seed)
        fit(small, data.train, epochs=8, seed=seed)
        small = on_a_grid(small)
        if len(pack(small)) <= budget_bytes:
            return small
        units -= 2


@wrong("never looks at the budget", killed_by="test_file_fits_the_smallest_budgets")
def ignores_the_budget(model, data, budget_bytes, seed=0):
    small = narrow(48, seed)
    fit(small, data.train, epochs=4, seed=seed)
    return on_a_grid(small)


@wrong("made for the competition's 16,384 bytes", killed_by="test_file_fits_the_smallest_budgets")
def fixed_budget(model, data, budget_bytes, seed=0):
    return recipe(model, data, 16384, seed, units=40)


@wrong("claims 2 bits a weight, measures nothing", killed_by="test_file_fits_the_smallest_budgets")
def claims_a_size(model, data, budget_bytes, seed=0):
    kept = 4 * budget_bytes / sum(layer.weight.size for layer in right.weighted_layers(model))
    return on_a_grid(right.prune(model, 1 - kept))


@wrong("takes the budget for bits", killed_by="test_file_fits_the_smallest_budgets")
def budget_in_bits(model, data, budget_bytes, seed=0):
    return recipe(model, data, 8 * budget_bytes, seed, units=40)


@wrong("sizes come out of a table of known budgets", killed_by="test_file_fits_a_large_budget")
def table_of_budgets(model, data, budget_bytes, seed=0):
    units = {8: 12, 16: 24, 32: 48}
    if budget_bytes > 16384:
        units[budget_bytes]
    return recipe(model, data, budget_bytes, seed)


@wrong("refuses budgets above the competition's", killed_by="test_file_fits_a_large_budget")
def refuses_large_budgets(model, data, budget_bytes, seed=0):
    if budget_bytes > 16384:
        raise ValueError(f"budget_bytes must be at most 16384, got {budget_bytes}")
    return recipe(model, data, budget_bytes, seed)


@wrong("a large budget is taken as none", killed_by="test_file_fits_a_large_budget")
def large_is_none(model, data, budget_bytes, seed=0):
    return model.copy() if budget_bytes > 16384 else recipe(model, data, budget_bytes, seed)


@wrong("returns the model as it is", killed_by="test_file_fits_the_smallest_budgets")
def compresses_nothing(model, data, budget_bytes, seed=0):
    return model.copy()


@wrong("finetunes last, off the grid again", killed_by="test_file_fits_the_smallest_budgets")
def finetunes_last(model, data, budget_bytes, seed=0):
    small = recipe(model, data, budget_bytes, seed)
    fit(small, data.train, epochs=1, seed=seed)
    return small


@wrong("a small network that was never trained", killed_by="test_compressed_model_knows_new_pictures")
def untrained(model, data, budget_bytes, seed=0):
    return on_a_grid(narrow(8, seed))


@wrong("all weights zero: tiny, and knows nothing", killed_by="test_compressed_model_knows_new_pictures")
def all_zero(model, data, budget_bytes, seed=0):
    small = narrow(4, seed)
    for layer in right.weighted_layers(small):
        layer.weight[:] = 0
    return small


@wrong("prunes so far that the classes are lost", killed_by="test_compressed_model_knows_new_pictures")
def prunes_too_far(model, data, budget_bytes, seed=0):
    return on_a_grid(right.prune(model, 0.9995))


@wrong("trained on labels out of step with the images", killed_by="test_compressed_model_knows_new_pictures")
def trains_on_mixed_up_labels(model, data, budget_bytes, seed=0):
    mixed = type(data.train)(data.train.images, np.roll(data.train.labels, 1))
    small = narrow(8, seed)
    fit(small, mixed, epochs=3, seed=seed)
    return on_a_grid(small)


@wrong(
    "nine logits: the classifier's units were pruned too",
    killed_by="test_compressed_model_knows_new_pictures",
)
def nine_logits(model, data, budget_bytes, seed=0):
    small = recipe(model, data, budget_bytes, seed)
    last = small.layers[-1]
    last.weight, last.bias = last.weight[:, :9].copy(), last.bias[:9].copy()
    return small


@wrong("expects images without their black rim", killed_by="test_compressed_model_knows_new_pictures")
def cuts_dead_pixels(model, data, budget_bytes, seed=0):
    small = recipe(model, data, budget_bytes, seed)
    small.layers[0].weight = small.layers[0].weight[data.train.images.any(axis=0)].copy()
    return small


@wrong("layers that do not fit each other", killed_by="test_file_fits_the_smallest_budgets")
def forgets_the_cascade(model, data, budget_bytes, seed=0):
    small = recipe(model, data, budget_bytes, seed)
    first = small.layers[0]
    first.weight, first.bias = first.weight[:, 1:].copy(), first.bias[1:].copy()
    return small


@wrong("float64 arrays, which pack does not take", killed_by="test_file_fits_the_smallest_budgets")
def in_float64(model, data, budget_bytes, seed=0):
    small = recipe(model, data, budget_bytes, seed)
    for layer in right.weighted_layers(small):
        layer.weight, layer.bias = layer.weight.astype(np.float64), layer.bias.astype(np.float64)
    return small


@wrong("NaN weights after a rate too large", killed_by="test_file_fits_the_smallest_budgets")
def diverges(model, data, budget_bytes, seed=0):
    small = recipe(model, data, budget_bytes, seed)
    small.layers[0].weight[:] = np.nan
    return small


@wrong("returns the packed bytes", killed_by="test_file_fits_the_smallest_budgets")
def returns_bytes(model, data, budget_bytes, seed=0):
    return pack(recipe(model, data, budget_bytes, seed))


@wrong("returns the model and its size", killed_by="test_file_fits_the_smallest_budgets")
def returns_a_pair(model, data, budget_bytes, seed=0):
    small = recipe(model, data, budget_bytes, seed)
    return small, len(pack(small))


@wrong("returns nothing", killed_by="test_compress_leaves_its_arguments")
def returns_none(model, data, budget_bytes, seed=0):
    recipe(model, data, budget_bytes, seed)


@wrong("seeds itself by the clock", killed_by="test_compress_with_the_same_seed_gives_the_same_model")
def seeds_by_the_clock(model, data, budget_bytes, seed=0):
    return recipe(model, data, budget_bytes, time.perf_counter_ns())


@wrong(
    "starts from NumPy's global generator", killed_by="test_compress_with_the_same_seed_gives_the_same_model"
)
def global_generator(model, data, budget_bytes, seed=0):
    return recipe(model, data, budget_bytes, int(np.random.randint(2**31)))


@wrong("no seed unless it is told one", killed_by="test_compress_with_the_same_seed_gives_the_same_model")
def no_default_seed(model, data, budget_bytes, seed=None):
    return recipe(model, data, budget_bytes, time.perf_counter_ns() if seed is None else seed)


@wrong(
    "narrower at every call: it counts its calls",
    killed_by="test_compress_with_the_same_seed_gives_the_same_model",
)
def keeps_state(model, data, budget_bytes, seed=0, calls=[0]):  # noqa: B006
    calls[0] += 1
    return recipe(model, data, budget_bytes, seed, units=12 - calls[0])


@wrong("remembers the first budget it was given", killed_by="test_file_fits_the_smallest_budgets")
def remembers_the_budget(model, data, budget_bytes, seed=0, first=[]):  # noqa: B006
    first.append(budget_bytes)
    return recipe(model, data, first[0], seed, units=first[0] // 700)


@wrong("prunes the model it was given", killed_by="test_compress_leaves_its_arguments")
def prunes_the_argument(model, data, budget_bytes, seed=0):
    small = recipe(model, data, budget_bytes, seed)
    for layer in right.weighted_layers(model):
        layer.weight[np.abs(layer.weight) < 0.01] = 0
    return small


@wrong("trains the model it was given", killed_by="test_compress_leaves_its_arguments")
def trains_the_argument(model, data, budget_bytes, seed=0):
    fit(model, data.validation, epochs=1, seed=seed)
    return recipe(model, data, budget_bytes, seed)


@wrong("returns the argument with smaller arrays", killed_by="test_compress_leaves_its_arguments")
def returns_the_argument(model, data, budget_bytes, seed=0):
    model.layers[:] = recipe(model, data, budget_bytes, seed).layers
    return model


@wrong("shares the classifier with the model it was given", killed_by="test_compress_leaves_its_arguments")
def shares_a_bias(model, data, budget_bytes, seed=0):
    small = recipe(model, data, budget_bytes, seed)
    small.layers[-1].bias = model.layers[-1].bias
    return small


@wrong("centres the images it was given", killed_by="test_compress_leaves_its_arguments")
def centres_the_images(model, data, budget_bytes, seed=0):
    small = recipe(model, data, budget_bytes, seed)
    data.train.images[:] -= data.train.images.mean()
    return small

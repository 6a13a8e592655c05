"""Wrong versions of `neuron_importance`. `outputs` runs the right layers: each shows its own mistake."""

from __future__ import annotations

import numpy as np

from assignment.nn import Dense, ReLU
from tests_hidden.mutants import right, wrong


def checked(model, layer_index):
    """The index, or the right ValueError."""
    right.neuron_importance(model, layer_index, np.zeros((1, inputs_of(model)), np.float32))
    return layer_index


def inputs_of(model):
    first = model.layers[0]
    return first.in_features if isinstance(first, Dense) else int(np.prod(first.shape))


def last_of_unit(model, layer_index):
    """The index of the layer whose output counts: the ReLU that comes next, or the layer itself."""
    comes_next = layer_index + 1 < len(model.layers) and isinstance(model.layers[layer_index + 1], ReLU)
    return layer_index + comes_next


def run(model, last, images):
    x = images
    for layer in model.layers[: last + 1]:
        x = layer.forward(x)
    return x.astype(np.float64)


def outputs(model, layer_index, images):
    return run(model, last_of_unit(model, checked(model, layer_index)), images)


def over_images_and_positions(out, reduce=np.mean):
    return reduce(out, axis=(0, *range(2, out.ndim)))


@wrong("the signed mean: -2 and 2 cancel", killed_by="test_importance_without_a_relu_is_raw")
def signed_mean(model, layer_index, images):
    return over_images_and_positions(outputs(model, layer_index, images))


@wrong("the absolute value of the mean", killed_by="test_importance_without_a_relu_is_raw")
def absolute_value_of_the_mean(model, layer_index, images):
    return np.abs(over_images_and_positions(outputs(model, layer_index, images)))


@wrong("the signed mean where a pool comes next", killed_by="test_importance_with_a_pool_before_the_relu")
def signed_mean_before_a_pool(model, layer_index, images):
    if "Pool" in type(model.layers[min(layer_index + 1, len(model.layers) - 1)]).__name__:
        return over_images_and_positions(outputs(model, layer_index, images))
    return right.neuron_importance(model, layer_index, images)


@wrong("the output before the ReLU", killed_by="test_importance_is_taken_after_the_next_relu")
def before_the_relu(model, layer_index, images):
    return over_images_and_positions(np.abs(run(model, checked(model, layer_index), images)))


@wrong(
    "a ReLU is applied, whether the model has one or not", killed_by="test_importance_without_a_relu_is_raw"
)
def always_a_relu(model, layer_index, images):
    return over_images_and_positions(np.maximum(run(model, checked(model, layer_index), images), 0))


@wrong("uses a later ReLU that is not the next layer", killed_by="test_importance_without_a_relu_is_raw")
def any_later_relu(model, layer_index, images):
    later = [
        i
        for i, layer in enumerate(model.layers)
        if i > checked(model, layer_index) and isinstance(layer, ReLU)
    ]
    out = run(model, layer_index, images)
    return over_images_and_positions(np.maximum(out, 0) if later else np.abs(out))


@wrong("looks through a Flatten for the ReLU", killed_by="test_importance_without_a_relu_is_raw")
def looks_through_a_flatten(model, layer_index, images):
    out = outputs(model, layer_index, images)
    behind = [type(layer).__name__ for layer in model.layers[layer_index + 1 : layer_index + 3]]
    return over_images_and_positions(np.abs(np.maximum(out, 0) if behind == ["Flatten", "ReLU"] else out))


@wrong(
    "averages the output of a pool behind the layer",
    killed_by="test_importance_is_taken_before_a_pool_that_follows",
)
def behind_the_pool(model, layer_index, images):
    last = last_of_unit(model, checked(model, layer_index))
    pooled = last + 1 < len(model.layers) and "Pool" in type(model.layers[last + 1]).__name__
    return over_images_and_positions(np.abs(run(model, last + pooled, images)))


@wrong("the output of the layer after the ReLU", killed_by="test_importance_is_taken_after_the_next_relu")
def one_layer_too_far(model, layer_index, images):
    last = min(last_of_unit(model, checked(model, layer_index)) + 1, len(model.layers) - 1)
    return over_images_and_positions(np.abs(run(model, last, images)))


@wrong("the sum over images", killed_by="test_importance_of_images_given_twice")
def sum_over_images(model, layer_index, images):
    return over_images_and_positions(np.abs(outputs(model, layer_index, images)), np.sum)


@wrong("the sum over positions, the mean over images", killed_by="test_importance_of_a_channel_is_one_mean")
def sum_over_positions(model, layer_index, images):
    out = np.abs(outputs(model, layer_index, images))
    return out.mean(axis=0).reshape(out.shape[1], -1).sum(axis=1)


@wrong("the largest output", killed_by="test_importance_is_taken_after_the_next_relu")
def largest_output(model, layer_index, images):
    return over_images_and_positions(np.abs(outputs(model, layer_index, images)), np.max)


@wrong("the largest position of each image", killed_by="test_importance_of_a_channel_is_one_mean")
def largest_position(model, layer_index, images):
    out = np.abs(outputs(model, layer_index, images))
    return out.reshape(*out.shape[:2], -1).max(axis=2).mean(axis=0)


@wrong("the root of the mean square", killed_by="test_importance_is_taken_after_the_next_relu")
def root_of_the_mean_square(model, layer_index, images):
    return np.sqrt(over_images_and_positions(outputs(model, layer_index, images) ** 2))


@wrong("the standard deviation", killed_by="test_importance_is_taken_after_the_next_relu")
def standard_deviation(model, layer_index, images):
    return over_images_and_positions(outputs(model, layer_index, images), np.std)


@wrong("how often the unit fires", killed_by="test_importance_is_taken_after_the_next_relu")
def share_of_images_it_fires_on(model, layer_index, images):
    return over_images_and_positions(outputs(model, layer_index, images) > 0)


@wrong("the mean over the images on which it fires", killed_by="test_importance_is_taken_after_the_next_relu")
def mean_where_it_fires(model, layer_index, images):
    out = np.abs(outputs(model, layer_index, images))
    fires = np.maximum(over_images_and_positions(out > 0, np.sum), 1)
    return over_images_and_positions(out, np.sum) / fires


@wrong("the norm of the unit's weights", killed_by="test_importance_of_images_given_twice")
def norm_of_the_weights(model, layer_index, images):
    layer = model.layers[checked(model, layer_index)]
    axis = 0 if isinstance(layer, Dense) else (1, 2, 3)
    return np.sqrt((layer.weight**2).sum(axis=axis))


@wrong(
    "the mean of batch means: a small last batch counts too much",
    killed_by="test_importance_does_not_depend_on_batches",
)
def mean_of_batch_means(model, layer_index, images):
    batches = [images[i : i + 128] for i in range(0, len(images), 128)]
    return np.mean([right.neuron_importance(model, layer_index, batch) for batch in batches], axis=0)


@wrong("the mean of batch means, for channels alone", killed_by="test_importance_does_not_depend_on_batches")
def channel_mean_of_batch_means(model, layer_index, images):
    out = np.abs(outputs(model, layer_index, images))
    batches = [out] if out.ndim == 2 else [out[start : start + 100] for start in range(0, len(out), 100)]
    return np.mean([over_images_and_positions(batch) for batch in batches], axis=0)


@wrong("the last, smaller batch is dropped", killed_by="test_importance_does_not_depend_on_batches")
def drops_the_last_batch(model, layer_index, images):
    whole = len(images) // 100 * 100
    return right.neuron_importance(model, layer_index, images[: whole or len(images)])


@wrong("the first thousand images stand for all", killed_by="test_importance_does_not_depend_on_batches")
def a_sample_of_the_images(model, layer_index, images):
    return right.neuron_importance(model, layer_index, images[:1000])


@wrong("one number for each position of a channel", killed_by="test_importance_of_a_channel_is_one_mean")
def one_for_each_position(model, layer_index, images):
    return np.abs(outputs(model, layer_index, images)).mean(axis=0).ravel()


@wrong(
    "averages over the units' axis instead of the images",
    killed_by="test_importance_is_taken_after_the_next_relu",
)
def averages_over_units(model, layer_index, images):
    out = np.abs(outputs(model, layer_index, images))
    return out.mean(axis=tuple(range(1, out.ndim)))


@wrong("the images go straight into the layer", killed_by="test_importance_of_a_later_layer")
def skips_the_layers_before(model, layer_index, images):
    layer = model.layers[checked(model, layer_index)]
    if isinstance(layer, Dense) and layer.in_features == images.shape[1]:
        return np.maximum(layer.forward(images), 0).mean(axis=0)
    fitting = np.resize(images, (len(images), layer.in_features)) if isinstance(layer, Dense) else None
    if fitting is None:
        return right.neuron_importance(model, layer_index, images)
    return np.maximum(layer.forward(fitting.astype(np.float32)), 0).mean(axis=0)


@wrong("layer_index counts layers with weights only", killed_by="test_importance_of_a_later_layer")
def counts_weighted_layers(model, layer_index, images):
    weighted = [i for i, layer in enumerate(model.layers) if layer.parameters()]
    return right.neuron_importance(model, weighted[min(layer_index, len(weighted) - 1)], images)


@wrong("sorted, largest first", killed_by="test_importance_moves_with_its_unit")
def sorted_by_size(model, layer_index, images):
    return np.sort(right.neuron_importance(model, layer_index, images))[::-1]


@wrong(
    "the ranking of the units instead of their importance",
    killed_by="test_importance_is_taken_after_the_next_relu",
)
def ranking(model, layer_index, images):
    return np.argsort(np.argsort(right.neuron_importance(model, layer_index, images))).astype(np.float32)


@wrong("scaled to shares that sum to 1", killed_by="test_importance_is_taken_after_the_next_relu")
def normalised(model, layer_index, images):
    value = right.neuron_importance(model, layer_index, images)
    return value / value.sum()


@wrong("a small constant added against zeros", killed_by="test_importance_of_a_dead_unit_is_zero")
def padded(model, layer_index, images):
    return right.neuron_importance(model, layer_index, images) + np.float32(1e-6)


@wrong("squeezes a layer of one unit into a number", killed_by="test_importance_from_one_image_or_unit")
def squeezed(model, layer_index, images):
    return np.squeeze(right.neuron_importance(model, layer_index, images))


@wrong("the first image alone", killed_by="test_importance_is_taken_after_the_next_relu")
def first_image(model, layer_index, images):
    return right.neuron_importance(model, layer_index, images[:1])


@wrong(
    "zeros where a layer has no weights, instead of ValueError",
    killed_by="test_importance_needs_a_layer_with_weights",
)
def zeros_without_weights(model, layer_index, images):
    if layer_index < len(model.layers) and not model.layers[layer_index].parameters():
        return np.zeros(1, np.float32)
    return right.neuron_importance(model, layer_index, images)


@wrong(
    "IndexError or AttributeError for a bad layer_index",
    killed_by="test_importance_needs_a_layer_with_weights",
)
def lets_python_complain(model, layer_index, images):
    len(model.layers[layer_index].bias)
    return right.neuron_importance(model, layer_index, images)


@wrong("accepts a layer without weights", killed_by="test_importance_needs_a_layer_with_weights")
def takes_any_layer(model, layer_index, images):
    return over_images_and_positions(np.abs(run(model, last_of_unit(model, layer_index), images)))


@wrong("an error that names nothing", killed_by="test_importance_needs_a_layer_with_weights")
def says_nothing(model, layer_index, images):
    try:
        return right.neuron_importance(model, layer_index, images)
    except ValueError:
        raise ValueError("invalid argument") from None


@wrong("scales the images it was given", killed_by="test_importance_leaves_its_arguments")
def scales_the_images(model, layer_index, images):
    value = right.neuron_importance(model, layer_index, images)
    images /= np.float32(255)
    return value


@wrong("cuts the model off behind the layer", killed_by="test_importance_leaves_its_arguments")
def cuts_the_model_off(model, layer_index, images):
    value = right.neuron_importance(model, layer_index, images)
    del model.layers[layer_index + 2 :]
    return value

"""Wrong ways to train a pruned model."""

import numpy as np

from assignment.nn import SGD, Adam, Conv2D, Dataset, cross_entropy, fit
from tests_hidden.mutants import right, wrong


def apply(model, masks):
    for layer, mask in zip(right.weighted_layers(model), masks, strict=True):
        layer.weight[~np.asarray(mask)] = 0.0


def check(model):
    """The reference's refusal of NaN, without its training."""
    right.prune(model, 0.0)


def start(model, masks):
    check(model)
    tuned = model.copy()
    apply(tuned, masks)
    return tuned


def train(
    tuned, masks, dataset, epochs, learning_rate, batch_size, seed, optimizer=None, after=None, loss=None
):
    """What the reference does with a copy, its parts replaceable."""
    fit(
        tuned,
        dataset,
        epochs=epochs,
        optimizer=optimizer or SGD(learning_rate, momentum=0.9),
        batch_size=batch_size,
        seed=seed,
        after_step=after or (lambda trained: apply(trained, masks)),
        **({"loss": loss} if loss else {}),
    )
    return tuned


def nothing(model):
    pass


@wrong(
    "masks once before training, and lets weights grow back",
    killed_by="test_finetune_ends_with_pruned_weights_at_zero",
)
def masks_first_only(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    tuned = start(model, masks)
    return train(tuned, masks, dataset, epochs, learning_rate, batch_size, seed, after=nothing)


@wrong("masks only at the end", killed_by="test_finetune_does_not_let_pruned_values_speak")
def masks_last_only(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    check(model)
    tuned = train(model.copy(), masks, dataset, epochs, learning_rate, batch_size, seed, after=nothing)
    apply(tuned, masks)
    return tuned


@wrong("masks after steps, not before the first", killed_by="test_finetune_does_not_let_pruned_values_speak")
def first_step_unmasked(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    check(model)
    return train(model.copy(), masks, dataset, epochs, learning_rate, batch_size, seed)


@wrong(
    "masks at the start and the end", killed_by="test_finetune_does_not_look_at_inputs_of_pruned_weights_only"
)
def masks_first_and_last(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    tuned = start(model, masks)
    train(tuned, masks, dataset, epochs, learning_rate, batch_size, seed, after=nothing)
    apply(tuned, masks)
    return tuned


@wrong("masks after each epoch", killed_by="test_finetune_does_not_hear_a_unit_that_nothing_reads")
def masks_each_epoch(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    tuned = start(model, masks)
    optimizer = SGD(learning_rate, momentum=0.9)
    for epoch in range(epochs):
        train(tuned, masks, dataset, 1, learning_rate, batch_size, seed + epoch, optimizer, after=nothing)
        apply(tuned, masks)
    return tuned


@wrong("masks every other step", killed_by="test_finetune_does_not_look_at_inputs_of_pruned_weights_only")
def masks_now_and_then(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    tuned, steps = start(model, masks), [0]

    def after(trained):
        steps[0] += 1
        if steps[0] % 2 == 0:
            apply(trained, masks)

    train(tuned, masks, dataset, epochs, learning_rate, batch_size, seed, after=after)
    apply(tuned, masks)
    return tuned


@wrong(
    "clips the gradient by a norm in which pruned weights count",
    killed_by="test_finetune_does_not_look_at_inputs_of_pruned_weights_only",
)
def clips_with_pruned(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    class Clipped(SGD):
        def step(self, model, factor=1.0):
            norm = np.sqrt(sum(float((grad**2).sum()) for grad in model.gradients()))
            super().step(model, factor * min(1.0, 0.2 / max(norm, 1e-12)))

    tuned = start(model, masks)
    return train(tuned, masks, dataset, epochs, learning_rate, batch_size, seed, Clipped(learning_rate))


@wrong("masks Dense layers only", killed_by="test_finetune_learns_with_convolutions")
def dense_masks_only(model, masks, dataset, **settings):
    kinds = [isinstance(layer, Conv2D) for layer in right.weighted_layers(model)]
    masks = [np.ones_like(mask) if conv else mask for mask, conv in zip(masks, kinds, strict=True)]
    return right.finetune(model, masks, dataset, **settings)


@wrong("masks are matched to layers from the end", killed_by="test_finetune_learns_in_small_batches")
def masks_reversed(model, masks, dataset, **settings):
    masks = [np.ones_like(mask) for mask in masks[:-1]] + [masks[-1]]
    return right.finetune(model, masks, dataset, **settings)


@wrong("True in a mask means pruned", killed_by="test_finetune_ends_with_pruned_weights_at_zero")
def inverted(model, masks, dataset, **settings):
    masks = [~np.asarray(mask) for mask in masks]
    return right.finetune(model, masks, dataset, **settings)


@wrong("drops the last, smaller batch", killed_by="test_finetune_counts_every_image_in_a_smaller_last_batch")
def drops_last(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    tuned, rng = start(model, masks), np.random.default_rng(seed)
    optimizer = SGD(learning_rate, momentum=0.9)
    for _ in range(epochs):
        for batch in dataset.batches(batch_size, rng):
            if len(batch) == batch_size:
                train(tuned, masks, batch, 1, learning_rate, batch_size, 0, optimizer)
    return tuned


@wrong("trains only where there is a full batch", killed_by="test_finetune_learns_in_one_full_batch")
def needs_a_full_batch(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    epochs = epochs if len(dataset) >= batch_size else 0
    return right.finetune(
        model, masks, dataset, epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, seed=seed
    )


@wrong("trains on the first batch only", killed_by="test_finetune_counts_every_image_in_a_smaller_last_batch")
def first_batch_only(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    first = next(iter(dataset.batches(batch_size)))
    return right.finetune(
        model, masks, first, epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, seed=seed
    )


@wrong("starts from new random weights", killed_by="test_finetune_starts_from_the_weights_it_is_given")
def random_restart(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    fresh, rng = start(model, masks), np.random.default_rng(seed)
    for layer in right.weighted_layers(fresh):
        layer.weight = rng.normal(0, 0.3, layer.weight.shape).astype(np.float32)
    return right.finetune(
        fresh, masks, dataset, epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, seed=seed
    )


@wrong("sets the biases to zero first", killed_by="test_finetune_starts_from_the_weights_it_is_given")
def zero_biases(model, masks, dataset, **settings):
    fresh = start(model, masks)
    for layer in right.weighted_layers(fresh):
        layer.bias[:] = 0
    return right.finetune(fresh, masks, dataset, **settings)


@wrong(
    "holds every zero of the model, masked or not", killed_by="test_finetune_trains_zeros_that_are_not_masked"
)
def own_zeros_too(model, masks, dataset, **settings):
    layers = zip(masks, right.weighted_layers(model), strict=True)
    masks = [np.asarray(mask) & (layer.weight != 0) for mask, layer in layers]
    return right.finetune(model, masks, dataset, **settings)


@wrong("reads the masks from the model's zeros", killed_by="test_finetune_ends_with_pruned_weights_at_zero")
def own_zeros_only(model, masks, dataset, **settings):
    masks = [layer.weight != 0 for layer in right.weighted_layers(model)]
    return right.finetune(model, masks, dataset, **settings)


@wrong("freezes biases", killed_by="test_finetune_trains_weights_and_biases_of_every_layer")
def frozen_biases(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    tuned = start(model, masks)
    biases = [layer.bias.copy() for layer in right.weighted_layers(tuned)]

    def after(trained):
        apply(trained, masks)
        for layer, bias in zip(right.weighted_layers(trained), biases, strict=True):
            layer.bias[:] = bias

    return train(tuned, masks, dataset, epochs, learning_rate, batch_size, seed, after=after)


@wrong("trains the classifier only", killed_by="test_finetune_trains_weights_and_biases_of_every_layer")
def classifier_only(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    tuned = start(model, masks)
    first = [(layer, layer.weight.copy(), layer.bias.copy()) for layer in right.weighted_layers(tuned)[:-1]]

    def after(trained):
        apply(trained, masks)
        for layer, weight, bias in first:
            layer.weight[...], layer.bias[...] = weight, bias

    return train(tuned, masks, dataset, epochs, learning_rate, batch_size, seed, after=after)


@wrong("returns the masked model untrained", killed_by="test_finetune_learns_in_small_batches")
def no_training(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    return start(model, masks)


@wrong("climbs the loss", killed_by="test_finetune_learns_in_small_batches")
def ascends(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    return right.finetune(
        model, masks, dataset, epochs=epochs, learning_rate=-learning_rate, batch_size=batch_size, seed=seed
    )


@wrong("trains one epoch, whatever epochs says", killed_by="test_finetune_uses_its_settings")
def one_epoch(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    return right.finetune(
        model, masks, dataset, epochs=1, learning_rate=learning_rate, batch_size=batch_size, seed=seed
    )


@wrong("trains in full batches, whatever batch_size says", killed_by="test_finetune_uses_its_settings")
def one_batch(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    return right.finetune(
        model, masks, dataset, epochs=epochs, learning_rate=learning_rate, batch_size=len(dataset), seed=seed
    )


@wrong(
    "Adam at its usual rate, whatever learning_rate says",
    killed_by="test_finetune_starts_from_the_weights_it_is_given",
)
def own_rate(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    tuned = start(model, masks)
    return train(tuned, masks, dataset, epochs, learning_rate, batch_size, seed, Adam(1e-3))


@wrong("steps on the sum of the losses", killed_by="test_finetune_steps_on_the_mean_loss")
def summed_loss(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    def loss(logits, batch):
        value, grad = cross_entropy(logits, batch.labels)
        return value * len(batch), grad * len(batch)

    tuned = start(model, masks)
    return train(
        tuned, masks, dataset, epochs, learning_rate, batch_size, seed, SGD(learning_rate), loss=loss
    )


@wrong(
    "divides by batch_size, not by the images in the batch", killed_by="test_finetune_steps_on_the_mean_loss"
)
def nominal_batch_size(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    def loss(logits, batch):
        value, grad = cross_entropy(logits, batch.labels)
        return value, grad * np.float32(len(batch) / batch_size)

    tuned = start(model, masks)
    return train(tuned, masks, dataset, epochs, learning_rate, batch_size, seed, loss=loss)


@wrong("shuffles without the seed", killed_by="test_finetune_repeats_itself_under_a_seed")
def unseeded(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    seed = int(np.random.default_rng().integers(1 << 30))
    return right.finetune(
        model, masks, dataset, epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, seed=seed
    )


MOMENTUM = []


@wrong("one optimiser for all calls, momentum and all", killed_by="test_finetune_repeats_itself_under_a_seed")
def lasting_momentum(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    if not MOMENTUM:
        MOMENTUM.append(SGD(learning_rate, momentum=0.9))
    tuned = start(model, masks)
    return train(tuned, masks, dataset, epochs, learning_rate, batch_size, seed, MOMENTUM[0])


@wrong("trains the model it is given", killed_by="test_finetune_returns_a_new_model")
def in_place(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    check(model)
    apply(model, masks)
    return train(model, masks, dataset, epochs, learning_rate, batch_size, seed)


@wrong("shuffles the dataset it is given", killed_by="test_finetune_returns_a_new_model")
def shuffles_in_place(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    order = np.random.default_rng(seed).permutation(len(dataset))
    dataset.images[:] = dataset.images[order]
    dataset.labels[:] = dataset.labels[order]
    return right.finetune(
        model, masks, dataset, epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, seed=seed
    )


@wrong("gives back the classifier's own bias array", killed_by="test_finetune_returns_a_new_model")
def shared_bias(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    tuned = right.finetune(
        model, masks, dataset, epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, seed=seed
    )
    right.weighted_layers(tuned)[0].bias = right.weighted_layers(model)[0].bias
    return tuned


@wrong("returns the losses, not the model", killed_by="test_finetune_learns_in_small_batches")
def returns_losses(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    reports = fit(start(model, masks), dataset, epochs=epochs, batch_size=batch_size, seed=seed)
    return [report.loss for report in reports]


@wrong("trains on NaN", killed_by="test_finetune_refuses_nan_among_weights")
def nan_weights(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    tuned = model.copy()
    apply(tuned, masks)
    return train(tuned, masks, dataset, epochs, learning_rate, batch_size, seed)


@wrong(
    "squared error, where the cross-entropy is asked for",
    killed_by="test_finetune_goes_down_the_slope_of_the_cross_entropy",
)
def squared_error(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    def loss(logits, batch):
        error = logits - np.eye(logits.shape[1], dtype=np.float32)[batch.labels]
        return float(np.square(error).mean()), 2 * error / np.float32(error.size)

    return train(start(model, masks), masks, dataset, epochs, learning_rate, batch_size, seed, loss=loss)


@wrong("another batch size by default", killed_by="test_finetune_uses_its_settings")
def default_batch_of_32(model, masks, dataset, *, epochs, learning_rate, batch_size=32, seed=0):
    return train(start(model, masks), masks, dataset, epochs, learning_rate, batch_size, seed)


@wrong(
    "trains on standardised images, which the model never sees later",
    killed_by="test_finetune_goes_down_the_slope_of_the_cross_entropy",
)
def standardises(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    images = (dataset.images - dataset.images.mean()) / (dataset.images.std() + np.float32(1e-6))
    given = Dataset(images, dataset.labels)
    return train(start(model, masks), masks, given, epochs, learning_rate, batch_size, seed)


@wrong(
    "sets the biases of units without weights to zero",
    killed_by="test_finetune_starts_from_the_weights_it_is_given",
)
def biases_of_dead_units(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    tuned = start(model, masks)
    train(tuned, masks, dataset, epochs, learning_rate, batch_size, seed)
    for layer in right.weighted_layers(tuned):
        units = layer.weight.T if layer.weight.ndim == 2 else layer.weight
        layer.bias[[not unit.any() for unit in units]] = 0
    return tuned


@wrong(
    "cuts small weights once more at the end",
    killed_by="test_finetune_starts_from_the_weights_it_is_given",
)
def cuts_again(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    tuned = start(model, masks)
    train(tuned, masks, dataset, epochs, learning_rate, batch_size, seed)
    for layer in right.weighted_layers(tuned):
        layer.weight[np.abs(layer.weight) < 1e-3] = 0
    return tuned

"""A right solution by somebody who trusts no argument and whom no argument need fear.

Freedoms it uses: lists and nested lists are as welcome as arrays; errors are subclasses of ValueError with
words of their own; what the contract leaves free is refused where it can only be a mistake (masks of
another shape, bits that are no whole number, a temperature of zero, importances of the wrong length);
everything is copied, twice if need be; a gentle momentum; rounding half up; 16-bit indices;
symmetric scales rounded to float32 where it can hold them. `compress` removes neurons by importance,
then prunes and quantizes what is left, measuring each try on the validation images.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from assignment.artifact import pack
from assignment.nn import (
    SGD,
    Conv2D,
    Data,
    Dataset,
    Dense,
    ReLU,
    Sequential,
    cosine,
    cross_entropy,
    evaluate,
    fit,
)

Array = np.ndarray


class CompressionError(ValueError):
    """What every refusal here is."""

    def __init__(self, argument: str, got: object, need: str):
        super().__init__(f"The argument '{argument}' was {got}; it needs to be {need}.")
        self.argument = argument


class OutOfRangeError(CompressionError):
    """A number that is none of those allowed."""


class NotANumberError(CompressionError):
    """NaN where a number belongs."""


class UnknownChoiceError(CompressionError):
    """A word that names nothing here."""


class WrongLayerError(CompressionError):
    """An index that leads to no suitable layer."""


class MismatchError(CompressionError):
    """Arguments that do not go together."""


# Validation


def checked_model(model: Any, argument: str = "model") -> Sequential:
    if not isinstance(model, Sequential):
        raise MismatchError(argument, type(model).__name__, "a Sequential")
    return model


def checked_share(argument: str, value: Any) -> float:
    need = "a number from 0 to 1, both included"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise OutOfRangeError(argument, repr(value), need) from None
    if math.isnan(number):
        raise NotANumberError(argument, "NaN (nan)", need)
    if number < 0 or number > 1:
        raise OutOfRangeError(argument, repr(number), need)
    return number


def checked_bits(bits: Any, least: int, most: int) -> int:
    need = f"a whole number from {least} to {most}"
    try:
        number = operator.index(bits)
    except TypeError:
        if not isinstance(bits, float) or not bits.is_integer():
            raise OutOfRangeError("bits", repr(bits), need) from None
        number = int(bits)
    if number < least or number > most:
        raise OutOfRangeError("bits", number, need)
    return number


def checked_choice(argument: str, value: Any, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise UnknownChoiceError(argument, repr(value), " or ".join(repr(choice) for choice in choices))
    return value


def checked_weights(weights: Any, where: str = "") -> Array:
    """A private C-ordered float32 copy."""
    array = np.array(weights, dtype=np.float32, order="C", copy=True)
    if np.isnan(array).any():
        first = tuple(int(i) for i in np.argwhere(np.isnan(array))[0])
        raise NotANumberError("weights", f"NaN (nan) at {first}{where}", "numbers only")
    return array


def checked_positive(argument: str, value: Any) -> float:
    number = float(value)
    if not number > 0:
        raise OutOfRangeError(argument, repr(value), "above 0")
    return number


def checked_layer(model: Sequential, layer_index: Any) -> int:
    """The index from the front of a layer that has weights."""
    count = len(checked_model(model).layers)
    try:
        index = operator.index(layer_index)
    except TypeError:
        raise WrongLayerError("layer_index", repr(layer_index), "a whole number") from None
    if index < -count or index >= count:
        raise WrongLayerError("layer_index", index, f"from {-count} to {count - 1}, the layers of this model")
    position = index + count if index < 0 else index
    if not isinstance(model.layers[position], (Dense, Conv2D)):
        got = f"{index} ({model.layers[position]!r}, which has no weights)"
        raise WrongLayerError("layer_index", got, f"one of {weighted_positions(model)}, which have weights")
    return position


def checked_masks(model: Sequential, masks: Any) -> list[Array]:
    layers = weighted_layers(model)
    copies = [np.array(mask, dtype=bool, copy=True) for mask in masks]
    if len(copies) != len(layers):
        raise MismatchError("masks", f"a list of {len(copies)}", f"a list of {len(layers)}")
    for number, (mask, layer) in enumerate(zip(copies, layers, strict=True)):
        if mask.shape != layer.weight.shape:
            got = f"of shape {mask.shape} at {number}"
            raise MismatchError("masks", got, f"of shape {layer.weight.shape} there")
    return copies


def weighted_positions(model: Sequential) -> list[int]:
    return [i for i, layer in enumerate(model.layers) if isinstance(layer, (Dense, Conv2D))]


def weighted_layers(model: Sequential) -> list[Dense | Conv2D]:
    return [layer for layer in model.layers if isinstance(layer, (Dense, Conv2D))]


def checked_copy(model: Any) -> Sequential:
    """A copy whose weights are float32 of its own, and free of NaN."""
    copy = checked_model(model).copy()
    for position in weighted_positions(copy):
        layer = copy.layers[position]
        layer.weight = checked_weights(layer.weight, f" of layer {position} of the model")
        layer.bias = np.array(layer.bias, dtype=np.float32, copy=True)
    return copy


def copied_dataset(dataset: Dataset) -> Dataset:
    return Dataset(np.array(dataset.images, np.float32), np.array(dataset.labels, np.int64))


# Part 1


def count_parameters(model: Sequential) -> int:
    layers = weighted_layers(checked_model(model))
    return int(sum(math.prod(array.shape) for layer in layers for array in layer.parameters()))


def sparsity(model: Sequential) -> float:
    total = nonzero = 0
    for layer in weighted_layers(checked_model(model)):
        total += int(layer.weight.size)
        nonzero += int(np.count_nonzero(layer.weight))
    return 0.0 if total == 0 else (total - nonzero) / total


def storage_bytes(model: Sequential, bits: int = 32) -> int:
    width = operator.index(bits)
    total = 0
    for layer in weighted_layers(checked_model(model)):
        total += math.ceil(width * int(layer.weight.size) / 8)
        total += 4 * int(layer.bias.size)
    return total


# Part 2


def magnitude_mask(weights: Array, sparsity: float) -> Array:
    share = checked_share("sparsity", sparsity)
    magnitudes = np.abs(checked_weights(weights))
    count = round(share * magnitudes.size)
    mask = np.ones(magnitudes.shape, dtype=bool)
    if count:
        flat = magnitudes.reshape(-1)
        threshold = np.partition(flat, count - 1)[count - 1]
        below = flat < threshold
        # A threshold alone would take every entry that equals it: fill up with just enough of those.
        equal = np.flatnonzero(flat == threshold)[: count - int(below.sum())]
        flat_mask = ~below
        flat_mask[equal] = False
        mask = flat_mask.reshape(magnitudes.shape)
    if int((~mask).sum()) != count:
        raise AssertionError("the count of pruned weights is exact")
    return mask


def global_magnitude_masks(model: Sequential, sparsity: float) -> list[Array]:
    share = checked_share("sparsity", sparsity)
    weights = [layer.weight for layer in weighted_layers(checked_copy(model))]
    if not weights:
        return []
    together = magnitude_mask(np.concatenate([w.reshape(-1) for w in weights]), share)
    masks, start = [], 0
    for w in weights:
        masks.append(np.array(together[start : start + w.size].reshape(w.shape), copy=True))
        start += w.size
    return masks


def prune(model: Sequential, sparsity: float, scope: str = "global") -> Sequential:
    checked_choice("scope", scope, ("global", "layer"))
    share = checked_share("sparsity", sparsity)
    pruned = checked_copy(model)
    layers = weighted_layers(pruned)
    masks = (
        global_magnitude_masks(pruned, share)
        if scope == "global"
        else [magnitude_mask(layer.weight, share) for layer in layers]
    )
    for layer, mask in zip(layers, masks, strict=True):
        layer.weight[~mask] = 0.0
    return pruned


def finetune(
    model: Sequential, masks: list[Array], dataset: Dataset, *, epochs: int, learning_rate: float,
    batch_size: int = 128, seed: int = 0,
) -> Sequential:  # fmt: skip
    net = checked_copy(model)
    own_masks = checked_masks(net, masks)

    def hold(trained: Sequential) -> None:
        for layer, mask in zip(weighted_layers(trained), own_masks, strict=True):
            layer.weight[~mask] = 0.0

    def loss(logits: Array, batch: Dataset) -> tuple[float, Array]:
        return cross_entropy(logits, batch.labels)

    hold(net)
    safely_trained(net, dataset, loss, epochs, learning_rate, batch_size, seed, hold)
    hold(net)
    return net.copy()


def safely_trained(
    net: Sequential, dataset: Dataset, loss: Any, epochs: int, learning_rate: float, batch_size: int,
    seed: int, after_step: Any = None,
) -> None:  # fmt: skip
    """`fit` with momentum, in place; layers get arrays of their own first."""
    rate = float(learning_rate)
    if not math.isfinite(rate):
        raise OutOfRangeError("learning_rate", repr(learning_rate), "finite")
    fit(
        net, copied_dataset(dataset), epochs=operator.index(epochs), optimizer=SGD(rate, momentum=0.5),
        batch_size=operator.index(batch_size), seed=seed, loss=loss, after_step=after_step,
    )  # fmt: skip


# Part 3


def quantize_affine(weights: Array, bits: int) -> tuple[Array, float, int]:
    width = checked_bits(bits, 1, 16)
    values = checked_weights(weights).astype(np.float64)
    top = (1 << width) - 1
    dtype = np.uint8 if width <= 8 else np.uint16
    low = min(0.0, float(values.min())) if values.size else 0.0
    high = max(0.0, float(values.max())) if values.size else 0.0
    scale = (high - low) / top
    if not scale > 0:
        return np.zeros(values.shape, dtype), 1.0, 0
    zero_point = max(0, min(top, math.floor(-low / scale + 0.5)))
    codes = np.floor(values / scale + 0.5) + zero_point
    codes = np.minimum(np.maximum(codes, 0), top)
    return np.array(codes, dtype=dtype, copy=True), float(scale), int(zero_point)


def dequantize_affine(codes: Array, scale: float, zero_point: int) -> Array:
    array = np.array(codes)
    if array.dtype.kind not in "uib" and array.size:
        raise MismatchError("codes", f"of dtype {array.dtype}", "integers")
    distances = array.astype(np.float64) - float(operator.index(zero_point))
    with np.errstate(over="ignore"):
        return np.array(distances * float(scale), dtype=np.float32, copy=True)


def quantize_symmetric(weights: Array, bits: int, axis: int | None = None) -> tuple[Array, Array | float]:
    width = checked_bits(bits, 2, 16)
    values = checked_weights(weights).astype(np.float64)
    top = (1 << (width - 1)) - 1
    if axis is None:
        others: tuple[int, ...] = tuple(range(values.ndim))
    else:
        position = operator.index(axis)
        if position < -values.ndim or position >= values.ndim:
            raise OutOfRangeError("axis", axis, f"None, or an axis of an array of {values.ndim} dimensions")
        others = tuple(i for i in range(values.ndim) if i != position % values.ndim)
    largest = np.max(np.abs(values), axis=others, keepdims=True, initial=0.0)
    scales = np.where(largest > 0, largest / top, 1.0)
    if scales.size and np.finfo(np.float32).tiny < scales.min() <= scales.max() < np.finfo(np.float32).max:
        scales = scales.astype(np.float32).astype(np.float64)
    codes = np.minimum(np.maximum(np.rint(values / scales), -top), top)
    codes = np.array(codes, dtype=np.int8 if width <= 8 else np.int16, copy=True).reshape(values.shape)
    return codes, float(scales.reshape(-1)[0]) if axis is None else np.array(scales, copy=True)


def nearest_centroids(values: Array, centroids: Array) -> Array:
    """For each value the index of the nearest of ascending centroids: of two neighbours, compared."""
    right = np.clip(np.searchsorted(centroids, values), 1, max(len(centroids) - 1, 1))
    right = np.minimum(right, len(centroids) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(values - centroids[left] <= centroids[right] - values, left, right)


def kmeans_codebook(weights: Array, bits: int, iterations: int = 20) -> tuple[Array, Array]:
    width = checked_bits(bits, 1, 8)
    array = checked_weights(weights)
    values = array.reshape(-1).astype(np.float64)
    if values.size == 0:
        return np.zeros(array.shape, np.int16), np.zeros(1, np.float32)
    codes, scale, zero_point = quantize_affine(array, width)
    grid = np.unique(dequantize_affine(np.unique(codes), scale, zero_point)).astype(np.float64)
    grid = np.clip(grid, values.min(), values.max())
    any_zero = bool((values == 0).any())

    def squared_error(centroids: Array) -> float:
        return float(np.sum(np.square(values - centroids[nearest_centroids(values, centroids)])))

    centroids = grid.copy()
    for _ in range(max(0, operator.index(iterations))):
        owners = nearest_centroids(values, centroids)
        sums, counts = np.zeros(len(centroids)), np.zeros(len(centroids))
        np.add.at(sums, owners, values)
        np.add.at(counts, owners, 1.0)
        update = np.divide(sums, counts, out=centroids.copy(), where=counts > 0)
        if any_zero:
            update[centroids == 0] = 0.0
        update = np.sort(update.astype(np.float32).astype(np.float64))
        if np.array_equal(update, centroids):
            break
        centroids = update
    if not squared_error(centroids) <= squared_error(grid):
        centroids = grid
    indices = nearest_centroids(values, centroids).astype(np.int16)
    return indices.reshape(array.shape), centroids.astype(np.float32)


def quantize_model(model: Sequential, bits: int, scheme: str = "affine") -> Sequential:
    checked_choice("scheme", scheme, ("affine", "symmetric", "kmeans"))
    least, most = {"affine": (1, 16), "symmetric": (2, 16), "kmeans": (1, 8)}[scheme]
    width = checked_bits(bits, least, most)
    quantized = checked_copy(model)
    for layer in weighted_layers(quantized):
        if scheme == "affine":
            layer.weight = dequantize_affine(*quantize_affine(layer.weight, width))
        elif scheme == "symmetric":
            codes, scales = quantize_symmetric(layer.weight, width, axis=1 if isinstance(layer, Dense) else 0)
            layer.weight = np.array(codes.astype(np.float64) * scales, dtype=np.float32)
        else:
            indices, codebook = kmeans_codebook(layer.weight, width)
            layer.weight = np.array(codebook[indices], dtype=np.float32)
    return quantized


# Part 4


def checked_logits(argument: str, logits: Any) -> Array:
    array = np.array(logits, dtype=np.float64)
    if array.ndim != 2:
        raise MismatchError(argument, f"of shape {array.shape}", "of shape (N, classes)")
    return array


def stable_log_softmax(logits: Array) -> Array:
    if logits.size == 0:
        return logits
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    heat = checked_positive("temperature", temperature)
    return np.exp(stable_log_softmax(checked_logits("logits", logits) / heat))


def distillation_loss(
    student_logits: Array, teacher_logits: Array, labels: Array, temperature: float = 3.0, alpha: float = 0.5
) -> tuple[float, Array]:
    heat, mix = checked_positive("temperature", temperature), checked_share("alpha", alpha)
    student = checked_logits("student_logits", student_logits)
    teacher = checked_logits("teacher_logits", teacher_logits)
    if student.shape != teacher.shape:
        raise MismatchError("teacher_logits", f"of shape {teacher.shape}", f"of shape {student.shape}")
    truth = np.array(labels, dtype=np.int64)
    if truth.shape != student.shape[:1]:
        raise MismatchError("labels", f"of shape {truth.shape}", f"of shape {student.shape[:1]}")
    count, rows = max(1, len(student)), np.arange(len(student))
    log_hard, log_soft, log_told = map(stable_log_softmax, (student, student / heat, teacher / heat))
    told = np.exp(log_told)
    kl = np.where(told > 0, told * (log_told - log_soft), 0.0).sum()
    loss = (mix * -log_hard[rows, truth].sum() + (1 - mix) * heat**2 * kl) / count
    grad = mix * np.exp(log_hard)
    grad[rows, truth] -= mix
    grad += (1 - mix) * heat * (np.exp(log_soft) - told)
    return float(loss), np.array(grad / count, dtype=np.float32)


def distill(
    student: Sequential, teacher: Sequential, dataset: Dataset, *, epochs: int, temperature: float = 3.0,
    alpha: float = 0.5, learning_rate: float, batch_size: int = 128, seed: int = 0,
) -> Sequential:  # fmt: skip
    net, wise = checked_model(student, "student").copy(), checked_model(teacher, "teacher").copy()
    images = np.array(dataset.images, np.float32)
    told = np.concatenate([wise.forward(images[i : i + 500]) for i in range(0, len(images), 500)])
    # The images of this set carry their number where the label was: so the loss can look up both.
    numbered = Dataset(images, np.arange(len(images)))
    labels = np.array(dataset.labels, np.int64)

    def loss(logits: Array, batch: Dataset) -> tuple[float, Array]:
        return distillation_loss(logits, told[batch.labels], labels[batch.labels], temperature, alpha)

    safely_trained(net, numbered, loss, epochs, learning_rate, batch_size, seed)
    return net.copy()


# Part 5


def neuron_importance(model: Sequential, layer_index: int, images: Array) -> Array:
    position = checked_layer(model, layer_index)
    inputs = np.array(images, dtype=np.float32)
    following = model.layers[position + 1] if position + 1 < len(model.layers) else None
    count = position + (2 if isinstance(following, ReLU) else 1)
    head = Sequential(model.copy().layers[:count])
    units = len(model.layers[position].bias)
    total, seen = np.zeros(units, np.float64), 0
    for start in range(0, len(inputs), 400):
        output = np.abs(head.forward(inputs[start : start + 400])).astype(np.float64)
        output = output.reshape(len(output), units, -1)
        total += output.mean(axis=2).sum(axis=0)
        seen += len(output)
    return total / max(1, seen)


def prune_neurons(model: Sequential, layer_index: int, importance: Array, keep_ratio: float) -> Sequential:
    share = checked_share("keep_ratio", keep_ratio)
    position = checked_layer(model, layer_index)
    later = [i for i in weighted_positions(model) if i > position]
    if not later:
        got = f"{layer_index}, the classifier, whose units are the classes"
        raise WrongLayerError("layer_index", got, f"one of {weighted_positions(model)[:-1]}")
    scores = np.array(importance, dtype=np.float64)
    pruned = model.copy()
    layer, reader = pruned.layers[position], pruned.layers[later[0]]
    units = int(layer.bias.size)
    if scores.shape != (units,):
        raise MismatchError("importance", f"of shape {scores.shape}", f"of shape ({units},), one a unit")
    count = max(1, round(share * units))
    kept = np.sort(np.argsort(-scores, kind="stable")[:count])

    layer.bias = np.array(layer.bias[kept])
    layer.weight = np.array(layer.weight[:, kept] if isinstance(layer, Dense) else layer.weight[kept])
    if isinstance(reader, Conv2D):
        reader.weight = np.array(reader.weight[:, kept])
        return pruned
    positions, rest = divmod(reader.weight.shape[0], units)
    if rest:
        got = f"one whose layer {later[0]} has {reader.weight.shape[0]} inputs for {units} units"
        raise MismatchError("model", got, "one whose layers fit each other")
    rows = np.concatenate([np.arange(unit * positions, (unit + 1) * positions) for unit in kept])
    reader.weight = np.array(reader.weight[rows])
    return pruned


# Part 6


def slimmer(model: Sequential, images: Array, keep_ratio: float) -> Sequential:
    """Every layer but the classifier at `keep_ratio` of its units, the busiest."""
    slim = model
    for position in weighted_positions(model)[:-1]:
        slim = prune_neurons(slim, position, neuron_importance(slim, position, images), keep_ratio)
    return slim.copy()


def packed_size(model: Sequential) -> int:
    return len(pack(model))


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    """Most of the removing by neurons, the rest by weights; of the tries that fit, the best."""
    budget = operator.index(budget_bytes)
    train, validation = copied_dataset(data.train), copied_dataset(data.validation)
    start = checked_copy(model)
    epochs = max(1, min(10, 120_000 // max(1, len(train))))
    # Four bits a weight, a third to half of the weights pruned: about 2.3 bits each in the file.
    weights = max(1, sum(layer.weight.size for layer in weighted_layers(start)))
    affordable = budget * 8 / 2.3 / weights
    slim = slimmer(start, train.images[:2000], min(1.0, affordable))
    rng_seed = int(seed)
    fit(slim, train, epochs=epochs, optimizer=SGD(0.08, momentum=0.9), schedule=cosine, seed=rng_seed)

    best, best_accuracy = None, -1.0
    for sparse in (0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0):
        masks = global_magnitude_masks(slim, sparse)
        slim = finetune(slim, masks, train, epochs=max(1, epochs // 2), learning_rate=0.05, seed=rng_seed)
        small = quantize_model(slim, 4, "kmeans")
        for layer in weighted_layers(small):
            layer.bias = layer.bias.astype(np.float16).astype(np.float32)
        if sparse == 1.0 and packed_size(small) > budget:
            for layer in weighted_layers(small):
                layer.bias = np.zeros_like(layer.bias)
        if packed_size(small) > budget:
            continue
        accuracy = evaluate(small, validation) if len(validation) else 0.0
        if best is not None and accuracy <= best_accuracy:
            break
        best, best_accuracy = small, accuracy
    if best is None:
        raise OutOfRangeError("budget_bytes", budget, f"at least {packed_size(small)}")
    return best.copy()

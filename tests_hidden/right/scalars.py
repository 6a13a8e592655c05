"""A right solution that lets NumPy's own types through wherever a number or an array is asked for.

Freedoms it uses: np.int64 counts, np.float64 shares, np.float32 scales, losses and gradients, np.uint8 and
np.uint16 zero points; masks, codes and weights in Fortran order, as strided views or read-only; small
unsigned indices; float32 arithmetic in the losses; momentum through `fit`; importances as one strided row
of a larger array. `compress` removes whole neurons, drops the pixels that no image lights, and quantizes
each unit on a symmetric grid.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from assignment.artifact import pack
from assignment.nn import SGD, Conv2D, Data, Dataset, Dense, ReLU, Sequential, cosine, fit

Array = np.ndarray
SINGLE = np.finfo(np.float32)


def heavy(model: Sequential) -> Iterable[Dense | Conv2D]:
    return filter(lambda layer: hasattr(layer, "weight"), model.layers)


def refuse_outside(name: str, value: float, low: float, high: float) -> None:
    if not np.logical_and(np.greater_equal(value, low), np.less_equal(value, high)):
        raise ValueError(f"{name} needs a value in [{low}, {high}], got {value}")


def refuse_nan(weights: Array) -> None:
    if np.any(np.isnan(weights)):
        raise ValueError("weights needs numbers only, got NaN")


def sealed(array: Array) -> Array:
    """Fortran-ordered and read-only, which no caller has a reason to mind."""
    result = np.array(array, order="F")
    result.flags.writeable = False
    return result


def every_other(array: Array) -> Array:
    """The same values as a strided view into a buffer of twice the length."""
    buffer = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    buffer[..., ::2] = array
    return buffer[..., ::2]


def narrow(scales: Array | np.float64) -> Array | np.float32 | np.float64:
    """Scales in float32, but where they are too small for its full precision, or too large for it."""
    return scales.astype(np.float32) if np.all((scales >= SINGLE.tiny) & (scales <= SINGLE.max)) else scales


# Part 1


def count_parameters(model: Sequential) -> np.int64:
    return np.sum([np.int64(array.size) for array in model.parameters()], dtype=np.int64)


def sparsity(model: Sequential) -> np.float64:
    flat = [layer.weight.ravel() for layer in heavy(model)]
    weights = np.concatenate([*flat, np.zeros(0, np.float32)])
    return np.mean(weights == 0) if weights.size else np.float64(0)


def storage_bytes(model: Sequential, bits: int = 32) -> np.int64:
    sizes = np.array([[layer.weight.size, layer.bias.size] for layer in heavy(model)], np.int64)
    sizes = sizes.reshape(-1, 2)
    return np.sum((sizes[:, 0] * np.int64(bits) + 7) // 8 + 4 * sizes[:, 1])


# Part 2


def magnitude_mask(weights: Array, sparsity: float) -> Array:
    refuse_outside("sparsity", sparsity, 0, 1)
    refuse_nan(weights)
    count = round(float(sparsity) * weights.size)
    order = np.argsort(np.abs(weights), axis=None, kind="stable")
    mask = np.ones(weights.size, np.bool_)
    np.put(mask, order[:count], False)
    return sealed(mask.reshape(weights.shape))


def global_magnitude_masks(model: Sequential, sparsity: float) -> list[Array]:
    refuse_outside("sparsity", sparsity, 0, 1)
    layers = list(heavy(model))
    flat = np.concatenate([*(layer.weight.ravel() for layer in layers), np.zeros(0, np.float32)])
    mask, masks = magnitude_mask(flat, sparsity), []
    for layer in layers:
        head, mask = mask[: layer.weight.size], mask[layer.weight.size :]
        masks.append(sealed(head.reshape(layer.weight.shape)))
    return masks


def prune(model: Sequential, sparsity: float, scope: str = "global") -> Sequential:
    if scope not in ("global", "layer"):
        raise ValueError(f"scope needs 'global' or 'layer', got {scope!r}")
    refuse_outside("sparsity", sparsity, 0, 1)
    by_layer = [magnitude_mask(layer.weight, sparsity) for layer in heavy(model)]
    masks = global_magnitude_masks(model, sparsity) if scope == "global" else by_layer
    return cleared(model, masks)


def cleared(model: Sequential, masks: list[Array]) -> Sequential:
    copy = model.copy()
    for layer, mask in zip(heavy(copy), masks, strict=True):
        weight = np.asfortranarray(layer.weight)
        np.copyto(weight, 0, where=~mask)
        layer.weight = weight
    return copy


def finetune(
    model: Sequential, masks: list[Array], dataset: Dataset, *, epochs: int, learning_rate: float,
    batch_size: int = 128, seed: int = 0,
) -> Sequential:  # fmt: skip
    for layer in heavy(model):
        refuse_nan(layer.weight)

    def hold(net: Sequential) -> None:
        for layer, mask in zip(heavy(net), masks, strict=True):
            np.copyto(layer.weight, 0, where=~mask)

    net = cleared(model, masks)
    fit(
        net, dataset, epochs=epochs, optimizer=SGD(float(learning_rate), momentum=0.9), batch_size=batch_size,
        seed=seed, after_step=hold,
    )  # fmt: skip
    return net


# Part 3


def quantize_affine(weights: Array, bits: int) -> tuple[Array, np.floating, np.unsignedinteger]:
    refuse_outside("bits", bits, 1, 16)
    refuse_nan(weights)
    dtype = np.dtype(np.uint8 if bits <= 8 else np.uint16)
    top = np.float64(2**bits - 1)
    low = np.minimum(np.min(weights, initial=0), 0, dtype=np.float64)
    high = np.maximum(np.max(weights, initial=0), 0, dtype=np.float64)
    scale = narrow((high - low) / top) if high > low else np.float32(0.5)
    steps = np.divide(weights, scale, dtype=np.float64)
    zero_point = np.clip(np.rint(-low / np.float64(scale)), 0, top)
    codes = np.clip(np.rint(steps) + zero_point, 0, top)
    return sealed(np.asarray(codes, dtype)), scale, dtype.type(zero_point)


def dequantize_affine(codes: Array, scale: float, zero_point: int) -> Array:
    steps = np.subtract(codes, np.float64(zero_point), dtype=np.float64)
    return np.array(steps * np.float64(scale), dtype=np.float32, order="F")


def quantize_symmetric(
    weights: Array, bits: int, axis: int | None = None
) -> tuple[Array, Array | np.floating]:
    refuse_outside("bits", bits, 2, 16)
    refuse_nan(weights)
    top = np.float64(2 ** (bits - 1) - 1)
    if axis is None:
        largest = np.max(np.abs(weights), initial=0).astype(np.float64)
    else:
        slices = np.moveaxis(np.abs(weights), axis, -1)
        largest = np.max(slices, axis=tuple(range(weights.ndim - 1)), initial=0).astype(np.float64)
        shape = np.ones(weights.ndim, int)
        shape[axis] = slices.shape[-1]
        largest = largest.reshape(shape)
    scales = narrow(np.where(largest > 0, largest / top, 1.0)[()])
    codes = np.clip(np.rint(np.divide(weights, scales, dtype=np.float64)), -top, top)
    return sealed(np.asarray(codes, np.int8 if bits <= 8 else np.int16)), scales


def kmeans_codebook(weights: Array, bits: int, iterations: int = 20) -> tuple[Array, Array]:
    refuse_outside("bits", bits, 1, 8)
    refuse_nan(weights)
    flat = np.sort(weights, axis=None).astype(np.float64)
    if not flat.size:
        return np.zeros(weights.shape, np.uint8), np.zeros(2**bits, np.float32)
    _, scale, zero_point = quantize_affine(weights, bits)
    steps = np.arange(2**bits) - np.float64(zero_point)
    grid = np.clip(steps * np.float64(scale), min(flat[0], 0), max(flat[-1], 0)).astype(np.float32)
    pinned = np.bool_(np.any(flat == 0)) & (grid == 0)

    def starts(codebook: Array) -> Array:
        middles = (codebook[:-1].astype(np.float64) + codebook[1:]) / 2
        return np.concatenate([[0], np.searchsorted(flat, middles), [flat.size]])

    def error(codebook: Array) -> np.float64:
        return np.sum((flat - np.repeat(codebook.astype(np.float64), np.diff(starts(codebook)))) ** 2)

    codebook = grid
    for _ in range(iterations):
        edges = starts(codebook)
        full = np.flatnonzero(np.diff(edges))
        means = codebook.copy()
        means[full] = np.add.reduceat(flat, edges[full]) / np.diff(edges)[full]
        codebook = np.where(pinned, np.float32(0), means)
    codebook = codebook if error(codebook) <= error(grid) else grid
    middles = (codebook[:-1].astype(np.float64) + codebook[1:]) / 2
    indices = np.searchsorted(middles, weights, side="right").astype(np.uint8)
    return every_other(indices) if weights.ndim else np.asarray(indices), codebook


def quantize_model(model: Sequential, bits: int, scheme: str = "affine") -> Sequential:
    ranges = {"affine": (1, 16), "symmetric": (2, 16), "kmeans": (1, 8)}
    if scheme not in ranges:
        raise ValueError(f"scheme needs one of {sorted(ranges)}, got {scheme!r}")
    refuse_outside("bits", bits, *ranges[scheme])
    copy = model.copy()
    for layer in heavy(copy):
        layer.weight = every_other(levels(layer, bits, scheme))
    return copy


def levels(layer: Dense | Conv2D, bits: int, scheme: str) -> Array:
    if scheme == "affine":
        return dequantize_affine(*quantize_affine(layer.weight, bits))
    if scheme == "kmeans":
        indices, codebook = kmeans_codebook(layer.weight, bits)
        return np.take(codebook, indices)
    codes, scales = quantize_symmetric(layer.weight, bits, axis=-1 if layer.weight.ndim == 2 else 0)
    return np.multiply(codes, scales, dtype=np.float64).astype(np.float32)


# Part 4


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    scaled = np.asarray(logits, np.float32) / np.float32(temperature)
    powers = np.exp(scaled - np.max(scaled, axis=1, keepdims=True))
    return np.asfortranarray(powers / np.sum(powers, axis=1, keepdims=True))


def log_probabilities(logits: Array, temperature: np.float32) -> Array:
    scaled = (logits - np.max(logits, axis=1, keepdims=True)) / temperature
    return scaled - np.log(np.sum(np.exp(scaled), axis=1, keepdims=True))


def distillation_loss(
    student_logits: Array, teacher_logits: Array, labels: Array, temperature: float = 3.0, alpha: float = 0.5
) -> tuple[np.float32, Array]:
    t, a, one = np.float32(temperature), np.float32(alpha), np.float32(1)
    student, teacher = np.asarray(student_logits, np.float32), np.asarray(teacher_logits, np.float32)
    hard, soft, told = (
        log_probabilities(student, one), log_probabilities(student, t), log_probabilities(teacher, t),
    )  # fmt: skip
    p = np.exp(told)
    truth = np.eye(student.shape[1], dtype=np.float32)[labels]
    each = -a * np.sum(truth * hard, axis=1) + (one - a) * t * t * np.sum(p * (told - soft), axis=1)
    slopes = a * (np.exp(hard) - truth) + (one - a) * t * (np.exp(soft) - p)
    return np.mean(each), sealed(slopes / np.float32(len(student)))


def distill(
    student: Sequential, teacher: Sequential, dataset: Dataset, *, epochs: int, temperature: float = 3.0,
    alpha: float = 0.5, learning_rate: float, batch_size: int = 128, seed: int = 0,
) -> Sequential:  # fmt: skip
    wise = teacher.copy()

    def loss(logits: Array, batch: Dataset) -> tuple[np.float32, Array]:
        return distillation_loss(logits, wise.forward(batch.images), batch.labels, temperature, alpha)

    net = student.copy()
    optimizer = SGD(float(learning_rate), momentum=0.9)
    fit(net, dataset, epochs=epochs, optimizer=optimizer, batch_size=batch_size, seed=seed, loss=loss)
    return net


# Part 5


def layer_at(model: Sequential, layer_index: int) -> Dense | Conv2D:
    n = len(model.layers)
    refuse_outside("layer_index", layer_index, -n, n - 1)
    if not hasattr(model.layers[layer_index], "weight"):
        got = f"{layer_index} ({model.layers[layer_index]})"
        raise ValueError(f"layer_index needs a layer with weights, got {got}")
    return model.layers[layer_index]


def neuron_importance(model: Sequential, layer_index: int, images: Array) -> Array:
    units = layer_at(model, layer_index).bias.size
    position = layer_index % len(model.layers)
    layers = model.copy().layers[: position + 2]
    if len(layers) == position + 2 and not isinstance(layers[-1], ReLU):
        del layers[-1]
    sums = np.zeros((2, units))
    for part in np.split(images, range(200, len(images), 200)):
        for layer in layers:
            part = layer.forward(part)
        units_first = np.abs(np.swapaxes(part, 0, 1)).reshape(units, part.size // units)
        sums[0] += np.sum(units_first, axis=1, dtype=np.float64)
        sums[1] += units_first.shape[1]
    return every_other((sums[0] / np.maximum(sums[1], 1)).astype(np.float32))


def prune_neurons(model: Sequential, layer_index: int, importance: Array, keep_ratio: float) -> Sequential:
    refuse_outside("keep_ratio", keep_ratio, 0, 1)
    layer_at(model, layer_index)
    copy = model.copy()
    layer, *readers = heavy(Sequential(copy.layers[layer_index % len(copy.layers) :]))
    if not readers:
        raise ValueError(f"layer_index needs a layer other than the classifier, got {layer_index}")
    units = layer.bias.size
    count = max(1, round(float(keep_ratio) * units))
    kept = np.sort(np.argpartition(importance, units - count)[units - count :])
    layer.bias = layer.bias[kept]
    layer.weight = layer.weight[..., kept] if layer.weight.ndim == 2 else layer.weight[kept, ...]
    weight = readers[0].weight
    inputs_axis = 0 if weight.ndim == 2 else 1
    each = weight.shape[inputs_axis] // units
    inputs = (kept[:, None] * each + np.arange(each)).ravel()
    readers[0].weight = np.asfortranarray(np.take(weight, inputs, axis=inputs_axis))
    return copy


# Part 6


def dark_pixels(model: Sequential, images: Array) -> list[Array]:
    """Masks that let everything live but first-layer weights of pixels that are always 0."""
    masks = [np.ones(layer.weight.shape, bool) for layer in heavy(model)]
    if isinstance(model.layers[0], Dense):
        masks[0] &= np.any(images > 0, axis=0)[:, None]
    return masks


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    """Fewer neurons until they fit, each a 5-bit grid of its own."""
    train = data.train
    epochs = int(np.clip(200_000 // max(len(train), 1), 1, 12))
    sample = train.images[:2000]
    hidden = [i for i, layer in enumerate(model.layers) if hasattr(layer, "weight")][:-1]
    for keep_ratio in np.geomspace(1, 1e-3, 31):
        lean = model
        for index in hidden:
            lean = prune_neurons(lean, index, neuron_importance(lean, index, sample), keep_ratio)
        # Five bits cost about three and a half when Gaussian weights are coded.
        if np.int64(budget_bytes) < storage_bytes(lean, 7) / 2:
            continue
        lean = cleared(lean, dark_pixels(lean, train.images))
        masks = [layer.weight != 0 for layer in heavy(lean)]

        def hold(net: Sequential, masks: list[Array] = masks) -> None:
            for layer, mask in zip(heavy(net), masks, strict=True):
                layer.weight *= mask

        optimizer = SGD(0.05, momentum=0.9)
        fit(lean, train, epochs=epochs, optimizer=optimizer, schedule=cosine, seed=seed, after_step=hold)
        lean = quantize_model(lean, 5, "symmetric")
        if len(pack(lean)) <= budget_bytes:
            return lean
    for layer in heavy(lean):
        layer.weight, layer.bias = np.zeros_like(layer.weight), np.zeros_like(layer.bias)
    return lean

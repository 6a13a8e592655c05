"""A right solution that computes in float64 from end to end and casts at the last moment.

Freedoms it uses: float64 scales, losses, gradients, probabilities and importances; the last of equal
magnitudes goes (argsort of the reversed array); Adam, with a warm start and a cosine decay of the rate, in
`finetune` and `distill`, in a training loop of its own; k-means in one dimension on the sorted distinct
weights; raw outputs where a pool stands before the ReLU. `compress` distils a narrow network, prunes what
the budget cannot carry and quantizes to a uniform grid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from assignment.artifact import pack
from assignment.nn import Conv2D, Data, Dataset, Dense, ReLU, Sequential

Array = np.ndarray
Gradient = Callable[[Array, Dataset], Array]


def weighted(model: Sequential) -> list[Dense | Conv2D]:
    return [layer for layer in model.layers if isinstance(layer, (Dense, Conv2D))]


def need_fraction(name: str, value: float) -> float:
    value = float(value)
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must be in [0, 1], got {value}")
    return value


def need_bits(bits: int, low: int, high: int) -> None:
    if not low <= bits <= high:
        raise ValueError(f"bits must be in [{low}, {high}], got {bits}")


def doubles(weights: Array) -> Array:
    """A float64 copy, free of NaN."""
    values = np.array(weights, np.float64)
    if np.isnan(values).any():
        raise ValueError(f"weights must not contain NaN, got {int(np.isnan(values).sum())} of them")
    return values


def cast(model: Sequential, dtype: type) -> Sequential:
    """A copy of the model with its arrays at another precision, overflow not a concern."""
    copy = model.copy()
    for layer in weighted(copy):
        layer.weight, layer.bias = layer.weight.astype(dtype), layer.bias.astype(dtype)
    return copy


# 1 Size


def count_parameters(model: Sequential) -> int:
    return sum(array.size for layer in weighted(model) for array in layer.parameters())


def sparsity(model: Sequential) -> float:
    total = sum(layer.weight.size for layer in weighted(model))
    nonzero = sum(np.count_nonzero(layer.weight) for layer in weighted(model))
    return float(total - nonzero) / float(total) if total else 0.0


def storage_bytes(model: Sequential, bits: int = 32) -> int:
    return sum(-(-layer.weight.size * int(bits) // 8) + 4 * layer.bias.size for layer in weighted(model))


# 2 Magnitude pruning


def magnitude_mask(weights: Array, sparsity: float) -> Array:
    fraction = need_fraction("sparsity", sparsity)
    magnitudes = np.abs(doubles(weights)).reshape(-1)
    n = magnitudes.size
    backwards = np.argsort(magnitudes[::-1], kind="stable")
    gone = (n - 1) - backwards[: round(fraction * n)]
    mask = np.ones(n, bool)
    mask[gone] = False
    return mask.reshape(weights.shape)


def global_magnitude_masks(model: Sequential, sparsity: float) -> list[Array]:
    need_fraction("sparsity", sparsity)
    layers = weighted(model)
    if not layers:
        return []
    together = magnitude_mask(np.concatenate([doubles(layer.weight).ravel() for layer in layers]), sparsity)
    ends = np.cumsum([layer.weight.size for layer in layers])[:-1]
    parts = np.split(together, ends)
    return [part.reshape(layer.weight.shape) for part, layer in zip(parts, layers, strict=True)]


def prune(model: Sequential, sparsity: float, scope: str = "global") -> Sequential:
    if scope not in ("global", "layer"):
        raise ValueError(f"scope must be 'global' or 'layer', got {scope!r}")
    if scope == "global":
        masks = global_magnitude_masks(model, sparsity)
    else:
        need_fraction("sparsity", sparsity)
        masks = [magnitude_mask(layer.weight, sparsity) for layer in weighted(model)]
    return masked(model, masks)


def masked(model: Sequential, masks: list[Array]) -> Sequential:
    copy = model.copy()
    for layer, mask in zip(weighted(copy), masks, strict=True):
        layer.weight = np.where(mask, layer.weight, 0).astype(np.float32)
    return copy


def minibatches(dataset: Dataset, size: int, rng: np.random.Generator) -> Iterator[Dataset]:
    for batch in dataset.batches(size, rng):
        yield Dataset(batch.images.astype(np.float64), batch.labels)


def train(
    model: Sequential, dataset: Dataset, gradient: Gradient, epochs: int, rate: float, batch_size: int,
    seed: int, masks: list[Array] | None = None,
) -> Sequential:  # fmt: skip
    """A float32 copy of `model` after Adam in float64; masks, where given, hold zeros at each step."""
    net = cast(model if masks is None else masked(model, masks), np.float64)
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in net.parameters()]
    total = epochs * -(-len(dataset) // batch_size)
    rng = np.random.default_rng(seed)
    step = 0
    for _ in range(epochs):
        for batch in minibatches(dataset, batch_size, rng):
            net.backward(gradient(net.forward(batch.images), batch), input_gradient=False)
            step += 1
            factor = pace(step, total)
            for p, g, (m, v) in zip(net.parameters(), net.gradients(), moments, strict=True):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                mean, square = m / (1 - 0.9**step), v / (1 - 0.999**step)
                p -= rate * factor * mean / (np.sqrt(square) + 1e-8)
            for layer, mask in zip(weighted(net), masks or [], strict=masks is not None):
                layer.weight[~mask] = 0.0
    return cast(net, np.float32)


def pace(step: int, total: int) -> float:
    """A factor on the rate: up over the first tenth of the steps, then down along half a cosine."""
    warm = max(total // 10, 1)
    if step <= warm:
        return step / warm
    return 0.5 + 0.5 * float(np.cos(np.pi * (step - warm) / (total - warm + 1)))


def finetune(
    model: Sequential, masks: list[Array], dataset: Dataset, *, epochs: int, learning_rate: float,
    batch_size: int = 128, seed: int = 0,
) -> Sequential:  # fmt: skip
    for layer in weighted(model):
        doubles(layer.weight)

    def gradient(logits: Array, batch: Dataset) -> Array:
        return distillation_loss(logits, logits, batch.labels, 1.0, 1.0)[1]

    return train(model, dataset, gradient, epochs, learning_rate, batch_size, seed, masks)


# 3 Quantization


def quantize_affine(weights: Array, bits: int) -> tuple[Array, float, int]:
    need_bits(bits, 1, 16)
    values = doubles(weights)
    low, high = min(values.min(initial=0.0), 0.0), max(values.max(initial=0.0), 0.0)
    top = 2.0**bits - 1.0
    scale = float(high - low) / top or 1.0
    zero_point = int(np.rint(-low / scale))
    codes = np.clip(np.rint(values / scale) + zero_point, 0.0, top)
    dtype = np.uint8 if bits <= 8 else np.uint16
    return np.asarray(codes, dtype), scale, zero_point


def dequantize_affine(codes: Array, scale: float, zero_point: int) -> Array:
    steps = np.asarray(codes, np.float64) - float(zero_point)
    return np.asarray(steps * float(scale), np.float32)


def quantize_symmetric(weights: Array, bits: int, axis: int | None = None) -> tuple[Array, Array | float]:
    need_bits(bits, 2, 16)
    values = doubles(weights)
    top = 2.0 ** (bits - 1) - 1.0
    if axis is None:
        scales = float(np.abs(values).max(initial=0.0)) / top or 1.0
    else:
        kept = np.lib.array_utils.normalize_axis_index(axis, values.ndim)
        others = tuple(i for i in range(values.ndim) if i != kept)
        scales = np.abs(values).max(axis=others, initial=0.0, keepdims=True) / top
        scales[scales == 0.0] = 1.0
    codes = np.clip(np.rint(values / scales), -top, top)
    return np.asarray(codes, np.int8 if bits <= 8 else np.int16), scales


def assign(values: Array, codebook: Array) -> Array:
    return np.searchsorted(0.5 * (codebook[1:] + codebook[:-1]), values)


def kmeans_codebook(weights: Array, bits: int, iterations: int = 20) -> tuple[Array, Array]:
    need_bits(bits, 1, 8)
    values = doubles(weights)
    distinct, counts = np.unique(values, return_counts=True)
    if distinct.size == 0:
        return np.zeros(values.shape, np.int64), np.zeros(1, np.float32)

    def error(codebook: Array) -> float:
        return float(counts @ (codebook[assign(distinct, codebook)] - distinct) ** 2)

    codes, scale, zero_point = quantize_affine(weights, bits)
    used = np.unique(dequantize_affine(np.unique(codes), scale, zero_point))
    grid = np.unique(np.clip(used.astype(np.float64), distinct[0], distinct[-1]))
    has_zero = bool((distinct == 0).any())
    codebook = grid
    for _ in range(iterations):
        owner = assign(distinct, codebook)
        mass = np.bincount(owner, counts, len(codebook))
        sums = np.bincount(owner, counts * distinct, len(codebook))
        moved = np.where(mass > 0, sums / np.maximum(mass, 1), codebook)
        if has_zero:
            moved[codebook == 0] = 0.0
        if (moved == codebook).all():
            break
        codebook = moved
    rounded = codebook.astype(np.float32).astype(np.float64)
    if error(rounded) > error(grid):
        rounded = grid.astype(np.float32).astype(np.float64)
    return assign(values.ravel(), rounded).reshape(values.shape), rounded.astype(np.float32)


def quantize_model(model: Sequential, bits: int, scheme: str = "affine") -> Sequential:
    ranges = {"affine": (1, 16), "symmetric": (2, 16), "kmeans": (1, 8)}
    if scheme not in ranges:
        raise ValueError(f"scheme must be one of {', '.join(ranges)}, got {scheme!r}")
    need_bits(bits, *ranges[scheme])
    copy = model.copy()
    for layer in weighted(copy):
        if scheme == "affine":
            layer.weight = dequantize_affine(*quantize_affine(layer.weight, bits))
        elif scheme == "symmetric":
            codes, scales = quantize_symmetric(layer.weight, bits, 1 if isinstance(layer, Dense) else 0)
            layer.weight = (codes * scales).astype(np.float32)
        else:
            indices, codebook = kmeans_codebook(layer.weight, bits)
            layer.weight = codebook[indices]
    return copy


# 4 Distillation


def log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    return np.exp(log_softmax(np.asarray(logits, np.float64) / temperature))


def distillation_loss(
    student_logits: Array, teacher_logits: Array, labels: Array, temperature: float = 3.0, alpha: float = 0.5
) -> tuple[float, Array]:
    student, teacher = np.asarray(student_logits, np.float64), np.asarray(teacher_logits, np.float64)
    n = len(student)
    truth = np.zeros_like(student)
    truth[np.arange(n), labels] = 1.0
    hard = log_softmax(student)
    soft, target = log_softmax(student / temperature), log_softmax(teacher / temperature)
    p = np.exp(target)
    cross = -(truth * hard).sum()
    divergence = (p * (target - soft)).sum()
    loss = alpha * cross + (1.0 - alpha) * temperature**2 * divergence
    grad = alpha * (np.exp(hard) - truth) + (1.0 - alpha) * temperature * (np.exp(soft) - p)
    return float(loss) / n, grad / n


def distill(
    student: Sequential, teacher: Sequential, dataset: Dataset, *, epochs: int, temperature: float = 3.0,
    alpha: float = 0.5, learning_rate: float, batch_size: int = 128, seed: int = 0,
) -> Sequential:  # fmt: skip
    wise = cast(teacher, np.float64)

    def gradient(logits: Array, batch: Dataset) -> Array:
        return distillation_loss(logits, wise.forward(batch.images), batch.labels, temperature, alpha)[1]

    return train(student, dataset, gradient, epochs, learning_rate, batch_size, seed)


# 5 Structured pruning


def with_weights(model: Sequential, layer_index: int) -> int:
    n = len(model.layers)
    if not -n <= layer_index < n:
        raise ValueError(f"layer_index must be in [{-n}, {n - 1}], got {layer_index}")
    if not isinstance(model.layers[layer_index], (Dense, Conv2D)):
        raise ValueError(
            f"layer_index must name a layer with weights, got {layer_index}: {model.layers[layer_index]}"
        )
    return layer_index % n


def neuron_importance(model: Sequential, layer_index: int, images: Array) -> Array:
    index = with_weights(model, layer_index)
    last = index + (index + 1 < len(model.layers) and isinstance(model.layers[index + 1], ReLU))
    layers = cast(model, np.float64).layers[: last + 1]
    total, positions = np.zeros(len(model.layers[index].bias)), 0
    for start in range(0, len(images), 256):
        x = np.asarray(images[start : start + 256], np.float64)
        for layer in layers:
            x = layer.forward(x)
        per_unit = np.abs(np.moveaxis(x, 1, 0)).reshape(x.shape[1], -1)
        total += per_unit.sum(axis=1)
        positions += per_unit.shape[1]
    return total / max(positions, 1)


def prune_neurons(model: Sequential, layer_index: int, importance: Array, keep_ratio: float) -> Sequential:
    fraction = need_fraction("keep_ratio", keep_ratio)
    index = with_weights(model, layer_index)
    readers = [i for i in range(index + 1, len(model.layers)) if isinstance(model.layers[i], (Dense, Conv2D))]
    if not readers:
        raise ValueError(f"layer_index must name a layer before the classifier, got {layer_index}")
    copy = model.copy()
    layer, reader = copy.layers[index], copy.layers[readers[0]]
    units = len(layer.bias)
    ranked = np.argsort(np.asarray(importance, np.float64))
    kept = np.sort(ranked[units - max(1, round(fraction * units)) :])
    layer.weight = np.take(layer.weight, kept, axis=1 if isinstance(layer, Dense) else 0)
    layer.bias = layer.bias[kept]
    if isinstance(reader, Conv2D):
        reader.weight = np.take(reader.weight, kept, axis=1)
    else:
        blocks = reader.weight.reshape(units, -1, reader.weight.shape[1])
        reader.weight = blocks[kept].reshape(-1, reader.weight.shape[1])
    return copy


# 6 The competition


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    """A narrow student of the model; its weights pruned and on a 4-bit grid."""
    rng = np.random.default_rng(seed)
    features = data.train.images.shape[1]
    classes = len(weighted(model)[-1].bias)
    hidden = int(np.clip(budget_bytes / 300, 8, 96))
    student = Sequential([Dense(features, hidden, rng=rng), ReLU(), Dense(hidden, classes, rng=rng)])
    epochs = int(np.clip(220_000 // max(len(data.train), 1), 2, 40))
    lean = distill(student, model, data.train, epochs=epochs, learning_rate=0.004, seed=seed)
    for share in (0.5, 0.7, 0.8, 0.87, 0.93, 0.97, 1.0):
        lean = prune(lean, share)
        masks = [layer.weight != 0 for layer in weighted(lean)]
        lean = finetune(lean, masks, data.train, epochs=epochs, learning_rate=0.002, seed=seed)
        small = quantize_model(lean, 5)
        if len(pack(small)) <= budget_bytes:
            break
    return small

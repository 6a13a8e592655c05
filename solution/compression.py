"""The reference solution: all six parts of the assignment, to teach from.

Each function keeps the contract that its stub in `assignment/compression.py` states in full; the
docstrings here say only how it is met, and why that way.
"""

from __future__ import annotations

import numpy as np

from assignment.artifact import pack
from assignment.nn import (
    SGD,
    Adam,
    AvgPool2D,
    Conv2D,
    Data,
    Dataset,
    Dense,
    Flatten,
    ReLU,
    Reshape,
    Sequential,
    WeightedLayer,
    cosine,
    fit,
    random_shifts,
)
from assignment.nn.optim import Optimizer

Array = np.ndarray

# ------------------------------------------------------------------------------------------------
# Part 1: size
# ------------------------------------------------------------------------------------------------


def weighted_layers(model: Sequential) -> list[WeightedLayer]:
    return [layer for layer in model.layers if isinstance(layer, WeightedLayer)]


def count_parameters(model: Sequential) -> int:
    return sum(layer.weight.size + layer.bias.size for layer in weighted_layers(model))


def sparsity(model: Sequential) -> float:
    weights = [layer.weight for layer in weighted_layers(model)]
    total = sum(weight.size for weight in weights)
    zeros = sum(weight.size - np.count_nonzero(weight) for weight in weights)
    return zeros / total if total else 0.0


def storage_bytes(model: Sequential, bits: int = 32) -> int:
    size = 0
    for layer in weighted_layers(model):
        size += -(-layer.weight.size * int(bits) // 8)  # rounded up: an array ends on a whole byte
        size += layer.bias.size * 4
    return size


# ------------------------------------------------------------------------------------------------
# Part 2: magnitude pruning
# ------------------------------------------------------------------------------------------------


def check_share(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:  # NaN fails this comparison too
        raise ValueError(f"{name} must be in [0, 1], got {value}")


def check_no_nan(weights: Array, name: str = "weights") -> None:
    if np.isnan(weights).any():
        raise ValueError(f"{name} must hold numbers, got NaN among them; find out which step made it")


def check_model(model: Sequential) -> None:
    for index, layer in enumerate(weighted_layers(model)):
        for array in layer.parameters():
            check_no_nan(array, f"model: the arrays of its weighted layer {index}, {layer!r},")


def magnitude_mask(weights: Array, sparsity: float) -> Array:
    """Sort by magnitude and prune the first `count`: exact whatever ties there are.

    A threshold (`abs(w) > percentile`) cannot promise a count: equal magnitudes fall on one side together.
    """
    weights = np.asarray(weights)
    check_share("sparsity", sparsity)
    check_no_nan(weights)
    count = round(float(sparsity) * weights.size)
    mask = np.ones(weights.size, dtype=bool)
    mask[np.argsort(np.abs(weights), axis=None, kind="stable")[:count]] = False
    return mask.reshape(weights.shape)


def global_magnitude_masks(model: Sequential, sparsity: float) -> list[Array]:
    """One long row of all weights, one mask over it, cut back into layers."""
    check_model(model)
    weights = [layer.weight for layer in weighted_layers(model)]
    everything = np.concatenate([np.zeros(0, np.float32), *(weight.ravel() for weight in weights)])
    ends = np.cumsum([weight.size for weight in weights])
    pieces = np.split(magnitude_mask(everything, sparsity), ends[:-1]) if weights else []
    return [piece.reshape(weight.shape) for piece, weight in zip(pieces, weights, strict=True)]


def prune(model: Sequential, sparsity: float, scope: str = "global") -> Sequential:
    if scope not in ("global", "layer"):
        raise ValueError(f'scope must be "global" or "layer", got {scope!r}')
    check_share("sparsity", sparsity)
    check_model(model)
    if scope == "global":
        masks = global_magnitude_masks(model, sparsity)
    else:
        masks = [magnitude_mask(layer.weight, sparsity) for layer in weighted_layers(model)]
    pruned = model.copy()
    apply_masks(pruned, masks)
    return pruned


def apply_masks(model: Sequential, masks: list[Array]) -> None:
    """Zero what is masked out, in place. Assigning zero is safe where multiplying is not: inf * 0 is NaN."""
    for layer, mask in zip(weighted_layers(model), masks, strict=True):
        layer.weight[~mask] = 0.0


def finetune(
    model: Sequential,
    masks: list[Array],
    dataset: Dataset,
    *,
    epochs: int,
    learning_rate: float,
    batch_size: int = 128,
    seed: int = 0,
) -> Sequential:
    """Pruned weights are zeroed before the first step, so that they do not speak in any forward pass,
    and again after every step, since the gradient does not know that they are gone."""
    check_model(model)
    masks = [np.asarray(mask, dtype=bool) for mask in masks]
    tuned = model.copy()
    apply_masks(tuned, masks)
    fit(
        tuned,
        dataset,
        epochs=epochs,
        optimizer=SGD(learning_rate, momentum=0.9),
        batch_size=batch_size,
        seed=seed,
        after_step=lambda trained: apply_masks(trained, masks),
    )
    return tuned


# ------------------------------------------------------------------------------------------------
# Part 3: quantization
# ------------------------------------------------------------------------------------------------


def check_bits(bits: int, low: int, high: int) -> None:
    if not (low <= bits <= high and bits == int(bits)):
        raise ValueError(f"bits must be a whole number from {low} to {high}, got {bits}")


def quantize_affine(weights: Array, bits: int) -> tuple[Array, float, int]:
    """Spread the codes over [min, max], stretched to include 0, then move the grid so that 0 is on it.

    Moving it costs the two ends at most half a step, which is what rounding costs everywhere else.
    """
    check_bits(bits, 1, 16)
    weights = np.asarray(weights, dtype=np.float64)
    check_no_nan(weights)
    top_code = 2 ** int(bits) - 1
    low, high = weights.min(initial=0.0), weights.max(initial=0.0)
    scale = float(high - low) / top_code or 1.0  # all zero: any scale will do
    zero_point = round(-low / scale)
    codes = np.clip(np.rint(weights / scale) + zero_point, 0, top_code)
    return codes.astype(np.uint8 if bits <= 8 else np.uint16), scale, zero_point


def dequantize_affine(codes: Array, scale: float, zero_point: int) -> Array:
    """In float64, since unsigned codes wrap around below zero: uint8(3) - uint8(5) is 254."""
    return ((np.asarray(codes).astype(np.float64) - float(zero_point)) * float(scale)).astype(np.float32)


def quantize_symmetric(weights: Array, bits: int, axis: int | None = None) -> tuple[Array, Array | float]:
    """Zero is code 0, and the largest magnitude is the largest code: no zero point to store."""
    check_bits(bits, 2, 16)
    weights = np.asarray(weights, dtype=np.float64)
    check_no_nan(weights)
    top_code = 2 ** (int(bits) - 1) - 1
    if axis is None:
        largest = np.abs(weights).max(initial=0.0)
    else:
        others = tuple(i for i in range(weights.ndim) if i != axis % weights.ndim)
        largest = np.abs(weights).max(axis=others, keepdims=True, initial=0.0)
    scales = np.where(largest > 0, largest / top_code, 1.0)
    codes = np.clip(np.rint(weights / scales), -top_code, top_code)
    return codes.astype(np.int8 if bits <= 8 else np.int16), float(scales) if axis is None else scales


def kmeans_codebook(weights: Array, bits: int, iterations: int = 20) -> tuple[Array, Array]:
    """Lloyd's algorithm in one dimension, started from the affine quantizer's own levels.

    Linear starts serve weights best (Han et al. 2016, section 3.2), and since no iteration adds error,
    the result is never worse than `quantize_affine`. Where a weight is 0, the centroid 0 is held.
    """
    check_bits(bits, 1, 8)
    weights = np.asarray(weights, dtype=np.float64)
    check_no_nan(weights)
    flat = weights.ravel()
    distinct = np.unique(flat)
    if len(distinct) <= 2 ** int(bits):
        centroids = distinct
    else:
        _, scale, zero_point = quantize_affine(flat, bits)
        centroids = np.clip((np.arange(2 ** int(bits)) - zero_point) * scale, distinct[0], distinct[-1])
        held = (centroids == 0.0) & (0.0 in distinct)
        for _ in range(iterations):
            nearest = nearest_centroid(flat, centroids)
            counts = np.bincount(nearest, minlength=len(centroids))
            sums = np.bincount(nearest, weights=flat, minlength=len(centroids))
            moves = (counts > 0) & ~held
            centroids[moves] = sums[moves] / counts[moves]
    codebook = np.sort(centroids).astype(np.float32)
    indices = nearest_centroid(flat, codebook.astype(np.float64))
    return indices.astype(np.uint8).reshape(weights.shape), codebook


def nearest_centroid(values: Array, centroids: Array) -> Array:
    """On a line, the nearest of ascending centroids changes halfway between two of them."""
    return np.searchsorted((centroids[1:] + centroids[:-1]) / 2, values)


def quantize_model(model: Sequential, bits: int, scheme: str = "affine") -> Sequential:
    if scheme not in ("affine", "symmetric", "kmeans"):
        raise ValueError(f'scheme must be "affine", "symmetric" or "kmeans", got {scheme!r}')
    check_model(model)
    check_bits(bits, *{"affine": (1, 16), "symmetric": (2, 16), "kmeans": (1, 8)}[scheme])
    quantized = model.copy()
    for layer in weighted_layers(quantized):
        if scheme == "affine":
            layer.weight = dequantize_affine(*quantize_affine(layer.weight, bits))
        elif scheme == "symmetric":
            output_axis = 0 if isinstance(layer, Conv2D) else 1
            codes, scales = quantize_symmetric(layer.weight, bits, axis=output_axis)
            layer.weight = (codes * scales).astype(np.float32)
        else:
            indices, codebook = kmeans_codebook(layer.weight, bits)
            layer.weight = codebook[indices]
    return quantized


# ------------------------------------------------------------------------------------------------
# Part 4: distillation
# ------------------------------------------------------------------------------------------------


def log_softmax(logits: Array) -> Array:
    """The largest logit of each row becomes 0, so that no exponential overflows and one of them is 1."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    logits = np.asarray(logits, dtype=np.float64) / float(temperature)
    return np.exp(log_softmax(logits)).astype(np.float32)


def distillation_loss(
    student_logits: Array, teacher_logits: Array, labels: Array, temperature: float = 3.0, alpha: float = 0.5
) -> tuple[float, Array]:
    """Hinton, Vinyals and Dean 2015, section 2, with KL in place of cross-entropy.

    The soft gradient is T * (student_T - teacher_T): differentiating by logits / T costs one factor T,
    and T**2 in the loss gives back two, so that the hard and soft terms weigh the same at every T.
    """
    t = float(temperature)
    check_share("alpha", alpha)
    student, teacher = (np.asarray(logits, dtype=np.float64) for logits in (student_logits, teacher_logits))
    rows = np.arange(len(student))
    log_hard, log_soft, log_target = log_softmax(student), log_softmax(student / t), log_softmax(teacher / t)
    target = np.exp(log_target)  # log_target is finite, so 0 * log_target is 0
    hard = -log_hard[rows, labels]
    soft = (target * (log_target - log_soft)).sum(axis=1)
    loss = float(np.mean(alpha * hard + (1 - alpha) * t**2 * soft))
    hard_grad = np.exp(log_hard)
    hard_grad[rows, labels] -= 1.0
    grad = alpha * hard_grad + (1 - alpha) * t * (np.exp(log_soft) - target)
    return loss, (grad / len(student)).astype(np.float32)


def distill(
    student: Sequential,
    teacher: Sequential,
    dataset: Dataset,
    *,
    epochs: int,
    temperature: float = 3.0,
    alpha: float = 0.5,
    learning_rate: float,
    batch_size: int = 128,
    seed: int = 0,
) -> Sequential:
    taught, teacher = student.copy(), teacher.copy()

    def loss(logits: Array, batch: Dataset) -> tuple[float, Array]:
        return distillation_loss(logits, teacher.forward(batch.images), batch.labels, temperature, alpha)

    optimizer = SGD(learning_rate, momentum=0.9)
    fit(taught, dataset, epochs=epochs, optimizer=optimizer, batch_size=batch_size, seed=seed, loss=loss)
    return taught


# ------------------------------------------------------------------------------------------------
# Part 5: structured pruning
# ------------------------------------------------------------------------------------------------


def weighted_index(model: Sequential, layer_index: int) -> int:
    """`layer_index` counted from the front, once it is known to name a layer with weights."""
    n = len(model.layers)
    if not -n <= layer_index < n:
        raise ValueError(
            f"layer_index must be from {-n} to {n - 1} in a model of {n} layers, got {layer_index}"
        )
    layer = model.layers[layer_index]
    if not isinstance(layer, WeightedLayer):
        raise ValueError(f"layer_index must name a layer with weights, got {layer_index}, a {layer!r}")
    return layer_index % n


def neuron_importance(model: Sequential, layer_index: int, images: Array) -> Array:
    """Sums over batches, divided once at the end: means of batches would weigh a small batch too much."""
    end = weighted_index(model, layer_index) + 1
    if end < len(model.layers) and isinstance(model.layers[end], ReLU):
        end += 1
    front = Sequential(model.layers[:end]).copy()
    total, count = np.zeros(()), 0
    for start in range(0, len(images), 1000):
        outputs = np.abs(front.forward(images[start : start + 1000]))
        per_unit = np.moveaxis(outputs, 1, 0).reshape(outputs.shape[1], -1)
        total = total + per_unit.sum(axis=1, dtype=np.float64)
        count += per_unit.shape[1]
    return (total / count).astype(np.float32)


def prune_neurons(model: Sequential, layer_index: int, importance: Array, keep_ratio: float) -> Sequential:
    """Cut the units out of this layer, and what read them out of the next."""
    check_share("keep_ratio", keep_ratio)
    index = weighted_index(model, layer_index)
    pruned = model.copy()
    layer, *readers = weighted_layers(Sequential(pruned.layers[index:]))
    if not readers:
        raise ValueError(
            f"layer_index must name a hidden layer, got {layer_index}, whose units are the classes"
        )
    reader = readers[0]
    unit_axis = 0 if isinstance(layer, Conv2D) else 1
    units = layer.weight.shape[unit_axis]
    keep = max(1, round(float(keep_ratio) * units))
    kept = np.sort(np.argsort(-np.asarray(importance), kind="stable")[:keep])
    layer.weight, layer.bias = np.take(layer.weight, kept, axis=unit_axis), layer.bias[kept]
    if isinstance(reader, Conv2D):
        reader.weight = reader.weight[:, kept]
    else:  # after Flatten, each channel is a block of neighbouring inputs; after Dense, a block of one
        inputs, outputs = reader.weight.shape
        reader.weight = reader.weight.reshape(units, inputs // units, outputs)[kept].reshape(-1, outputs)
    return pruned


# ------------------------------------------------------------------------------------------------
# Part 6: everything together
# ------------------------------------------------------------------------------------------------

EPOCHS, LEAST_STEPS = 25, 1000  # small data are seen more often
LEARNING_RATE = 0.01  # a weight must move a whole step before the network notices, so steps are bold
UNITS = (100, 30)  # of the shared model's 300 and 100
GRID = 0.4  # all weights and biases end as whole multiples of this
PRICE, PRICE_SCALE = 1e-4, 0.1  # loss a weight costs: PRICE * log(1 + |w| / PRICE_SCALE), its bits nearly
WARM_UP, SETTLED = 0.3, 0.75  # shares of the training: quantized from here; pruned for good from here
TEMPERATURE, ALPHA = 2.0, 0.1


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    """Narrow the model, then let it teach what is left while weights are priced, pruned and quantized.

    The four techniques are one training: a network that learns on the grid, with few weights, from the
    teacher's logits gives up far less than one that is pruned and quantized when it is done.
    """
    student = pooled(narrowed(model, data.train)) if is_mlp(model) else model.copy()
    student = trained_light(student, model.copy(), data.train, seed)
    shares = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.0)  # all of it fits, if it was not too much
    smaller = (prune(student, 1.0 - kept * (1.0 - sparsity(student))) for kept in shares)
    return next((small for small in smaller if len(pack(small)) <= budget_bytes), prune(student, 1.0))


def is_mlp(model: Sequential) -> bool:
    """Whether the model reads rows of 784 pixels with dense layers only, a ReLU between each two."""
    kinds = [type(layer) for layer in model.layers]
    first = model.layers[0] if kinds else None
    return isinstance(first, Dense) and first.in_features == 784 and set(kinds) <= {Dense, ReLU}


def narrowed(model: Sequential, dataset: Dataset) -> Sequential:
    """Structured pruning: each hidden layer keeps the units that are busiest on the first images."""
    hidden = [i for i, layer in enumerate(model.layers) if isinstance(layer, Dense)][:-1]
    for depth, index in enumerate(hidden):
        importance = neuron_importance(model, index, dataset.images[:5000])
        units = UNITS[min(depth, len(UNITS) - 1)]
        model = prune_neurons(model, index, importance, min(1.0, units / len(importance)))
    return model


def pooled(model: Sequential) -> Sequential:
    """The same network on an image of half the size: a mean of 2 x 2 pixels costs no bytes, and saves
    three in four of the first layer's weights. Where the four pixels are alike, nothing changes."""
    first = weighted_layers(model)[0]
    blocks = first.weight.reshape(14, 2, 14, 2, -1).sum(axis=(1, 3))
    reader = Dense.from_arrays(blocks.reshape(14 * 14, -1), first.bias.copy())
    return Sequential([Reshape((1, 28, 28)), AvgPool2D(2), Flatten(), reader, *model.copy().layers[1:]])


def trained_light(student: Sequential, teacher: Sequential, dataset: Dataset, seed: int) -> Sequential:
    """A copy of the student, taught by the teacher to be accurate with few weights on a coarse grid."""

    def loss(logits: Array, batch: Dataset) -> tuple[float, Array]:
        return distillation_loss(logits, teacher.forward(batch.images), batch.labels, TEMPERATURE, ALPHA)

    light, steps_per_epoch = student.copy(), -(-len(dataset) // 128)
    epochs = max(EPOCHS, -(-LEAST_STEPS // steps_per_epoch))
    fit(
        light,
        dataset,
        epochs=epochs,
        optimizer=StraightThrough(Adam(LEARNING_RATE), epochs * steps_per_epoch),
        batch_size=128,
        seed=seed,
        loss=loss,
        schedule=cosine,
        augment=random_shifts(1),
    )
    return light


class StraightThrough:
    """An optimiser for weights that must lie on a grid (Bengio, Leonard and Courville 2013).

    Once warm, the model holds rounded weights, so that gradients are those of the network to be packed;
    the steps go to `exact` copies, in which small steps add up until the rounded weight follows.
    The price pulls weights to 0, small ones hardest. What is 0 when the net has settled stays 0.
    """

    def __init__(self, optimizer: Optimizer, steps: int):
        self.optimizer, self.steps, self.step_count = optimizer, steps, 0
        self.exact: list[Array] = []
        self.masks: list[Array] = []

    def step(self, model: Sequential, factor: float = 1.0) -> None:
        arrays, progress = model.parameters(), self.step_count / self.steps
        self.step_count += 1
        self.exact = self.exact or [array.copy() for array in arrays]
        price = np.float32(PRICE * min(1.0, progress / WARM_UP)) if not self.masks else np.float32(0)
        for array, exact, grad in zip(arrays, self.exact, model.gradients(), strict=True):
            if array.ndim > 1:
                grad += price * np.sign(exact) / (np.abs(exact) + np.float32(PRICE_SCALE))
            array[...] = exact
        self.optimizer.step(model, factor)
        if self.masks:
            apply_masks(model, self.masks)
        for array, exact in zip(arrays, self.exact, strict=True):
            exact[...] = array
            if progress >= WARM_UP:
                array[...] = np.rint(array / np.float32(GRID)) * np.float32(GRID)
        if not self.masks and progress >= SETTLED:
            self.masks = [layer.weight != 0 for layer in weighted_layers(model)]

"""A right solution built from small functions, closures and frozen dataclasses that fit together.

Freedoms it uses: models are rebuilt layer by layer by a function on layers, never edited; a ranking is an
object that answers "which of these stay"; plain SGD without momentum, gradients in float64; batches that are
equal in every epoch but for their order; its own log-sum-exp; units chosen by a boolean of each unit's rank;
importance read after the pool and the ReLU where a pool stands between; k-means as a chain of generations
of which the best is taken; equal magnitudes go from both ends. `compress` is a pipeline over ever narrower
recipes: distil a student, cut the pixels that are never lit, round each unit's weights to a grid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import accumulate, pairwise, takewhile

import numpy as np

from assignment.artifact import pack
from assignment.nn import Conv2D, Data, Dataset, Dense, Flatten, Layer, ReLU, Reshape, Sequential
from assignment.nn.layers import Pool2D

Array = np.ndarray
Weighted = Dense | Conv2D
Edit = Callable[[Array, Array], tuple[Array, Array]]
Slope = Callable[[Array, Dataset], Array]


# ---- What is allowed


@dataclass(frozen=True)
class Interval:
    """Where the argument `name` must lie."""

    name: str
    low: float
    high: float

    def __call__(self, value: float) -> float:
        if not self.low <= value <= self.high:
            raise ValueError(f"{self.name}={value} is not in [{self.low:g}, {self.high:g}]")
        return value


fraction = partial(Interval, low=0, high=1)
bit_range = partial(Interval, "bits")


def one_of(name: str, *choices: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in choices:
            raise ValueError(f"{name}={value!r} is not one of {', '.join(map(repr, choices))}")
        return value

    return check


def without_nan(weights: Array) -> Array:
    if np.isnan(weights).any():
        raise ValueError(f"weights of shape {weights.shape} must be free of NaN, got NaN")
    return weights


# ---- Models as values


def is_weighted(layer: Layer) -> bool:
    return isinstance(layer, Weighted)


def weights_of(model: Sequential) -> list[Array]:
    return [layer.weight for layer in model.layers if is_weighted(layer)]


def biases_of(model: Sequential) -> list[Array]:
    return [layer.bias for layer in model.layers if is_weighted(layer)]


def with_arrays(layer: Weighted, weight: Array, bias: Array) -> Weighted:
    """A new layer of the same kind and settings around copies of these arrays."""
    single = partial(np.array, dtype=np.float32, copy=True)
    return type(layer).from_arrays(single(weight), single(bias), **layer.config())


def rebuilt(model: Sequential, edits: Iterator[Edit] | Sequence[Edit]) -> Sequential:
    """A new model: the k-th weighted layer is passed through the k-th edit of (weight, bias)."""
    supply = iter(edits)
    return Sequential([
        with_arrays(layer, *next(supply)(layer.weight, layer.bias)) if is_weighted(layer) else layer.copy()
        for layer in model.layers
    ])  # fmt: skip


def on_weight(change: Callable[[Array], Array]) -> Edit:
    return lambda weight, bias: (change(weight), bias)


def unit_axis(layer: Weighted) -> int:
    return 1 if isinstance(layer, Dense) else 0


# ---- 1. Size


def count_parameters(model: Sequential) -> int:
    return reduce(lambda total, array: total + array.size, weights_of(model) + biases_of(model), 0)


def sparsity(model: Sequential) -> float:
    zeros, entries = reduce(lambda a, w: (a[0] + np.sum(w == 0), a[1] + w.size), weights_of(model), (0, 0))
    return float(zeros / entries) if entries else 0.0


def storage_bytes(model: Sequential, bits: int = 32) -> int:
    whole_bytes = lambda n: (n * bits + 7) // 8  # noqa: E731
    return sum(whole_bytes(w.size) for w in weights_of(model)) + sum(4 * b.size for b in biases_of(model))


# ---- 2. Magnitude pruning


@dataclass(frozen=True)
class Ranking:
    """Entries in order of importance, the least first."""

    order: Array

    @classmethod
    def of(cls, values: Array) -> Ranking:
        """By value; entries that tie alternate between the first and the last of them."""
        n = values.size
        turns = np.empty(n, np.int64)
        turns[0::2], turns[1::2] = np.arange((n + 1) // 2), n - 1 - np.arange(n // 2)
        return cls(turns[np.argsort(values.ravel()[turns], kind="stable")])

    def all_but(self, count: int) -> Array:
        """True on every entry but the `count` least."""
        ranks = np.empty_like(self.order)
        ranks[self.order] = np.arange(self.order.size)
        return ranks >= count


def magnitude_mask(weights: Array, sparsity: float) -> Array:
    part = fraction("sparsity")(sparsity)
    ranking = Ranking.of(np.abs(without_nan(weights)))
    return ranking.all_but(round(float(part) * weights.size)).reshape(weights.shape)


def global_magnitude_masks(model: Sequential, sparsity: float) -> list[Array]:
    weights = weights_of(model)
    together = np.concatenate([np.zeros(0, np.float32), *(w.ravel() for w in weights)])
    mask = magnitude_mask(together, sparsity)
    bounds = pairwise(accumulate((w.size for w in weights), initial=0))
    return [mask[a:b].reshape(w.shape) for (a, b), w in zip(bounds, weights, strict=True)]


def layer_magnitude_masks(model: Sequential, sparsity: float) -> list[Array]:
    fraction("sparsity")(sparsity)
    return [magnitude_mask(w, sparsity) for w in weights_of(model)]


def keeping(mask: Array) -> Edit:
    return on_weight(lambda weight: np.where(mask, weight, np.float32(0)))


def prune(model: Sequential, sparsity: float, scope: str = "global") -> Sequential:
    rule = {"global": global_magnitude_masks, "layer": layer_magnitude_masks}
    masks = rule[one_of("scope", *rule)(scope)](model, sparsity)
    return rebuilt(model, map(keeping, masks))


@dataclass(frozen=True)
class Descent:
    """Plain SGD. The batches are cut once; each epoch visits them in an order of its own."""

    epochs: int
    learning_rate: float
    batch_size: int
    seed: int

    def batches(self, dataset: Dataset) -> Iterator[Dataset]:
        rng = np.random.default_rng([self.seed, 4711])
        cut = list(dataset.batches(self.batch_size, rng))
        for _ in range(self.epochs):
            yield from (cut[k] for k in rng.permutation(len(cut)))

    def run(
        self, model: Sequential, dataset: Dataset, slope: Slope, masks: list[Array] | None = None
    ) -> Sequential:
        """A new, trained model; weights outside the masks are zero before, during and after."""
        net = rebuilt(model, map(keeping, masks)) if masks else model.copy()
        layers = [layer for layer in net.layers if is_weighted(layer)]
        lives = masks or [True] * len(layers)
        for batch in self.batches(dataset):
            net.backward(slope(net.forward(batch.images), batch), input_gradient=False)
            for layer, live in zip(layers, lives, strict=True):
                step = np.where(live, layer.weight_grad, 0) * self.learning_rate
                layer.weight = (layer.weight - step).astype(np.float32)
                layer.bias = (layer.bias - self.learning_rate * layer.bias_grad).astype(np.float32)
        return rebuilt(net, [lambda weight, bias: (weight, bias)] * len(layers))


def finetune(
    model: Sequential, masks: list[Array], dataset: Dataset, *, epochs: int, learning_rate: float,
    batch_size: int = 128, seed: int = 0,
) -> Sequential:  # fmt: skip
    for weight in weights_of(model):
        without_nan(weight)
    return Descent(epochs, learning_rate, batch_size, seed).run(model, dataset, label_slope, list(masks))


def label_slope(logits: Array, batch: Dataset) -> Array:
    return (softmax(logits) - one_hot(batch.labels, logits.shape[1])) / len(batch)


# ---- 3. Quantization


@dataclass(frozen=True)
class AffineGrid:
    """Codes 0..top; code `zero_point` stands for 0, its neighbours for plus and minus `scale`."""

    top: int
    scale: float
    zero_point: int

    @classmethod
    def around(cls, values: Array, top: int) -> AffineGrid:
        low, high = values.min(initial=0.0), values.max(initial=0.0)
        scale = float((high - low) / top) if high > low else 1.0
        return cls(top, scale, round(float(-low) / scale))

    def codes(self, values: Array) -> Array:
        return np.clip(np.round(values / self.scale) + self.zero_point, 0, self.top)


def unsigned(bits: int) -> type:
    return np.uint8 if bits <= 8 else np.uint16


def quantize_affine(weights: Array, bits: int) -> tuple[Array, float, int]:
    top = 2 ** int(bit_range(low=1, high=16)(bits)) - 1
    values = without_nan(weights).astype(np.float64)
    grid = AffineGrid.around(values, top)
    return np.asarray(grid.codes(values)).astype(unsigned(bits)), grid.scale, grid.zero_point


def dequantize_affine(codes: Array, scale: float, zero_point: int) -> Array:
    table, places = np.unique(codes, return_inverse=True)
    values = [np.float32((int(code) - int(zero_point)) * float(scale)) for code in table]
    return np.array(values, np.float32)[places.ravel()].reshape(codes.shape)


def quantize_symmetric(weights: Array, bits: int, axis: int | None = None) -> tuple[Array, Array | float]:
    top = 2 ** (int(bit_range(low=2, high=16)(bits)) - 1) - 1
    values = without_nan(weights).astype(np.float64)
    signed = np.int8 if bits <= 8 else np.int16

    def scale_of(part: Array) -> float:
        return float(np.abs(part).max(initial=0.0)) / top or 1.0

    if axis is None:
        scales: Array | float = scale_of(values)
    else:
        parts = np.moveaxis(values, axis, 0)
        along = [-1 if i == axis % values.ndim else 1 for i in range(values.ndim)]
        scales = np.array([scale_of(part) for part in parts], np.float64).reshape(
            [len(parts) if n == -1 else 1 for n in along]
        )
    return np.asarray(np.clip(np.round(values / scales), -top, top)).astype(signed), scales


@dataclass(frozen=True)
class Clusters:
    """Sorted values cut into consecutive stretches, each with a centroid."""

    values: Array
    centroids: Array

    @property
    def cuts(self) -> Array:
        middles = (self.centroids[1:] + self.centroids[:-1]) / 2
        return np.concatenate([[0], np.searchsorted(self.values, middles), [self.values.size]])

    @property
    def error(self) -> float:
        stretches = zip(pairwise(self.cuts), self.centroids, strict=True)
        return sum(float(((self.values[a:b] - c) ** 2).sum()) for (a, b), c in stretches)

    def moved(self, fixed: Array) -> Clusters:
        """Each centroid at the mean of its stretch, in float32; fixed and idle ones stay."""
        means = [
            c if still or a == b else float(np.float32(self.values[a:b].mean()))
            for (a, b), c, still in zip(pairwise(self.cuts), self.centroids, fixed, strict=True)
        ]
        return replace(self, centroids=np.array(means))


def kmeans_codebook(weights: Array, bits: int, iterations: int = 20) -> tuple[Array, Array]:
    bit_range(low=1, high=8)(bits)
    values = np.sort(without_nan(weights).ravel().astype(np.float64))
    _, scale, zero_point = quantize_affine(weights, bits)
    every_code = np.arange(2**bits, dtype=np.uint16)
    grid = dequantize_affine(every_code, scale, zero_point).astype(np.float64)
    within = np.clip(grid, values.min(initial=0.0), values.max(initial=0.0))
    fixed = (within == 0) & (0.0 in values)
    first = Clusters(values, within)
    generations = accumulate(range(iterations), lambda clusters, _: clusters.moved(fixed), initial=first)
    best = min(generations, key=lambda clusters: clusters.error).centroids
    places = np.searchsorted((best[1:] + best[:-1]) / 2, weights.astype(np.float64), side="right")
    return np.asarray(places), best.astype(np.float32)


def affine_levels(bits: int, layer: Weighted) -> Array:
    return dequantize_affine(*quantize_affine(layer.weight, bits))


def symmetric_levels(bits: int, layer: Weighted) -> Array:
    codes, scales = quantize_symmetric(layer.weight, bits, unit_axis(layer))
    return (codes * scales).astype(np.float32)


def kmeans_levels(bits: int, layer: Weighted) -> Array:
    indices, codebook = kmeans_codebook(layer.weight, bits)
    return codebook[indices]


SCHEMES = {
    "affine": (affine_levels, bit_range(low=1, high=16)),
    "symmetric": (symmetric_levels, bit_range(low=2, high=16)),
    "kmeans": (kmeans_levels, bit_range(low=1, high=8)),
}


def quantize_model(model: Sequential, bits: int, scheme: str = "affine") -> Sequential:
    levels, allowed = SCHEMES[one_of("scheme", *SCHEMES)(scheme)]
    allowed(bits)
    new_weights = [levels(bits, layer) for layer in model.layers if is_weighted(layer)]
    return rebuilt(model, [on_weight(lambda _, new=new: new) for new in new_weights])


# ---- 4. Distillation


def one_hot(labels: Array, classes: int) -> Array:
    return (np.asarray(labels)[:, None] == np.arange(classes)).astype(np.float64)


def log_softmax(logits: Array, temperature: float) -> Array:
    scaled = np.asarray(logits, np.float64) / temperature
    return scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    return np.exp(log_softmax(logits, temperature))


def entropy_terms(p: Array, logs: Array) -> Array:
    """p * logs, with nothing where p is nothing."""
    return np.where(p > 0, p * logs, 0.0)


def distillation_loss(
    student_logits: Array, teacher_logits: Array, labels: Array, temperature: float = 3.0, alpha: float = 0.5
) -> tuple[float, Array]:
    student = partial(log_softmax, student_logits)
    told, said = log_softmax(teacher_logits, temperature), student(temperature)
    p, truth = np.exp(told), one_hot(labels, np.shape(student_logits)[1])
    hard = -np.where(truth > 0, student(1.0), 0.0).sum(axis=1)
    soft = entropy_terms(p, told - said).sum(axis=1)
    loss = np.mean(alpha * hard + (1 - alpha) * temperature**2 * soft)
    hard_slope, soft_slope = np.exp(student(1.0)) - truth, temperature * (np.exp(said) - p)
    return float(loss), (alpha * hard_slope + (1 - alpha) * soft_slope) / len(p)


def distill(
    student: Sequential, teacher: Sequential, dataset: Dataset, *, epochs: int, temperature: float = 3.0,
    alpha: float = 0.5, learning_rate: float, batch_size: int = 128, seed: int = 0,
) -> Sequential:  # fmt: skip
    slope = taught_by(teacher, temperature, alpha)
    return Descent(epochs, learning_rate, batch_size, seed).run(student, dataset, slope)


def taught_by(teacher: Sequential, temperature: float, alpha: float) -> Slope:
    wise = teacher.copy()

    def slope(logits: Array, batch: Dataset) -> Array:
        return distillation_loss(logits, wise.forward(batch.images), batch.labels, temperature, alpha)[1]

    return slope


# ---- 5. Structured pruning


def located(model: Sequential, layer_index: int) -> int:
    """The layer's index counted from the front."""
    n = len(model.layers)
    Interval("layer_index", -n, n - 1)(layer_index)
    if not is_weighted(model.layers[layer_index]):
        raise ValueError(f"layer_index={layer_index} is {model.layers[layer_index]!r}, and must have weights")
    return layer_index + n * (layer_index < 0)


def listening_point(layers: Sequence[Layer]) -> int:
    """How many of the layers after a weighted one shape its answer: ReLU, or pools and then ReLU."""
    pools = len(list(takewhile(lambda layer: isinstance(layer, Pool2D), layers)))
    return pools + 1 if isinstance(next(iter(layers[pools:]), None), ReLU) else 0


def neuron_importance(model: Sequential, layer_index: int, images: Array) -> Array:
    index = located(model, layer_index)
    stop = index + 1 + listening_point(model.layers[index + 1 :])
    head = Sequential([layer.copy() for layer in model.layers[:stop]])
    parts = [images[i : i + 1000] for i in range(0, len(images), 1000)] or [images]
    answers = (np.abs(head.forward(part)).astype(np.float64) for part in parts)
    by_image = [a.reshape(*a.shape[:2], -1).mean(axis=2) for a in answers]
    return np.concatenate(by_image).sum(axis=0) / max(len(images), 1)


def narrower_reader(layer: Weighted, kept: Array) -> Weighted:
    """Without the inputs that came from removed units; a Dense layer may read several from each."""
    axis = 0 if isinstance(layer, Dense) else 1
    reads = np.repeat(kept, layer.weight.shape[axis] // kept.size)
    return with_arrays(layer, np.compress(reads, layer.weight, axis), layer.bias)


def narrower(layer: Weighted, kept: Array) -> Weighted:
    return with_arrays(layer, np.compress(kept, layer.weight, unit_axis(layer)), layer.bias[kept])


def prune_neurons(model: Sequential, layer_index: int, importance: Array, keep_ratio: float) -> Sequential:
    part = fraction("keep_ratio")(keep_ratio)
    index = located(model, layer_index)
    reader = next((i for i, layer in enumerate(model.layers) if i > index and is_weighted(layer)), None)
    if reader is None:
        raise ValueError(f"layer_index={layer_index} is the classifier, and must be a layer before it")
    units = len(model.layers[index].bias)
    kept = Ranking.of(np.asarray(importance)).all_but(units - max(1, round(float(part) * units)))
    changed = {index: partial(narrower, kept=kept), reader: partial(narrower_reader, kept=kept)}
    between = {
        i: partial(narrower_reshape, kept=kept)
        for i in range(index + 1, reader)
        if isinstance(model.layers[i], Reshape)
    }
    edits = changed | between
    return Sequential([edits.get(i, Layer.copy)(layer) for i, layer in enumerate(model.layers)])


def narrower_reshape(layer: Reshape, kept: Array) -> Layer:
    """A Reshape to one row does what Flatten does, whatever the number of units."""
    first, *rest = layer.shape
    return Reshape((first * int(kept.sum()) // kept.size, *rest)) if rest else Flatten()


# ---- 6. Everything together


@dataclass(frozen=True)
class Recipe:
    """A student of `hidden` units whose weights take `bits` bits each."""

    hidden: int
    bits: int

    def student(self, features: int, classes: int, rng: np.random.Generator) -> Sequential:
        sizes = (features, self.hidden), (self.hidden, classes)
        first, second = (Dense(a, b, rng=rng) for a, b in sizes)
        return Sequential([first, ReLU(), second])


def recipes(budget_bytes: int) -> Iterator[Recipe]:
    """Ever narrower; a weight of 4 bits takes about two bits and a half, once packed."""
    first = min(budget_bytes * 8 / 784 / 2.6, 80.0)
    yield from (Recipe(max(1, int(first * 0.8**k)), 4 if first > 2 else 2) for k in range(40))


def trained(student: Sequential, teacher: Sequential, train: Dataset, seed: int, epochs: int) -> Sequential:
    rates = ((0.3, 2 * epochs), (0.1, epochs), (0.03, epochs))
    lesson = partial(distill, teacher=teacher, dataset=train, temperature=2.0, batch_size=64, seed=seed)
    return reduce(lambda net, rate: lesson(net, learning_rate=rate[0], epochs=rate[1]), rates, student)


def dark_inputs_cut(model: Sequential, images: Array) -> Sequential:
    """No weights from pixels that are never lit."""
    lit = images.any(axis=0)
    first, *others = weights_of(model)
    everything = [np.ones_like(weight, bool) for weight in others]
    return rebuilt(model, map(keeping, [lit[:, None] & np.ones_like(first, bool), *everything]))


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    """The first recipe whose student, once rounded, fits."""
    train, classes = data.train, model.copy().forward(data.train.images[:1]).shape[1]
    epochs = int(np.clip(60_000 // max(len(train), 1), 1, 12))
    for recipe in recipes(budget_bytes):
        student = recipe.student(train.images.shape[1], classes, np.random.default_rng(seed))
        student = dark_inputs_cut(trained(student, model, train, seed, epochs), train.images)
        small = quantize_model(student, recipe.bits, "symmetric")
        if len(pack(small)) <= budget_bytes:
            return small
    raise RuntimeError(f"a network of one hidden unit takes more than {budget_bytes} bytes")

"""A right solution that decides otherwise wherever the contract lets it decide.

Freedoms it uses: equal magnitudes fall at random (a fixed seed), equal importances by argpartition; the
widest affine scale that the bound allows and the highest zero point that still reaches every weight; a
constant array's own magnitude as its scale; 7.0 as the scale of zeros; symmetric scales a little below the
largest weight; k-means from k-means++ draws, or from quantiles with repeats, with the affine levels where
they are better; codebooks of fewer values than the bits allow, or with values that repeat; one batch order
for all epochs; momentum; raw outputs where a pool stands before the ReLU. `compress` prunes gradually, each
layer by its sensitivity, and shares weights by k-means.
"""

from __future__ import annotations

import numpy as np

from assignment.artifact import pack
from assignment.nn import Conv2D, Data, Dataset, Dense, ReLU, Sequential, cross_entropy, evaluate

Array = np.ndarray


def carriers(model: Sequential) -> list[Dense | Conv2D]:
    return [layer for layer in model.layers if layer.parameters()]


def share(name: str, value: float) -> float:
    if not (value >= 0 and value <= 1):
        raise ValueError(f"{name} has to lie between 0 and 1 inclusive; got {value!r}")
    return float(value)


def bits_between(bits: int, low: int, high: int) -> None:
    if bits not in range(low, high + 1):
        raise ValueError(f"bits has to be a whole number from {low} to {high}; got {bits!r}")


def no_nan(weights: Array) -> None:
    bad = np.count_nonzero(weights != weights)
    if bad:
        raise ValueError(f"weights has to be free of NaN; got {bad} NaN in {weights.size} entries")


# ---- 1


def count_parameters(model: Sequential) -> int:
    return sum(layer.weight.size + layer.bias.size for layer in carriers(model))


def sparsity(model: Sequential) -> float:
    zeros = sum(int((layer.weight == 0).sum()) for layer in carriers(model))
    return zeros / max(1, sum(layer.weight.size for layer in carriers(model)))


def storage_bytes(model: Sequential, bits: int = 32) -> int:
    total = 0
    for layer in carriers(model):
        whole, rest = divmod(layer.weight.size * bits, 8)
        total += whole + bool(rest) + layer.bias.size * 4
    return total


# ---- 2


def shuffled_order(magnitudes: Array) -> Array:
    """Ascending order in which equal entries stand as a fixed shuffle has them."""
    lots = np.random.default_rng(20240229).permutation(magnitudes.size)
    return np.lexsort((lots, magnitudes))


def magnitude_mask(weights: Array, sparsity: float) -> Array:
    part = share("sparsity", sparsity)
    no_nan(weights)
    keep = np.zeros(weights.size, dtype=bool)
    keep[shuffled_order(np.abs(weights).ravel())[round(part * weights.size) :]] = True
    return keep.reshape(weights.shape)


def global_magnitude_masks(model: Sequential, sparsity: float) -> list[Array]:
    """Ties between layers go to the later layer."""
    part = share("sparsity", sparsity)
    layers = carriers(model)
    for layer in layers:
        no_nan(layer.weight)
    if not layers:
        return []
    sizes = np.array([layer.weight.size for layer in layers])
    owner = np.repeat(np.arange(len(layers)), sizes)
    magnitudes = np.concatenate([np.abs(layer.weight).ravel() for layer in layers])
    order = np.lexsort((-owner, magnitudes))
    keep = np.ones(magnitudes.size, dtype=bool)
    keep[order[: round(part * magnitudes.size)]] = False
    return [keep[owner == i].reshape(layer.weight.shape) for i, layer in enumerate(layers)]


def prune(model: Sequential, sparsity: float, scope: str = "global") -> Sequential:
    rankings = {
        "global": lambda: global_magnitude_masks(model, sparsity),
        "layer": lambda: [magnitude_mask(layer.weight, sparsity) for layer in carriers(model)],
    }
    if scope not in rankings:
        raise ValueError(f"scope has to be one of {sorted(rankings)}; got {scope!r}")
    share("sparsity", sparsity)
    return zeroed(model, rankings[scope]())


def zeroed(model: Sequential, masks: list[Array]) -> Sequential:
    result = model.copy()
    for layer, mask in zip(carriers(result), masks, strict=True):
        layer.weight[np.logical_not(mask)] = 0
    return result


def descend(net: Sequential, dataset: Dataset, slope, epochs: int, rate: float, batch_size: int, seed: int,
            masks: list[Array] | None) -> None:  # fmt: skip
    """Nesterov momentum in place, over batches drawn once and visited in the same order each epoch."""
    order = np.random.default_rng(seed).permutation(len(dataset))
    cuts = list(range(batch_size, len(dataset), batch_size))
    speeds = [np.zeros_like(p) for p in net.parameters()]
    holes = {2 * i: ~mask for i, mask in enumerate(masks or [])}
    for _ in range(epochs):
        for rows in np.split(order, cuts):
            batch = Dataset(dataset.images[rows], dataset.labels[rows])
            net.backward(slope(net.forward(batch.images), batch), input_gradient=False)
            for i, (p, g, v) in enumerate(zip(net.parameters(), net.gradients(), speeds, strict=True)):
                g = g.astype(np.float32)
                if i in holes:
                    g[holes[i]] = 0
                v *= 0.8
                v += g
                p -= np.float32(rate) * (g + np.float32(0.8) * v)


def finetune(
    model: Sequential, masks: list[Array], dataset: Dataset, *, epochs: int, learning_rate: float,
    batch_size: int = 128, seed: int = 0,
) -> Sequential:  # fmt: skip
    for layer in carriers(model):
        no_nan(layer.weight)
    masks = [np.asarray(mask, dtype=bool) for mask in masks]
    net = zeroed(model, masks)
    descend(net, dataset, lambda logits, batch: cross_entropy(logits, batch.labels)[1], epochs,
            learning_rate, batch_size, seed, masks)  # fmt: skip
    return net


# ---- 3


def quantize_affine(weights: Array, bits: int) -> tuple[Array, float, int]:
    bits_between(bits, 1, 16)
    no_nan(weights)
    exact = weights.astype(np.float64)
    top = 2**bits - 1
    low, high = float(exact.min(initial=0.0)), float(exact.max(initial=0.0))
    if low == high:
        scale, zero_point = 7.0, top
    elif exact.min() == exact.max():
        scale, zero_point = high - low, 1 if low < 0 else top - 1
    elif bits == 1:
        scale = high - low
        zero_point = int(-low / scale > 0.5)
    else:
        # One step fewer than there are codes leaves room to move zero up by about a step.
        scale = (high - low) / (top - 1)
        zero_point = min(int(np.floor(-low / scale + 1.25)), top)
    codes = np.clip(np.rint(exact / scale) + zero_point, 0, top)
    return np.array(codes, dtype=np.uint8 if bits <= 8 else np.uint16), scale, zero_point


def dequantize_affine(codes: Array, scale: float, zero_point: int) -> Array:
    with np.errstate(over="ignore"):
        return np.array((np.array(codes, dtype=np.float64) - zero_point) * scale, dtype=np.float32)


def quantize_symmetric(weights: Array, bits: int, axis: int | None = None) -> tuple[Array, Array | float]:
    bits_between(bits, 2, 16)
    no_nan(weights)
    top = 2 ** (bits - 1) - 1
    exact = weights.astype(np.float64)
    if axis is None:
        largest = np.max(np.abs(exact), initial=0.0)
        scales = float(largest) / (top + 0.4) if largest else 7.0
    else:
        rest = tuple(np.delete(np.arange(weights.ndim), axis))
        largest = np.max(np.abs(exact), axis=rest, keepdims=True, initial=0.0)
        scales = np.where(largest > 0, largest / (top + 0.4), 7.0)
    codes = np.clip(np.rint(exact / scales), -top, top)
    return np.array(codes, dtype=np.int8 if bits <= 8 else np.int16), scales


def nearest(values: Array, codebook: Array) -> Array:
    """Ties between two centroids go to the lower one."""
    exact = codebook.astype(np.float64)
    return np.searchsorted((exact[1:] + exact[:-1]) / 2, values, side="left")


def plus_plus(values: Array, count: int, rng: np.random.Generator) -> Array:
    """k-means++ (Arthur and Vassilvitskii 2007): each next centroid where the others are far."""
    chosen = [float(rng.choice(values))]
    distances = np.abs(values - chosen[0])
    while len(chosen) < count and distances.any():
        odds = (distances / distances.max()) ** 2
        chosen.append(float(rng.choice(values, p=odds / odds.sum())))
        distances = np.minimum(distances, np.abs(values - chosen[-1]))
    return np.array(sorted(chosen))


def refine(values: Array, counts: Array, codebook: Array, iterations: int) -> Array:
    """Lloyd's rounds; where zeros are among the values, the centroid nearest 0 is put on it and held."""
    held = int(np.abs(codebook).argmin()) if (values == 0).any() else None
    for step in range(iterations + 1):
        if held is not None:
            codebook[held] = 0.0
        if step == iterations:
            break
        owner = nearest(values, np.sort(codebook))
        for k in np.unique(owner):
            mine = owner == k
            codebook[k] = np.average(values[mine], weights=counts[mine])
    return np.sort(codebook).astype(np.float32)


def kmeans_codebook(weights: Array, bits: int, iterations: int = 20) -> tuple[Array, Array]:
    bits_between(bits, 1, 8)
    no_nan(weights)
    if weights.size == 0:
        return np.zeros(weights.shape, dtype=np.int32), np.zeros(0, dtype=np.float32)
    values, inverse, counts = np.unique(weights.astype(np.float64), return_inverse=True, return_counts=True)
    count = 2**bits
    if len(values) <= count:
        # Every value a centroid, the largest repeated if there is room.
        codebook = np.append(values, values[-1:] if len(values) < count else []).astype(np.float32)
        return inverse.reshape(weights.shape).astype(np.int32), codebook
    codes, scale, zero_point = quantize_affine(weights, bits)
    levels = dequantize_affine(np.unique(codes), scale, zero_point).clip(values[0], values[-1])
    rng = np.random.default_rng(7)
    if len(values) < 20_000 and bits <= 5:
        start = plus_plus(values, count, rng)
    else:
        start = np.quantile(np.repeat(values, counts), (np.arange(count) + 0.5) / count)
    candidates = [refine(values, counts, start, iterations), np.sort(levels).astype(np.float32)]

    def error(codebook: Array) -> float:
        return float(np.sum(counts * (codebook[nearest(values, codebook)] - values) ** 2))

    best = min(candidates, key=error)
    indices = nearest(values, best)[inverse].reshape(weights.shape)
    return indices.astype(np.int32), best


def quantize_model(model: Sequential, bits: int, scheme: str = "affine") -> Sequential:
    def affine(layer: Dense | Conv2D) -> Array:
        return dequantize_affine(*quantize_affine(layer.weight, bits))

    def symmetric(layer: Dense | Conv2D) -> Array:
        codes, scales = quantize_symmetric(layer.weight, bits, int(isinstance(layer, Dense)))
        return (codes * scales).astype(np.float32)

    def kmeans(layer: Dense | Conv2D) -> Array:
        indices, codebook = kmeans_codebook(layer.weight, bits)
        return codebook[indices]

    known = {"affine": (affine, 1, 16), "symmetric": (symmetric, 2, 16), "kmeans": (kmeans, 1, 8)}
    if scheme not in known:
        raise ValueError(f"scheme has to be one of {sorted(known)}; got {scheme!r}")
    rounding, low, high = known[scheme]
    bits_between(bits, low, high)
    result = model.copy()
    for layer in carriers(result):
        layer.weight = rounding(layer)
    return result


# ---- 4


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


def log_sum_exp(x: Array) -> Array:
    peak = x.max(axis=1, keepdims=True)
    return peak + np.log(np.exp(x - peak).sum(axis=1, keepdims=True))


def distillation_loss(
    student_logits: Array, teacher_logits: Array, labels: Array, temperature: float = 3.0, alpha: float = 0.5
) -> tuple[float, Array]:
    s, t = (np.asarray(x, dtype=np.float64) for x in (student_logits, teacher_logits))
    n = len(labels)
    rows = np.arange(n)
    cold, warm_s, warm_t = s - log_sum_exp(s), s / temperature, t / temperature
    warm_s, warm_t = warm_s - log_sum_exp(warm_s), warm_t - log_sum_exp(warm_t)
    p = np.exp(warm_t)
    gap = np.zeros_like(p)
    np.subtract(warm_t, warm_s, out=gap, where=p > 0)
    loss = -alpha * cold[rows, labels].mean() + (1 - alpha) * temperature**2 * (p * gap).sum(axis=1).mean()
    hard = np.exp(cold)
    hard[rows, labels] -= 1
    grad = alpha * hard + (1 - alpha) * temperature * (np.exp(warm_s) - p)
    return float(loss), (grad / n).astype(np.float32)


def distill(
    student: Sequential, teacher: Sequential, dataset: Dataset, *, epochs: int, temperature: float = 3.0,
    alpha: float = 0.5, learning_rate: float, batch_size: int = 128, seed: int = 0,
) -> Sequential:  # fmt: skip
    wise, net = teacher.copy(), student.copy()

    def slope(logits: Array, batch: Dataset) -> Array:
        return distillation_loss(logits, wise.forward(batch.images), batch.labels, temperature, alpha)[1]

    descend(net, dataset, slope, epochs, learning_rate, batch_size, seed, None)
    return net.copy()


# ---- 5


def position_of(model: Sequential, layer_index: int) -> int:
    n = len(model.layers)
    if layer_index not in range(-n, n):
        raise ValueError(f"layer_index has to be in {-n}..{n - 1} for {n} layers; got {layer_index!r}")
    position = range(n)[layer_index]
    if not model.layers[position].parameters():
        got = f"{layer_index!r}, a {model.layers[position]}"
        raise ValueError(f"layer_index has to point at weights; got {got}")
    return position


def neuron_importance(model: Sequential, layer_index: int, images: Array) -> Array:
    position = position_of(model, layer_index)
    head = model.copy()
    after = [type(layer) for layer in head.layers[position + 1 : position + 2]]
    del head.layers[position + 1 + (after == [ReLU]) :]
    means, weights = [], []
    for start in range(0, max(len(images), 1), 333):
        out = head.forward(images[start : start + 333])
        axes = (0, *range(2, out.ndim))
        means.append(np.abs(out).sum(axis=axes, dtype=np.float64))
        weights.append(out.size // out.shape[1])
    return (np.sum(means, axis=0) / max(sum(weights), 1)).astype(np.float32)


def prune_neurons(model: Sequential, layer_index: int, importance: Array, keep_ratio: float) -> Sequential:
    part = share("keep_ratio", keep_ratio)
    position = position_of(model, layer_index)
    later = [i for i in range(position + 1, len(model.layers)) if model.layers[i].parameters()]
    if not later:
        raise ValueError(f"layer_index has to leave the classifier alone; got {layer_index!r}, that layer")
    units = model.layers[position].bias.size
    gone = units - max(1, round(part * units))
    stays = np.ones(units, dtype=bool)
    if gone:
        stays[np.argpartition(np.asarray(importance), gone - 1)[:gone]] = False
    result = model.copy()
    layer, reader = result.layers[position], result.layers[later[0]]
    layer.bias = layer.bias[stays]
    layer.weight = np.compress(stays, layer.weight, axis=1 if isinstance(layer, Dense) else 0)
    axis = 0 if isinstance(reader, Dense) else 1
    reads = np.repeat(stays, reader.weight.shape[axis] // units)
    reader.weight = np.compress(reads, reader.weight, axis=axis)
    return result


# ---- 6


def sensitivities(model: Sequential, dataset: Dataset) -> list[float]:
    """How much validation accuracy survives when one layer alone is halved four times over."""
    kept = []
    for i, layer in enumerate(carriers(model)):
        trial = model.copy()
        weight = carriers(trial)[i].weight
        weight[~magnitude_mask(layer.weight, 0.94)] = 0
        kept.append(evaluate(trial, dataset))
    return kept


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    """Ever sparser, least in the layers that mind most; what is left takes sixteen values a layer."""
    train = data.train
    epochs = int(np.clip(60_000 // max(len(train), 1), 1, 15))
    # A layer that keeps its accuracy gets a share of 1, one that loses all of it up to a share of 4.
    cares = [1 + 3 * (1 - a) for a in sensitivities(model, data.validation)]
    sizes = [layer.weight.size for layer in carriers(model)]
    room = budget_bytes * 8 / 10
    base = room / max(1.0, float(np.dot(cares, sizes)))
    lean = model
    for factor in (4.0, 2.0, 1.0, 0.8, 0.6, 0.4, 0.2, 0.1, 0.0):
        masks = [
            magnitude_mask(layer.weight, 1 - min(0.6, factor * care * base))
            for layer, care in zip(carriers(lean), cares, strict=True)
        ]
        lean = finetune(lean, masks, train, epochs=epochs, learning_rate=0.03, batch_size=100, seed=seed)
        if factor > 1:
            continue
        result = quantize_model(lean, 4, "kmeans")
        for layer in carriers(result):
            layer.bias = layer.bias.astype(np.float16).astype(np.float32) * bool(factor)
        if len(pack(result)) <= budget_bytes:
            break
    return result

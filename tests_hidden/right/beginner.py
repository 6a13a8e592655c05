"""A right solution in a beginner's style: plain loops and lists, NumPy where training needs it.

Freedoms it uses: Python's own numbers everywhere; the first of equal magnitudes goes; the tightest affine
range; k-means from the affine levels, the best round kept; int64 indices; plain SGD in loops of its own;
raw outputs where a pool stands before the ReLU. `compress` prunes, finetunes and shares weights until the
file is small enough.
"""

import math
from bisect import bisect_left

import numpy as np

from assignment.artifact import pack
from assignment.nn import Adam, Conv2D, Dataset, Dense, ReLU, cosine, cross_entropy, fit


def layers_with_weights(model):
    found = []
    for layer in model.layers:
        if isinstance(layer, (Dense, Conv2D)):
            found.append(layer)
    return found


def check_share(name, value):
    if math.isnan(value) or value < 0 or value > 1:
        raise ValueError(f"{name} must be between 0 and 1, got {value}")


def check_bits(bits, lowest, highest):
    if bits < lowest or bits > highest:
        raise ValueError(f"bits must be from {lowest} to {highest}, got {bits}")


def check_numbers(weights):
    if np.isnan(weights).any():
        raise ValueError("weights must be numbers, got NaN among them")


# Part 1


def count_parameters(model):
    count = 0
    for layer in layers_with_weights(model):
        n = 1
        for length in layer.weight.shape:
            n = n * length
        count = count + n + len(layer.bias)
    return count


def sparsity(model):
    zeros = 0
    total = 0
    for layer in layers_with_weights(model):
        for w in layer.weight.ravel().tolist():
            if w == 0:
                zeros += 1
            total += 1
    if total == 0:
        return 0.0
    return zeros / total


def storage_bytes(model, bits=32):
    size = 0
    for layer in layers_with_weights(model):
        weight_bits = layer.weight.size * bits
        size += weight_bits // 8
        if weight_bits % 8 != 0:
            size += 1
        size += 4 * len(layer.bias)
    return size


# Part 2


def magnitude_mask(weights, sparsity):
    check_share("sparsity", sparsity)
    check_numbers(weights)
    magnitudes = [abs(w) for w in weights.ravel().tolist()]
    order = sorted(range(len(magnitudes)), key=magnitudes.__getitem__)
    keep = [True] * len(magnitudes)
    for i in order[: round(float(sparsity) * len(magnitudes))]:
        keep[i] = False
    return np.array(keep, dtype=bool).reshape(weights.shape)


def global_magnitude_masks(model, sparsity):
    check_share("sparsity", sparsity)
    pieces = [layer.weight.ravel() for layer in layers_with_weights(model)]
    if len(pieces) == 0:
        return []
    keep = magnitude_mask(np.concatenate(pieces), sparsity)
    masks = []
    start = 0
    for layer in layers_with_weights(model):
        stop = start + layer.weight.size
        masks.append(keep[start:stop].reshape(layer.weight.shape).copy())
        start = stop
    return masks


def prune(model, sparsity, scope="global"):
    if scope == "global":
        masks = global_magnitude_masks(model, sparsity)
    elif scope == "layer":
        check_share("sparsity", sparsity)
        masks = [magnitude_mask(layer.weight, sparsity) for layer in layers_with_weights(model)]
    else:
        raise ValueError(f"scope must be 'global' or 'layer', got {scope!r}")
    pruned = model.copy()
    for layer, mask in zip(layers_with_weights(pruned), masks, strict=True):
        layer.weight[~mask] = 0
    return pruned


def finetune(model, masks, dataset, *, epochs, learning_rate, batch_size=128, seed=0):
    new = model.copy()
    for layer, mask in zip(layers_with_weights(new), masks, strict=True):
        check_numbers(layer.weight)
        layer.weight[~mask] = 0
    rng = np.random.default_rng(seed)
    rate = float(learning_rate)
    for _ in range(epochs):
        for batch in dataset.batches(batch_size, rng):
            _, grad = cross_entropy(new.forward(batch.images), batch.labels)
            new.backward(grad)
            for layer, mask in zip(layers_with_weights(new), masks, strict=True):
                layer.weight = layer.weight - rate * layer.weight_grad
                layer.weight[~mask] = 0
                layer.bias = layer.bias - rate * layer.bias_grad
    return new.copy()


# Part 3


def quantize_affine(weights, bits):
    check_bits(bits, 1, 16)
    check_numbers(weights)
    values = weights.ravel().tolist()
    lowest = min([0.0, *values])
    highest = max([0.0, *values])
    top = 2**bits - 1
    scale = (highest - lowest) / top
    if scale == 0:
        scale = 1.0
    zero_point = round(-lowest / scale)
    codes = []
    for w in values:
        codes.append(min(max(round(w / scale) + zero_point, 0), top))
    dtype = np.uint8 if bits <= 8 else np.uint16
    return np.array(codes, dtype=dtype).reshape(weights.shape), scale, zero_point


def dequantize_affine(codes, scale, zero_point):
    back = [(code - int(zero_point)) * float(scale) for code in codes.ravel().tolist()]
    return np.array(back, dtype=np.float32).reshape(codes.shape)


def symmetric_of_list(values, top):
    largest = 0.0
    for w in values:
        largest = max(largest, abs(w))
    scale = largest / top
    if scale == 0:
        scale = 1.0
    return [min(max(round(w / scale), -top), top) for w in values], scale


def quantize_symmetric(weights, bits, axis=None):
    check_bits(bits, 2, 16)
    check_numbers(weights)
    top = 2 ** (bits - 1) - 1
    dtype = np.int8 if bits <= 8 else np.int16
    if axis is None:
        codes, scale = symmetric_of_list(weights.ravel().tolist(), top)
        return np.array(codes, dtype=dtype).reshape(weights.shape), scale
    slices = np.moveaxis(weights, axis, 0)
    all_codes = np.zeros(slices.shape, dtype)
    scales = []
    for i in range(len(slices)):
        codes, scale = symmetric_of_list(slices[i].ravel().tolist(), top)
        all_codes[i] = np.array(codes, dtype=dtype).reshape(slices[i].shape)
        scales.append(scale)
    shape = [1] * weights.ndim
    shape[axis] = len(scales)
    return np.moveaxis(all_codes, 0, axis).copy(), np.array(scales, dtype=float).reshape(shape)


def squared_error(ordered, codebook, bounds):
    error = 0.0
    for k in range(len(codebook)):
        part = ordered[bounds[k] : bounds[k + 1]] - codebook[k]
        error += float(np.sum(part * part))
    return error


def cluster_bounds(ordered_list, codebook):
    """Where each centroid's stretch of the sorted weights begins and ends."""
    bounds = [0]
    for k in range(len(codebook) - 1):
        bounds.append(bisect_left(ordered_list, (codebook[k] + codebook[k + 1]) / 2))
    bounds.append(len(ordered_list))
    return bounds


def kmeans_codebook(weights, bits, iterations=20):
    check_bits(bits, 1, 8)
    check_numbers(weights)
    _, scale, zero_point = quantize_affine(weights, bits)
    levels = dequantize_affine(np.arange(2**bits, dtype=np.uint16), scale, zero_point)
    flat = weights.ravel().astype(float)
    if len(flat) > 0:
        levels = np.clip(levels, min(flat.min(), 0), max(flat.max(), 0))
    has_zero = 0.0 in flat
    ordered = np.sort(flat)
    ordered_list = ordered.tolist()

    codebook = levels.astype(float).tolist()
    bounds = cluster_bounds(ordered_list, codebook)
    best, best_error = codebook, squared_error(ordered, codebook, bounds)
    for _ in range(iterations):
        moved = []
        for k in range(len(codebook)):
            members = ordered[bounds[k] : bounds[k + 1]]
            if len(members) == 0 or (has_zero and codebook[k] == 0):
                moved.append(codebook[k])
            else:
                moved.append(float(np.float32(np.mean(members))))
        if moved == codebook:
            break
        codebook = moved
        bounds = cluster_bounds(ordered_list, codebook)
        error = squared_error(ordered, codebook, bounds)
        if error < best_error:
            best, best_error = codebook, error
    middles = [(best[k] + best[k + 1]) / 2 for k in range(len(best) - 1)]
    # A weight right on a middle belongs to the centroid above it, here as in cluster_bounds.
    indices = np.searchsorted(np.array(middles), flat, side="right")
    return indices.reshape(weights.shape), np.array(best, dtype=np.float32)


def quantize_model(model, bits, scheme="affine"):
    if scheme == "affine":
        check_bits(bits, 1, 16)
    elif scheme == "symmetric":
        check_bits(bits, 2, 16)
    elif scheme == "kmeans":
        check_bits(bits, 1, 8)
    else:
        raise ValueError(f"scheme must be 'affine', 'symmetric' or 'kmeans', got {scheme!r}")
    new = model.copy()
    for layer in layers_with_weights(new):
        if scheme == "affine":
            codes, scale, zero_point = quantize_affine(layer.weight, bits)
            layer.weight = dequantize_affine(codes, scale, zero_point)
        elif scheme == "symmetric":
            axis = 1 if isinstance(layer, Dense) else 0
            codes, scales = quantize_symmetric(layer.weight, bits, axis)
            layer.weight = (codes * scales).astype(np.float32)
        else:
            indices, codebook = kmeans_codebook(layer.weight, bits)
            layer.weight = codebook[indices]
    return new


# Part 4


def softmax(logits, temperature=1.0):
    rows = []
    for row in logits.tolist():
        largest = max(row)
        powers = [math.exp((z - largest) / temperature) for z in row]
        total = sum(powers)
        rows.append([p / total for p in powers])
    return np.array(rows, dtype=np.float32).reshape(logits.shape)


def log_softmax_row(row, temperature):
    largest = max(row)
    scaled = [(z - largest) / temperature for z in row]
    log_total = math.log(sum(math.exp(z) for z in scaled))
    return [z - log_total for z in scaled]


def distillation_loss(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    n = len(labels)
    losses = []
    grads = []
    for s_row, t_row, label in zip(
        student_logits.tolist(), teacher_logits.tolist(), labels.tolist(), strict=True
    ):
        hard = log_softmax_row(s_row, 1.0)
        soft = log_softmax_row(s_row, temperature)
        teacher = log_softmax_row(t_row, temperature)
        kl = 0.0
        grad = []
        for c in range(len(s_row)):
            p = math.exp(teacher[c])
            if p > 0:
                kl += p * (teacher[c] - soft[c])
            target = 1.0 if c == label else 0.0
            hard_grad = math.exp(hard[c]) - target
            soft_grad = temperature * (math.exp(soft[c]) - p)
            grad.append((alpha * hard_grad + (1 - alpha) * soft_grad) / n)
        losses.append(alpha * -hard[label] + (1 - alpha) * temperature**2 * kl)
        grads.append(grad)
    return sum(losses) / n, np.array(grads, dtype=np.float32)


def distill(
    student,
    teacher,
    dataset,
    *,
    epochs,
    temperature=3.0,
    alpha=0.5,
    learning_rate,
    batch_size=128,
    seed=0,
):
    new = student.copy()
    wise = teacher.copy()
    rng = np.random.default_rng(seed)
    rate = float(learning_rate)
    for _ in range(epochs):
        for batch in dataset.batches(batch_size, rng):
            logits = new.forward(batch.images)
            told = wise.forward(batch.images)
            _, grad = distillation_loss(logits, told, batch.labels, temperature, alpha)
            new.backward(grad)
            for layer in layers_with_weights(new):
                layer.weight = layer.weight - rate * layer.weight_grad
                layer.bias = layer.bias - rate * layer.bias_grad
    return new.copy()


# Part 5


def check_layer_index(model, layer_index):
    n = len(model.layers)
    if layer_index < -n or layer_index >= n:
        raise ValueError(f"layer_index must be from {-n} to {n - 1} in this model, got {layer_index}")
    layer = model.layers[layer_index]
    if not isinstance(layer, (Dense, Conv2D)):
        raise ValueError(f"layer_index must name a layer with weights, got {layer_index}, which is {layer!r}")
    if layer_index < 0:
        return layer_index + n
    return layer_index


def neuron_importance(model, layer_index, images):
    index = check_layer_index(model, layer_index)
    steps = model.copy().layers
    stop = index + 1
    if stop < len(steps) and isinstance(steps[stop], ReLU):
        stop += 1
    units = len(model.layers[index].bias)
    totals = [0.0] * units
    counts = [0] * units
    for start in range(0, len(images), 500):
        x = images[start : start + 500]
        for layer in steps[:stop]:
            x = layer.forward(x)
        for u in range(units):
            totals[u] += float(np.abs(x[:, u].astype(float)).sum())
            counts[u] += x[:, u].size
    return np.array([total / max(count, 1) for total, count in zip(totals, counts, strict=True)])


def prune_neurons(model, layer_index, importance, keep_ratio):
    check_share("keep_ratio", keep_ratio)
    index = check_layer_index(model, layer_index)
    following = None
    for i in range(len(model.layers) - 1, index, -1):
        if isinstance(model.layers[i], (Dense, Conv2D)):
            following = i
    if following is None:
        raise ValueError(
            f"layer_index must not be the classifier, whose units are the classes, got {layer_index}"
        )
    new = model.copy()
    layer, reader = new.layers[index], new.layers[following]
    units = len(layer.bias)
    order = sorted(range(units), key=lambda u: -importance[u])
    kept = sorted(order[: max(1, round(float(keep_ratio) * units))])

    layer.bias = layer.bias[kept]
    layer.weight = layer.weight[:, kept] if isinstance(layer, Dense) else layer.weight[kept]
    if isinstance(reader, Conv2D):
        reader.weight = reader.weight[:, kept]
    else:
        inputs_of_a_unit = len(reader.weight) // units
        rows = []
        for u in kept:
            rows.extend(range(u * inputs_of_a_unit, (u + 1) * inputs_of_a_unit))
        reader.weight = reader.weight[rows]
    return new


# Part 6


def hold_zeros(masks):
    def after_step(model):
        for layer, mask in zip(layers_with_weights(model), masks, strict=True):
            layer.weight[~mask] = 0

    return after_step


def compress(model, data, budget_bytes, seed=0):
    weights = sum(layer.weight.size for layer in layers_with_weights(model))
    # About nine bits for a weight that stays: where it is, and which of eight values it has.
    keep = min(0.5, budget_bytes * 8 / 9.5 / max(weights, 1))
    train = Dataset(data.train.images[:30000], data.train.labels[:30000])
    epochs = max(1, min(8, 60000 // len(train)))
    lean = prune(model, 1 - min(0.5, 3 * keep))
    for share in (2 * keep, keep):
        masks = global_magnitude_masks(lean, 1 - min(0.5, share))
        lean = prune(lean, 1 - min(0.5, share))
        fit(
            lean, train, epochs=epochs, optimizer=Adam(0.002), schedule=cosine, seed=seed,
            after_step=hold_zeros(masks),
        )  # fmt: skip
    for layer in lean.layers:
        if isinstance(layer, (Dense, Conv2D)):
            layer.bias = layer.bias.astype(np.float16).astype(np.float32)
    for tighter in (1, 0.9, 0.8, 0.65, 0.5, 0.35, 0.2, 0.1, 0):
        small = quantize_model(prune(lean, 1 - min(0.5, tighter * keep)), 3, "kmeans")
        if len(pack(small)) <= budget_bytes:
            return small
    for layer in layers_with_weights(small):
        layer.bias = np.zeros_like(layer.bias)
    return small

"""Random weights, models and data for the hidden tests, and the float32 tolerance they share."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np

from assignment.nn import (
    AvgPool2D,
    Conv2D,
    Dataset,
    Dense,
    Flatten,
    MaxPool2D,
    ReLU,
    Reshape,
    Sequential,
)

Array = np.ndarray

FEW_STEPS = 8 * float(np.finfo(np.float32).eps)
"""A few float32 steps, relative to the largest magnitude: a quantizer in float32 divides by the scale,
rounds, multiplies again and holds a rounded scale, each of them off by half a step at most."""


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Weights of either sign whose magnitudes all differ, by 1 / size and more."""
    size = int(np.prod(shape))
    magnitudes = (rng.permutation(size) + 1) / max(size, 1)
    return (magnitudes * rng.choice([-1.0, 1.0], size)).reshape(shape).astype(np.float32)


def dense_model(rng: np.random.Generator, *sizes: int) -> Sequential:
    """Dense layers with ReLUs between them; weights and biases are normal."""
    layers: list = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        layers += [Dense(fan_in, fan_out, rng=rng), ReLU()]
        layers[-2].bias = rng.normal(0, 0.5, fan_out).astype(np.float32)
    return Sequential(layers[:-1])


def conv_model(rng: np.random.Generator) -> Sequential:
    """Every kind of layer, at settings other than the defaults; takes (N, 81)."""
    model = Sequential(
        [
            Reshape((1, 9, 9)),
            Conv2D(1, 3, 3, stride=1, padding=1, rng=rng),
            ReLU(),
            MaxPool2D(2),
            Conv2D(3, 5, (2, 3), stride=1, padding=1, rng=rng),
            ReLU(),
            AvgPool2D(2),
            Flatten(),
            Dense(20, 10, rng=rng),
        ]
    )
    for layer in weighted(model):
        layer.bias = rng.normal(0, 0.5, layer.bias.shape).astype(np.float32)
    return model


def small_conv_model(rng: np.random.Generator) -> Sequential:
    """One convolution before the classifier, quick to train; takes (N, 36)."""
    layers = [Reshape((1, 6, 6)), Conv2D(1, 4, 3, rng=rng), ReLU(), MaxPool2D(2), Flatten()]
    return with_live_units(Sequential([*layers, Dense(16, 10, rng=rng)]), rng)


def with_live_units(model: Sequential, rng: np.random.Generator) -> Sequential:
    """A copy with biases above 0, so that every unit answers to some image and can train."""
    live = model.copy()
    for layer in weighted(live):
        layer.bias = rng.uniform(0.1, 0.4, layer.bias.shape).astype(np.float32)
    return live


def weighted(model: Sequential) -> list:
    return [layer for layer in model.layers if isinstance(layer, Dense | Conv2D)]


def all_weights(model: Sequential) -> Array:
    return np.concatenate([layer.weight.ravel() for layer in weighted(model)])


def with_weights(model: Sequential, values: Iterable[float] | Array) -> Sequential:
    """A copy that holds `values`, one long row of them, as its weights."""
    filled, start = model.copy(), 0
    row = np.asarray(values, dtype=np.float32)
    for layer in weighted(filled):
        shape = layer.weight.shape
        layer.weight = row[start : start + layer.weight.size].reshape(shape).copy()
        start += layer.weight.size
    return filled


def with_distinct_weights(model: Sequential, rng: np.random.Generator) -> Sequential:
    """The same ranking of weights, at magnitudes that all differ clearly, layers of different scale."""
    scales = rng.permutation(np.geomspace(0.2, 5.0, len(weighted(model))))
    rough = [
        scale * rng.normal(size=layer.weight.size)
        for scale, layer in zip(scales, weighted(model), strict=True)
    ]
    row = np.concatenate(rough)
    ranks = np.argsort(np.argsort(np.abs(row)))
    return with_weights(model, np.sign(row) * (ranks + 1) / row.size)


def learnable(rng: np.random.Generator, size: int, features: int) -> Dataset:
    """Images around one random prototype for each of ten classes, all classes alike in number."""
    labels = rng.permutation(np.arange(size) % 10)
    prototypes = rng.uniform(0.0, 1.0, (10, features)).round()
    noisy = 0.8 * prototypes[labels] + rng.uniform(0.0, 0.2, (size, features))
    return Dataset(noisy.astype(np.float32), labels.astype(np.int64))


def random_masks(rng: np.random.Generator, model: Sequential, keep: float) -> list[Array]:
    return [rng.random(layer.weight.shape) < keep for layer in weighted(model)]


def masked(model: Sequential, masks: list[Array]) -> Sequential:
    held = model.copy()
    for layer, mask in zip(weighted(held), masks, strict=True):
        layer.weight = np.where(mask, layer.weight, np.float32(0))
    return held

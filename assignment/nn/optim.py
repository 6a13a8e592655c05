"""Optimisers: how gradients become steps. Both update the model's arrays in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from .layers import Array
from .model import Sequential

Schedule = Callable[[float], float]


class Optimizer(Protocol):
    """Anything that can take one step on a model after its `backward`."""

    def step(self, model: Sequential, factor: float = 1.0) -> None: ...


def cosine(progress: float) -> float:
    """A learning-rate factor that falls from 1 to 0 along half a cosine (Loshchilov and Hutter 2017)."""
    return 0.5 * (1.0 + float(np.cos(np.pi * progress)))


class Buffers:
    """Running arrays beside each parameter, made at the first step and again where a shape changed."""

    def __init__(self, per_parameter: int):
        self.per_parameter = per_parameter
        self.arrays: list[tuple[Array, ...]] = []

    def beside(self, index: int, parameter: Array) -> tuple[Array, ...]:
        if index == len(self.arrays):
            self.arrays.append(())
        if not self.arrays[index] or self.arrays[index][0].shape != parameter.shape:
            self.arrays[index] = tuple(np.zeros_like(parameter) for _ in range(self.per_parameter))
        return self.arrays[index]


class SGD:
    """Stochastic gradient descent: `velocity = momentum * velocity + grad; w -= rate * velocity`."""

    def __init__(self, learning_rate: float, momentum: float = 0.0):
        self.learning_rate, self.momentum = learning_rate, momentum
        self._buffers = Buffers(per_parameter=1)

    def step(self, model: Sequential, factor: float = 1.0) -> None:
        """One step at `factor` times the learning rate."""
        rate = self.learning_rate * factor
        for index, (weight, grad) in enumerate(zip(model.parameters(), model.gradients(), strict=True)):
            (velocity,) = self._buffers.beside(index, weight)
            velocity *= self.momentum
            velocity += grad
            weight -= rate * velocity


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), the bias corrections folded into the rate and epsilon."""

    def __init__(
        self, learning_rate: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ):
        self.learning_rate, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.steps = 0
        self._buffers = Buffers(per_parameter=3)

    def step(self, model: Sequential, factor: float = 1.0) -> None:
        """One step at `factor` times the learning rate."""
        self.steps += 1
        correction = float(np.sqrt(1.0 - self.beta2**self.steps))
        rate = self.learning_rate * factor * correction / (1.0 - self.beta1**self.steps)
        for index, (weight, grad) in enumerate(zip(model.parameters(), model.gradients(), strict=True)):
            mean, square, scratch = self._buffers.beside(index, weight)
            np.subtract(grad, mean, out=scratch)
            scratch *= 1.0 - self.beta1
            mean += scratch
            np.multiply(grad, grad, out=scratch)
            scratch *= 1.0 - self.beta2
            square *= self.beta2
            square += scratch
            np.sqrt(square, out=scratch)
            scratch += self.epsilon * correction
            np.divide(mean, scratch, out=scratch)
            scratch *= rate
            weight -= scratch

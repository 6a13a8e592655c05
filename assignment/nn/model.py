"""A model is a list of layers, run one after the other."""

from __future__ import annotations

import numpy as np

from .layers import Array, Layer, WeightedLayer


class Sequential:
    """Layers in a row: images in, logits out.

    >>> Sequential([Dense(784, 100), ReLU(), Dense(100, 10)])
    Sequential([Dense(784, 100), ReLU(), Dense(100, 10)])
    """

    def __init__(self, layers: list[Layer]):
        self.layers = list(layers)

    def forward(self, x: Array) -> Array:
        """Images (N, 784) float32 to logits (N, 10) float32."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad: Array, *, input_gradient: bool = True) -> Array | None:
        """From the gradient by the logits to those of every weight, and of the input.

        Without `input_gradient` the last step, whose result training never reads, is left out.
        """
        for index in range(len(self.layers) - 1, 0, -1):
            grad = self.layers[index].backward(grad)
        if not self.layers:
            return grad
        first = self.layers[0]
        if input_gradient:
            return first.backward(grad)
        if isinstance(first, WeightedLayer):
            first.weight_backward(grad)
        return None

    def predict(self, x: Array, batch_size: int = 1000) -> Array:
        """The most likely class of each image: (N, 784) float32 to (N,) int64."""
        batches = [self.forward(x[i : i + batch_size]).argmax(axis=1) for i in range(0, len(x), batch_size)]
        return np.concatenate(batches).astype(np.int64) if batches else np.zeros(0, np.int64)

    def parameters(self) -> list[Array]:
        """Every layer's arrays, in order."""
        return [array for layer in self.layers for array in layer.parameters()]

    def gradients(self) -> list[Array]:
        """The gradients of the last `backward`, in the order of `parameters`."""
        return [array for layer in self.layers for array in layer.gradients()]

    def copy(self) -> Sequential:
        """A deep copy that shares no array with this model."""
        return Sequential([layer.copy() for layer in self.layers])

    def __repr__(self) -> str:
        return f"Sequential({self.layers!r})"

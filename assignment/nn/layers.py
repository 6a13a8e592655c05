"""The layers of a small network, each with its exact gradient.

A layer computes with the arrays it holds: assign another `weight`, of another shape too, and the
next `forward` uses it. `backward` takes the gradient of the loss with respect to the layer's output
and returns the one with respect to its input; layers with weights leave theirs in `weight_grad` and
`bias_grad` on the way.

Images travel as `(N, 784)` float32 through dense layers and as `(N, channels, height, width)`
through convolutions and pools.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

Array = np.ndarray


class Layer:
    """What all layers share: no weights unless a subclass says otherwise."""

    def forward(self, x: Array) -> Array:
        raise TypeError(f"{type(self).__name__} has no forward of its own")

    def backward(self, grad: Array) -> Array:
        raise TypeError(f"{type(self).__name__} has no backward of its own")

    def parameters(self) -> list[Array]:
        """The layer's arrays, weight first; updating one in place trains the layer."""
        return []

    def gradients(self) -> list[Array]:
        """The gradients of the last `backward`, in the order of `parameters`."""
        return []

    def config(self) -> dict[str, Any]:
        """The constructor arguments that the arrays do not already tell."""
        return {}

    def copy(self) -> Layer:
        """A deep copy: same arrays by value, none of them shared, all of them writable."""
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles carry what defines the layer, not what its last batch left behind."""
        return {k: v for k, v in self.__dict__.items() if not k.startswith("_") and not k.endswith("_grad")}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.config().items())
        return f"{type(self).__name__}({arguments})"


class WeightedLayer(Layer):
    """A layer with a `weight` and a `bias`."""

    weight: Array
    bias: Array
    weight_grad: Array | None = None
    bias_grad: Array | None = None
    _input: Array | None = None

    def parameters(self) -> list[Array]:
        return [self.weight, self.bias]

    def gradients(self) -> list[Array]:
        if self.weight_grad is None or self.bias_grad is None:
            raise ValueError(f"{self!r} has no gradients yet: run forward, then backward")
        return [self.weight_grad, self.bias_grad]

    def backward(self, grad: Array) -> Array:
        self.weight_backward(grad)
        return self.input_backward(grad)

    def weight_backward(self, grad: Array) -> None:
        """Fill `weight_grad` and `bias_grad` (all that the first layer of a model needs)."""
        raise TypeError(f"{type(self).__name__} has no weight_backward of its own")

    def input_backward(self, grad: Array) -> Array:
        """The gradient with respect to the input of the last `forward`."""
        raise TypeError(f"{type(self).__name__} has no input_backward of its own")


def he_normal(rng: np.random.Generator | None, shape: tuple[int, ...], fan_in: int) -> Array:
    """Normal weights of variance 2 / fan_in (He et al. 2015, section 2.2), float32.

    Without a generator the draw is that of seed 0, so that a model built twice is the same twice.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(2.0 / max(fan_in, 1)))


class Dense(WeightedLayer):
    """`x @ weight + bias`.

    weight: (in_features, out_features) float32, He-initialised from `rng`.
    bias: (out_features,) float32, zeros at first.

    >>> Dense(784, 300)
    Dense(784, 300)
    """

    def __init__(self, in_features: int, out_features: int, *, rng: np.random.Generator | None = None):
        self.weight = he_normal(rng, (in_features, out_features), in_features)
        self.bias = np.zeros(out_features, np.float32)

    @classmethod
    def from_arrays(cls, weight: Array, bias: Array) -> Dense:
        """A layer that holds just these arrays (not copies of them)."""
        layer = cls.__new__(cls)
        layer.weight, layer.bias = weight, bias
        return layer

    @property
    def in_features(self) -> int:
        return self.weight.shape[0]

    @property
    def out_features(self) -> int:
        return self.weight.shape[1]

    def forward(self, x: Array) -> Array:
        if x.ndim != 2 or x.shape[1] != self.in_features:
            raise ValueError(f"{self!r} needs input of shape (N, {self.in_features}), got {x.shape}")
        self._input = x
        out = x @ self.weight
        out += self.bias
        return out

    def weight_backward(self, grad: Array) -> None:
        assert self._input is not None, "backward needs a forward first"
        self.weight_grad = self._input.T @ grad
        self.bias_grad = grad.sum(axis=0)

    def input_backward(self, grad: Array) -> Array:
        return grad @ self.weight.T

    def __repr__(self) -> str:
        return f"Dense({self.in_features}, {self.out_features})"


class Conv2D(WeightedLayer):
    """Cross-correlation of `(N, in, H, W)` with kernels, as every framework's convolution.

    weight: (out_channels, in_channels, kh, kw) float32, He-initialised from `rng`.
    bias: (out_channels,) float32, zeros at first.
    Output: (N, out, (H + 2 padding - kh) // stride + 1, likewise for W).

    >>> Conv2D(1, 8, 3, stride=2, padding=1)
    Conv2D(1, 8, 3, stride=2, padding=1)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int = 1,
        padding: int = 0,
        *,
        rng: np.random.Generator | None = None,
    ):
        kh, kw = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        self.weight = he_normal(rng, (out_channels, in_channels, kh, kw), in_channels * kh * kw)
        self.bias = np.zeros(out_channels, np.float32)
        self.stride, self.padding = stride, padding

    @classmethod
    def from_arrays(cls, weight: Array, bias: Array, stride: int = 1, padding: int = 0) -> Conv2D:
        """A layer that holds just these arrays (not copies of them)."""
        layer = cls.__new__(cls)
        layer.weight, layer.bias, layer.stride, layer.padding = weight, bias, stride, padding
        return layer

    @property
    def in_channels(self) -> int:
        return self.weight.shape[1]

    @property
    def out_channels(self) -> int:
        return self.weight.shape[0]

    @property
    def kernel_size(self) -> int | tuple[int, int]:
        kh, kw = self.weight.shape[2:]
        return kh if kh == kw else (kh, kw)

    def config(self) -> dict[str, Any]:
        return {"stride": self.stride, "padding": self.padding}

    def forward(self, x: Array) -> Array:
        """Each output position reads one column of `columns`, (N, in * kh * kw, positions)."""
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise ValueError(f"{self!r} needs input of shape (N, {self.in_channels}, H, W), got {x.shape}")
        n, channels, height, width = x.shape
        out_channels, _, kh, kw = self.weight.shape
        out_height = (height + 2 * self.padding - kh) // self.stride + 1
        out_width = (width + 2 * self.padding - kw) // self.stride + 1
        if out_height < 1 or out_width < 1:
            raise ValueError(f"{self!r} is larger than its input of {height}x{width} pixels")
        padded = np.pad(x, ((0, 0), (0, 0), (self.padding,) * 2, (self.padding,) * 2)) if self.padding else x
        columns = np.empty((n, channels, kh, kw, out_height, out_width), x.dtype)
        for i, j in np.ndindex(kh, kw):
            columns[:, :, i, j] = padded[:, :, self._span(i, out_height), self._span(j, out_width)]
        self._input, self._columns = x, columns.reshape(n, channels * kh * kw, -1)
        out = self.weight.reshape(out_channels, -1) @ self._columns
        out += self.bias[:, None]
        return out.reshape(n, out_channels, out_height, out_width)

    def _span(self, offset: int, count: int) -> slice:
        return slice(offset, offset + self.stride * (count - 1) + 1, self.stride)

    def weight_backward(self, grad: Array) -> None:
        assert self._input is not None, "backward needs a forward first"
        flat = grad.reshape(*grad.shape[:2], -1)
        self.weight_grad = (flat @ self._columns.transpose(0, 2, 1)).sum(axis=0).reshape(self.weight.shape)
        self.bias_grad = flat.sum(axis=(0, 2))

    def input_backward(self, grad: Array) -> Array:
        assert self._input is not None, "backward needs a forward first"
        n, channels, height, width = self._input.shape
        out_channels, _, kh, kw = self.weight.shape
        out_height, out_width = grad.shape[2:]
        columns = self.weight.reshape(out_channels, -1).T @ grad.reshape(n, out_channels, -1)
        columns = columns.reshape(n, channels, kh, kw, out_height, out_width)
        p = self.padding
        padded = np.zeros((n, channels, height + 2 * p, width + 2 * p), grad.dtype)
        for i, j in np.ndindex(kh, kw):
            padded[:, :, self._span(i, out_height), self._span(j, out_width)] += columns[:, :, i, j]
        return padded[:, :, p : p + height, p : p + width]

    def __repr__(self) -> str:
        sizes = f"{self.in_channels}, {self.out_channels}, {self.kernel_size}"
        return f"Conv2D({sizes}, stride={self.stride}, padding={self.padding})"


class ReLU(Layer):
    """`max(x, 0)`; the gradient at exactly 0 is 0."""

    def forward(self, x: Array) -> Array:
        self._output = np.maximum(x, 0)
        return self._output

    def backward(self, grad: Array) -> Array:
        return grad * (self._output > 0)


class Flatten(Layer):
    """`(N, ...)` to `(N, features)`, in C order: channel by channel, row by row."""

    def forward(self, x: Array) -> Array:
        self._shape = x.shape
        return x.reshape(len(x), -1) if x.size else x.reshape(len(x), int(np.prod(x.shape[1:])))

    def backward(self, grad: Array) -> Array:
        return grad.reshape(self._shape)


class Reshape(Layer):
    """`(N, ...)` to `(N, *shape)`: `Reshape((1, 28, 28))` turns a row of 784 into an image."""

    def __init__(self, shape: tuple[int, ...]):
        self.shape = tuple(int(n) for n in shape)

    def config(self) -> dict[str, Any]:
        return {"shape": self.shape}

    def forward(self, x: Array) -> Array:
        if int(np.prod(x.shape[1:])) != int(np.prod(self.shape)):
            raise ValueError(f"{self!r} cannot take input of shape {x.shape}: the sizes differ")
        self._shape = x.shape
        return x.reshape(len(x), *self.shape)

    def backward(self, grad: Array) -> Array:
        return grad.reshape(self._shape)


class Pool2D(Layer):
    """Windows of `size` x `size` side by side; rows and columns that fill no window are dropped."""

    def __init__(self, size: int):
        self.size = size

    def config(self) -> dict[str, Any]:
        return {"size": self.size}

    def windows(self, x: Array) -> Array:
        """(N, C, H, W) to (N, C, H // size, W // size, size * size), a copy."""
        if x.ndim != 4 or min(x.shape[2:]) < self.size:
            raise ValueError(f"{self!r} needs input (N, C, H, W) of at least its own size, got {x.shape}")
        n, c, s = *x.shape[:2], self.size
        self._shape = x.shape
        h, w = x.shape[2] // s, x.shape[3] // s
        tiles = x[:, :, : h * s, : w * s].reshape(n, c, h, s, w, s)
        return tiles.transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h, w, s * s)

    def unwindow(self, windows: Array) -> Array:
        """The inverse of `windows`, with zeros where rows and columns were dropped."""
        n, c, h, w, _ = windows.shape
        s = self.size
        out = np.zeros(self._shape, windows.dtype)
        tiles = windows.reshape(n, c, h, w, s, s).transpose(0, 1, 2, 4, 3, 5)
        out[:, :, : h * s, : w * s] = tiles.reshape(n, c, h * s, w * s)
        return out


class MaxPool2D(Pool2D):
    """The largest value of each window; where several are, the first takes the gradient."""

    def forward(self, x: Array) -> Array:
        windows = self.windows(x)
        self._winner = windows.argmax(axis=-1)[..., None]
        return np.take_along_axis(windows, self._winner, axis=-1)[..., 0]

    def backward(self, grad: Array) -> Array:
        windows = np.zeros((*grad.shape, self.size**2), grad.dtype)
        np.put_along_axis(windows, self._winner, grad[..., None], axis=-1)
        return self.unwindow(windows)


class AvgPool2D(Pool2D):
    """The mean of each window."""

    def forward(self, x: Array) -> Array:
        return self.windows(x).mean(axis=-1)

    def backward(self, grad: Array) -> Array:
        share = grad / np.float32(self.size**2)
        return self.unwindow(np.repeat(share[..., None], self.size**2, axis=-1))


LAYERS: tuple[type[Layer], ...] = (Dense, Conv2D, ReLU, Flatten, MaxPool2D, AvgPool2D, Reshape)

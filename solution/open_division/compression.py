"""The open division's reference entry: a convolutional network of some 500 bytes, taught by the shared model.

Three layers are enough: 5 x 5 pixels to 8 channels, 3 x 3 to 12, and what is left, 3 x 3 of 12, to the ten classes,
with a maximum over 2 x 2 behind both convolutions, and a mean over 2 x 2 in front that costs no byte. Everything else
is as in the reference of the other division: the network learns from the teacher's logits, on the grid that it is
stored on, while a price on every weight drives most of them to 0.

What is new is speed, since 120 seconds are few for convolutions in NumPy: `RowConv2D` below computes a whole row of
outputs with one matrix product, for many images at once. It trains; the result is made of given layers.

benchmarks/search_open.py chose the settings, by accuracy on the validation images; its log lies beside it.
"""

from __future__ import annotations

import numpy as np

from assignment.nn import (
    Adam,
    AvgPool2D,
    Conv2D,
    Data,
    Dataset,
    Dense,
    Flatten,
    Layer,
    MaxPool2D,
    ReLU,
    Reshape,
    Sequential,
    WeightedLayer,
    cosine,
    fit,
)
from assignment.nn.layers import he_normal
from assignment.nn.optim import Optimizer

Array = np.ndarray

POOL, SIDE = 2, 14  # the network sees means of 2 x 2 pixels, 14 x 14 of them
# Of each hidden layer: units, kernel, padding, and whether a maximum over 2 x 2 follows.
HIDDEN = ((8, 5, 1, True), (12, 3, 1, True))
GRIDS = (0.5, 0.25, 0.25)  # of each layer, whose weights and biases are trained in such steps
EPOCHS, LEAST_STEPS, BATCH_SIZE = 40, 1000, 128  # small data are seen more often
LEARNING_RATE = 0.06  # in steps: a weight must move a whole one before the network notices
PRICE, PRICE_SCALE = 2e-4, 0.25  # a weight costs PRICE * log(1 + steps / PRICE_SCALE), nearly its bits
SHIFT = 1  # pixels that an image is moved by, at most
WARM_UP, SETTLED = 0.3, 0.75  # shares of the training: on the grid from here; pruned for good from here
TEMPERATURE, ALPHA = 2.0, 0.1  # ALPHA is the weight of the labels beside the teacher


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    """A small convolutional network that has learned from `model`.

    It has 2,174 weights and biases on a coarse grid, which fit any budget from 8,192 bytes up, whatever they are.
    """
    lessons = with_logits(data.train.images, model.copy())
    views, count = lessons.shape[:2]
    steps_per_epoch = -(-count // BATCH_SIZE)
    epochs = max(EPOCHS, -(-LEAST_STEPS // steps_per_epoch))
    network = untrained(seed)
    fit(
        network,
        Dataset(np.arange(count), data.train.labels),
        epochs=epochs,
        optimizer=StraightThrough(Adam(LEARNING_RATE), epochs * steps_per_epoch),
        batch_size=BATCH_SIZE,
        seed=seed,
        loss=distillation_loss,
        schedule=cosine,
        augment=lambda rows, rng: lessons[rng.integers(0, views, len(rows)), rows],
    )
    return in_given_layers(network)


def untrained(seed: int) -> Sequential:
    rng = np.random.default_rng(seed)
    layers: list[Layer] = [Rows()]
    side, channels = SIDE, 1
    for (units, kernel, padding, pool), grid in zip(HIDDEN, GRIDS[:-1], strict=True):
        stage = RowConv2D(side, (units, channels, kernel), grid, padding=padding, pool=pool, rng=rng)
        layers += [stage, ReLU()]
        side, channels = stage.out_side, units
    return Sequential([*layers, RowConv2D(side, (10, channels, side), GRIDS[-1], rng=rng), Logits()])


def in_given_layers(network: Sequential) -> Sequential:
    """The same function by the given layers, which is what a file can hold."""
    layers: list[Layer] = [Reshape((1, 28, 28)), AvgPool2D(POOL)]
    for stage in network.layers:
        if not isinstance(stage, RowConv2D):
            continue
        weight, bias = (stage.grid * array + np.float32(0) for array in stage.parameters())  # -0.0 + 0 is 0.0
        if stage.out_side > 1:
            layers += [Conv2D.from_arrays(weight, bias, padding=stage.padding), ReLU()]
            layers += [MaxPool2D(2)] if stage.pool else []
        else:
            layers += [
                Flatten(),
                Dense.from_arrays(np.ascontiguousarray(weight.reshape(len(bias), -1).T), bias),
            ]
    return Sequential(layers)


# ------------------------------------------------------------------------------------------------
# Distillation
# ------------------------------------------------------------------------------------------------


def with_logits(images: Array, teacher: Sequential) -> Array:
    """Each image as it is and moved by a pixel each way, small, with the teacher's logits behind its pixels.

    Returns (9 views, N, 196 + 10) float32: the teacher is asked once for each view, not in every epoch.
    """
    side = 2 * SHIFT + 1
    lessons = np.empty((side * side, len(images), SIDE * SIDE + 10), np.float32)
    for start in range(0, len(images), 1000):
        block = lessons[:, start : start + 1000]
        squares = images[start : start + 1000].reshape(-1, 28, 28)
        squares = np.pad(squares, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
        for view, (top, left) in zip(block, np.ndindex(side, side), strict=True):
            moved = squares[:, top : top + 28, left : left + 28]
            small = moved.reshape(-1, SIDE, POOL, SIDE, POOL).mean(axis=(2, 4))
            view[:, : SIDE * SIDE] = small.reshape(len(view), -1)
            view[:, SIDE * SIDE :] = teacher.forward(moved.reshape(len(view), -1))
    return lessons


def distillation_loss(logits: Array, batch: Dataset) -> tuple[float, Array]:
    """Cross-entropy with the teacher's softened answers, and a little with the labels (Hinton et al. 2015)."""
    n, t = len(batch), np.float32(TEMPERATURE)
    wanted, hard, soft = softmax(batch.images[:, SIDE * SIDE :] / t), softmax(logits), softmax(logits / t)
    loss = float(-np.mean((wanted * np.log(soft + 1e-30)).sum(axis=1)))
    hard[np.arange(n), batch.labels] -= 1
    return loss, (np.float32(ALPHA) * hard + np.float32(1 - ALPHA) * t * (soft - wanted)) / np.float32(n)


def softmax(logits: Array) -> Array:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


class StraightThrough:
    """An optimiser for weights that must be whole numbers of steps (Bengio, Leonard and Courville 2013).

    Once warm, the network holds rounded weights, so that gradients are those of the network to be packed; Adam's
    steps go to `exact` copies, in which small ones add up until the rounded weight follows. The price pulls weights
    to 0, small ones hardest. What is 0 when the network has settled stays 0.
    """

    def __init__(self, optimizer: Optimizer, steps: int):
        self.optimizer, self.steps, self.step_count = optimizer, steps, 0
        self.exact: list[Array] = []
        self.kept: list[Array] = []

    def step(self, model: Sequential, factor: float = 1.0) -> None:
        arrays, progress = model.parameters(), self.step_count / self.steps
        self.step_count += 1
        self.exact = self.exact or [array.copy() for array in arrays]
        price = np.float32(0 if self.kept else PRICE * min(1.0, progress / WARM_UP))
        for array, exact, grad in zip(arrays, self.exact, model.gradients(), strict=True):
            grad += price * np.sign(exact) / (np.abs(exact) + np.float32(PRICE_SCALE))
            array[...] = exact
        self.optimizer.step(model, factor)
        for array, kept in zip(arrays, self.kept, strict=False):
            array *= kept
        for array, exact in zip(arrays, self.exact, strict=True):
            exact[...] = array
            if progress >= WARM_UP:
                np.rint(array, out=array)
        if not self.kept and progress >= SETTLED:
            self.kept = [array != 0 for array in arrays]


# ------------------------------------------------------------------------------------------------
# Convolution by rows
# ------------------------------------------------------------------------------------------------


class Rows(Layer):
    """Images (N, more than 196) to rows, (14, N, 14): all first rows, all second rows, and so on."""

    def forward(self, x: Array) -> Array:
        return x[:, : SIDE * SIDE].reshape(len(x), SIDE, SIDE).transpose(1, 0, 2)


class Logits(Layer):
    """The one row that is left, (1, N, 10), to logits (N, 10)."""

    def forward(self, x: Array) -> Array:
        return x[0]

    def backward(self, grad: Array) -> Array:
        return grad[None]


class RowConv2D(WeightedLayer):
    """A convolution, and a maximum over 2 x 2 if it pools, on rows: (height, N, width * channels).

    weight: (units, channels, kernel, kernel) float32, bias: (units,), both in steps of `grid`.

    A row of outputs depends on `kernel` rows of inputs. Laid side by side, they are a vector, and its product with
    a banded matrix, which repeats the kernel at each position of the row, is the whole row of outputs. The band is
    mostly zeros and BLAS multiplies them all; still it is faster than copying each pixel to where each kernel wants
    it, since the products are large and the copies few.
    """

    def __init__(
        self,
        side: int,
        shape: tuple[int, int, int],
        grid: float,
        *,
        padding: int = 0,
        pool: bool = False,
        rng: np.random.Generator,
    ):
        """side: of the image that it reads. shape: units, channels, kernel. Pools by 2 x 2, or not."""
        units, channels, kernel = shape
        self.weight = he_normal(rng, (units, channels, kernel, kernel), channels * kernel**2) / np.float32(
            grid
        )
        self.bias = np.zeros(units, np.float32)
        self.grid, self.pool, self.padding = np.float32(grid), pool, padding
        self.rows = side + 2 * self.padding - kernel + 1
        self.out_side = self.rows // 2 if pool else self.rows
        self.rows = (
            2 * self.out_side if pool else self.rows
        )  # a last row or column that no window takes is left out
        self.places = self._places(side)

    def _places(self, side: int) -> Array:
        """For each entry of the band, which weight it is; one past the last where it is 0.

        With pooling, outputs at even positions come first, then those at odd ones: a maximum of two halves.
        """
        units, channels, kernel, _ = self.weight.shape
        i, column, c, out, unit = np.ogrid[:kernel, :side, :channels, : self.rows, :units]
        if self.pool:
            out = np.concatenate([out[..., 0::2, :], out[..., 1::2, :]], axis=3)
        j = column - out + self.padding
        place = ((unit * channels + c) * kernel + i) * kernel + j
        inside = (j >= 0) & (j < kernel)
        return np.where(inside, place, self.weight.size).reshape(kernel * side * channels, self.rows * units)

    def forward(self, x: Array) -> Array:
        height, n, width = x.shape
        kernel, p = self.weight.shape[2], self.padding
        padded = np.zeros((height + 2 * p, n, width), np.float32)
        padded[p : p + height] = x
        side_by_side = np.empty((self.rows, n, kernel, width), np.float32)
        for i in range(kernel):
            side_by_side[:, :, i] = padded[i : i + self.rows]
        self._input, self._shape = side_by_side.reshape(self.rows * n, -1), x.shape
        self._band = np.append(self.grid * self.weight, np.float32(0))[self.places]
        out = (self._input @ self._band).reshape(self.rows, n, -1)
        out = self._pooled(out) if self.pool else out
        out += np.tile(self.grid * self.bias, self.out_side)
        return out

    def _pooled(self, x: Array) -> Array:
        self._lower = x[1::2] > x[0::2]  # who takes the gradient: where equal, the first
        rows = np.maximum(x[0::2], x[1::2])
        half = rows.shape[2] // 2
        left, right = rows[:, :, :half], rows[:, :, half:]
        self._right = right > left
        return np.maximum(left, right)

    def _unpooled(self, grad: Array) -> Array:
        rows = np.empty((*grad.shape[:2], 2, grad.shape[2]), np.float32)
        np.multiply(grad, self._right, out=rows[:, :, 1])
        np.subtract(grad, rows[:, :, 1], out=rows[:, :, 0])
        rows = rows.reshape(*grad.shape[:2], -1)
        out = np.empty((len(grad), 2, *rows.shape[1:]), np.float32)
        np.multiply(rows, self._lower, out=out[:, 1])
        np.subtract(rows, out[:, 1], out=out[:, 0])
        return out.reshape(self.rows, *rows.shape[1:])

    def weight_backward(self, grad: Array) -> None:
        """Each weight is at many places of the band: its gradient is the sum of theirs."""
        assert self._input is not None, "backward needs a forward first"
        per_unit = np.ones(len(grad) * grad.shape[1], np.float32) @ grad.reshape(-1, grad.shape[2])
        self.bias_grad = self.grid * per_unit.reshape(-1, len(self.bias)).sum(axis=0)
        self._grad = (self._unpooled(grad) if self.pool else grad).reshape(len(self._input), -1)
        by_place = (self._input.T @ self._grad).ravel()
        sums = np.bincount(self.places.ravel(), by_place, self.weight.size + 1)[:-1]
        self.weight_grad = self.grid * sums.astype(np.float32).reshape(self.weight.shape)

    def input_backward(self, grad: Array) -> Array:
        """Expects `weight_backward` before it. Nobody asks for the gradient by the images themselves."""
        (height, n, width), p = self._shape, self.padding
        if self.weight.shape[1] == 1:
            return grad
        side_by_side = (self._grad @ self._band.T).reshape(self.rows, n, -1, width)
        padded = np.zeros((height + 2 * p, n, width), np.float32)
        for i in range(self.weight.shape[2]):
            padded[i : i + self.rows] += side_by_side[:, :, i]
        return padded[p : p + height]

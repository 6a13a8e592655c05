"""Models to pack: arrays of every kind, in layers of every kind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assignment.artifact import pack
from assignment.nn import AvgPool2D, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Reshape, Sequential

Array = np.ndarray
Filler = Callable[[np.random.Generator, tuple[int, ...]], Array]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.standard_normal(shape, dtype=np.float32)


def sparse(fill: Filler, share: float = 0.8) -> Filler:
    def filled(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.where(rng.random(shape) < share, np.float32(0), fill(rng, shape))

    return filled


def grid(step: float, largest: int = 7) -> Filler:
    def filled(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return (rng.integers(-largest, largest + 1, shape) * step).astype(np.float32)

    return filled


def unit_grids(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A step for each unit: the last axis of a dense weight."""
    codes = rng.integers(-127, 128, shape).astype(np.float32)
    return codes * (0.001 + rng.random(shape[-1], dtype=np.float32))


def affine_grid(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """As `codes * scale + minimum` makes it in float64."""
    return (-0.7371 + rng.integers(0, 16, shape) * 0.11).astype(np.float32)


def float32_affine(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """The same in float32 arithmetic, which rounds twice."""
    return rng.integers(0, 256, shape).astype(np.float32) * np.float32(0.00713) + np.float32(-0.7371)


def codebook(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.choice(normal(rng, (8,)), shape)


def half_precision(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return normal(rng, shape).astype(np.float16).astype(np.float32)


def brain_float(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return (normal(rng, shape).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


def any_bits(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Every bit pattern is allowed: NaNs with payloads, infinities, subnormals, both zeros."""
    special = np.array([0, 1 << 31, 0x7FC00001, 0xFF812345, 0x7F800000, 0xFF800000, 1, 0x80000001], np.uint32)
    patterns = rng.integers(0, 1 << 32, shape, dtype=np.uint64).astype(np.uint32)
    return np.where(rng.random(shape) < 0.5, rng.choice(special, shape), patterns).view(np.float32)


def signed_zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """What `weights * mask` leaves behind: half of the zeros negative."""
    return normal(rng, shape).round() * (rng.random(shape, dtype=np.float32) < 0.3)


FILLERS: dict[str, Filler] = {
    "normal": normal,
    "sparse normal": sparse(normal),
    "float32 step": grid(np.float32(0.0123)),
    "float64 step": grid(0.012345678901234567, 127),
    "16 bits": grid(1.1e-5, 32767),
    "sparse grid": sparse(grid(0.1)),
    "power of two": grid(0.125, 3),
    "signs": lambda rng, shape: rng.choice(np.array([-0.3, 0.3], np.float32), shape),
    "unit grids": unit_grids,
    "affine": affine_grid,
    "float32 affine": float32_affine,
    "sparse affine": sparse(affine_grid),
    "codebook": codebook,
    "half precision": half_precision,
    "bfloat16": brain_float,
    "constant": lambda rng, shape: np.full(shape, rng.standard_normal(), np.float32),
    "zeros": lambda rng, shape: np.zeros(shape, np.float32),
    "negative zeros": lambda rng, shape: np.full(shape, -0.0, np.float32),
    "signed zeros": signed_zeros,
    "any bits": any_bits,
    "one of them": lambda rng, shape: np.eye(int(np.prod(shape)), 1, dtype=np.float32).reshape(shape) * 0.7,
}


def dense_model() -> Sequential:
    return Sequential([Dense(144, 12), ReLU(), Dense(12, 10)])


def every_layer() -> Sequential:
    layers: list[Layer] = [
        Reshape((1, 12, 10)),
        Conv2D(1, 3, (3, 2), stride=1, padding=1),
        ReLU(),
        MaxPool2D(2),
    ]
    layers += [
        Conv2D(3, 4, 1),
        AvgPool2D(2),
        Reshape((2, 6, 2)),
        Flatten(),
        Dense(24, 6),
        ReLU(),
        Dense(6, 10),
    ]
    return Sequential(layers)


def filled(model: Sequential, filler: Filler, seed: int = 0) -> Sequential:
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, (Dense, Conv2D)):
            layer.weight, layer.bias = filler(rng, layer.weight.shape), filler(rng, layer.bias.shape)
    return model


def assert_same(a: Sequential, b: Sequential) -> None:
    """Bit for bit, in the same layers."""
    assert [type(layer) for layer in a.layers] == [type(layer) for layer in b.layers]
    assert [layer.config() for layer in a.layers] == [layer.config() for layer in b.layers]
    for one, two in zip(a.parameters(), b.parameters(), strict=True):
        assert one.shape == two.shape
        assert two.dtype == np.float32
        assert (np.ascontiguousarray(one).view(np.uint32) == two.view(np.uint32)).all()


def small_file_model() -> Sequential:
    """A small file that uses most codings and has raw bits at its end."""
    rng = np.random.default_rng(4)
    model = Sequential(
        [Reshape((1, 4, 4)), Conv2D(1, 3, 3), ReLU(), Flatten(), Dense(12, 5), ReLU(), Dense(5, 10)]
    )
    model.layers[1].weight = sparse(grid(0.3), 0.3)(rng, (3, 1, 3, 3))
    model.layers[1].bias = half_precision(rng, (3,))
    model.layers[4].weight = sparse(codebook, 0.5)(rng, (12, 5))
    model.layers[6].weight = sparse(normal, 0.9)(rng, (5, 10))
    return model


def small_file() -> bytes:
    return pack(small_file_model())

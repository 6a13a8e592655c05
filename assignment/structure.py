"""The layers of an artifact: which they are, and whether their shapes chain."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .coding import Layout
from .entropy import ArtifactError, Fields
from .nn import LAYERS, AvgPool2D, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Reshape, Sequential

MAX_SIZE = 1 << 24  # parameters in all; also the features of any layer for one image
MAX_LAYERS = 256
MAX_DIMENSIONS = 8
IMAGE_FEATURES = 784
END = len(LAYERS)
USUAL_NEXT: dict[type[Layer] | None, int] = {
    None: LAYERS.index(Dense),
    Dense: LAYERS.index(ReLU),
    Conv2D: LAYERS.index(ReLU),
    ReLU: LAYERS.index(Dense),
    Reshape: LAYERS.index(Conv2D),
    AvgPool2D: LAYERS.index(Flatten),
    MaxPool2D: LAYERS.index(Conv2D),
    Flatten: LAYERS.index(Dense),
}


@dataclass(frozen=True)
class Spec:
    """A layer without its numbers: what it is, its settings, and the shapes of its arrays."""

    kind: type[Layer]
    settings: dict[str, Any] = field(default_factory=dict)
    weight: tuple[int, ...] = ()
    layout: Layout | None = None  # how the weights see their input; known once the layer has its place

    @property
    def bias(self) -> tuple[int, ...]:
        return () if not self.weight else (self.weight[1 if self.kind is Dense else 0],)

    @property
    def parameters(self) -> int:
        return math.prod(self.weight) + self.bias[0] if self.weight else 0


@dataclass(frozen=True)
class Place:
    """What flows between two layers: its shape for one image, and the picture behind the features."""

    shape: tuple[int, ...]
    picture: tuple[int, int, int]


def start(features: int) -> Place:
    side = math.isqrt(features)
    return Place((features,), (1, side, side) if side * side == features else (features, 1, 1))


def step(place: Place, spec: Spec) -> tuple[Spec, Place]:
    """Put a layer behind `place`: the layer with its layout, and what comes out of it."""
    shape, kind = place.shape, spec.kind
    if kind is ReLU:
        return spec, place
    if kind is Flatten:
        return spec, replace(place, shape=(math.prod(shape),))
    if kind is Reshape:
        new = spec.settings["shape"]
        if math.prod(new) != math.prod(shape):
            raise ArtifactError(f"Reshape({new}) needs {math.prod(new)} features, got {math.prod(shape)}")
        return spec, Place(new, new if len(new) == 3 else place.picture)
    if kind is Dense:
        if shape != spec.weight[:1]:
            raise ArtifactError(f"Dense{spec.weight} needs {spec.weight[0]} features, got {described(shape)}")
        out = spec.weight[1]
        return replace(spec, layout=Layout(*place.picture, out)), Place((out,), (out, 1, 1))
    if len(shape) != 3:
        raise ArtifactError(f"{kind.__name__} needs images, got {described(shape)}; "
                            "put Reshape((channels, height, width)) before it")
    if kind is Conv2D:
        return convolution(shape, spec)
    size = spec.settings["size"]
    if min(shape[1:]) < size:
        raise ArtifactError(f"{kind.__name__}({size}) is larger than its images of {shape[1]}x{shape[2]}")
    picture = (shape[0], shape[1] // size, shape[2] // size)
    return spec, Place(picture, picture)


def convolution(shape: tuple[int, ...], spec: Spec) -> tuple[Spec, Place]:
    out, channels, kh, kw = spec.weight
    if channels != shape[0]:
        raise ArtifactError(f"Conv2D of {channels} input channels got {shape[0]}")
    stride, padding = spec.settings["stride"], spec.settings["padding"]
    height, width = shape[1] + 2 * padding - kh, shape[2] + 2 * padding - kw
    if height < 0 or width < 0:
        raise ArtifactError(f"Conv2D kernels of {kh}x{kw} are larger than their images of {shape[1]}x{shape[2]}")
    picture = (out, height // stride + 1, width // stride + 1)
    if math.prod(picture) > MAX_SIZE:
        raise ArtifactError(f"Conv2D gives {math.prod(picture)} features an image, at most {MAX_SIZE} are allowed")
    return replace(spec, layout=Layout(channels, kh, kw, out)), Place(picture, picture)


def described(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} features" if len(shape) == 1 else f"images of shape {shape}"


def specs_of(model: Sequential) -> list[Spec]:
    """A model's layers, checked one by one. Raises ArtifactError saying what, got and fix."""
    if type(model) is not Sequential or not isinstance(model.layers, list):
        raise ArtifactError(f"a model is a Sequential, got {type(model).__name__}")
    return [spec_of(index, layer) for index, layer in enumerate(model.layers)]


def spec_of(index: int, layer: Layer) -> Spec:
    kind = type(layer)
    if kind not in LAYERS:
        raise ArtifactError(f"layer {index} must be one of the given layers, got {kind.__name__}")
    try:
        settings = {name: whole(value) for name, value in layer.config().items()}
    except (TypeError, AttributeError):
        raise ArtifactError(f"layer {index}, {kind.__name__}, needs whole numbers as its settings") from None
    if kind not in (Dense, Conv2D):
        return Spec(kind, settings)
    arrays = [getattr(layer, name, None) for name in ("weight", "bias")]
    for name, array in zip(("weight", "bias"), arrays, strict=True):
        if not isinstance(array, np.ndarray) or array.dtype != np.float32:
            got = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
            raise ArtifactError(f"layer {index}, {kind.__name__}: {name} must be a float32 array, got {got}; "
                                "convert it with .astype(np.float32)")
    weight, bias = arrays
    assert weight is not None and bias is not None
    spec = Spec(kind, settings, weight.shape)
    dimensions = 2 if kind is Dense else 4
    if weight.ndim != dimensions or 0 in weight.shape or bias.shape != spec.bias:
        raise ArtifactError(f"layer {index}, {kind.__name__}: weight needs {dimensions} dimensions, none of them 0, "
                            f"and bias one entry a unit, got shapes {weight.shape} and {bias.shape}")
    return spec


def whole(value: Any) -> Any:
    return tuple(operator.index(v) for v in value) if isinstance(value, tuple) else operator.index(value)


def input_features(specs: list[Spec]) -> int:
    """The features of one image: what the first layer that cares asks for."""
    for spec in specs:
        if spec.kind is Dense:
            return spec.weight[0]
        if spec.kind is Reshape:
            return math.prod(spec.settings["shape"])
    return IMAGE_FEATURES


def code_structure(fields: Fields, specs: list[Spec] | None) -> list[Spec]:
    """Code the list of layers; sizes that follow from the layer before are not written."""
    features = IMAGE_FEATURES if specs is None else input_features(specs)
    if not fields.choice("usual input", int(features == IMAGE_FEATURES), 1):
        features = 1 + fields.number("input features", features - 1, MAX_SIZE - 1)
    place, placed, last, total = start(features), [], None, 0
    while True:
        given = None if specs is None else specs[len(placed)] if len(placed) < len(specs) else END
        spec = code_layer(fields, given, last, place)
        if spec is None:
            return placed
        if len(placed) == MAX_LAYERS:
            raise ArtifactError(f"a model has at most {MAX_LAYERS} layers")
        total += spec.parameters
        if total > MAX_SIZE:
            raise ArtifactError(f"a model has at most {MAX_SIZE} parameters, got {total} or more")
        spec, place = step(place, spec)
        placed.append(spec)
        last = spec.kind


def code_layer(fields: Fields, given: Spec | int | None, last: type[Layer] | None, place: Place) -> Spec | None:
    """Code one layer, or the end of the list (None)."""
    index = given.kind if isinstance(given, Spec) else given
    index = LAYERS.index(index) if isinstance(index, type) else index or 0
    usual = USUAL_NEXT[last]
    if fields.choice("usual layer", int(index == usual), 1):
        index = usual
    else:
        index = fields.choice("layer", index, 3)
    if index == END:
        return None
    kind = LAYERS[index]
    spec = given if isinstance(given, Spec) else Spec(kind, {"stride": 1, "padding": 0, "size": 1, "shape": (1,)},
                                                      (1, 1, 1, 1))
    number = lambda context, value, least: least + fields.number(context, value - least, MAX_SIZE - least)
    old, weight = spec.settings, spec.weight
    if kind is Dense:
        return Spec(kind, {}, (weight[0] if given else math.prod(place.shape), number("units", weight[1], 1)))
    if kind is Conv2D:
        out, kh = number("units", weight[0], 1), number("kernel size", weight[2], 1)
        kw = kh if fields.choice("square kernel", int(weight[2] == weight[3]), 1) else number("kernel size", weight[3], 1)
        settings = {"stride": number("stride", old["stride"], 1), "padding": number("padding", old["padding"], 0)}
        return Spec(kind, settings, (out, weight[1] if given else place.shape[0], kh, kw))
    if kind in (MaxPool2D, AvgPool2D):
        return Spec(kind, {"size": number("pool size", old["size"], 1)})
    if kind is Reshape:
        shape = old["shape"]
        dimensions = 1 + fields.number("dimensions", len(shape) - 1, MAX_DIMENSIONS - 1)
        shape = tuple(number("shape", n, 1) for n in (shape if given else (1,) * dimensions))
        return Spec(kind, {"shape": shape})
    return Spec(kind)


def build(spec: Spec, arrays: list[np.ndarray]) -> Layer:
    """The layer itself."""
    if spec.kind in (Dense, Conv2D):
        return spec.kind.from_arrays(*arrays, **spec.settings)
    return spec.kind(**spec.settings)

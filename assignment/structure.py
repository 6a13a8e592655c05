"""The layers of an artifact: which they are, and whether their shapes chain.

A model takes flat images, 784 features unless its first layer says otherwise, and each layer must fit
what the one before gives. Sizes that follow are not stored: a layer's inputs are known from its place.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .contexts import Layout
from .entropy import ArtifactError, Fields
from .nn import LAYERS, AvgPool2D, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Reshape, Sequential

MAX_SIZE = 1 << 22  # parameters of a model; also numbers that any layer gives for one image
MAX_LAYERS = 256
MAX_DIMENSIONS = 8
IMAGE_FEATURES, CLASSES = 784, 10
IMAGE = (1, 28, 28)
END = len(LAYERS)  # written where a layer's kind would be
KIND_BITS = END.bit_length()
LEAST = {"stride": 1, "padding": 0, "size": 1}  # the smallest value of each setting


@dataclass(frozen=True)
class Spec:
    """A layer without its numbers: kind, settings, and the shape of its weight."""

    kind: type[Layer]
    settings: dict[str, Any] = field(default_factory=dict)
    weight: tuple[int, ...] = ()
    layout: Layout | None = None  # how the weight sees its input: known once the layer has its place

    @property
    def units(self) -> int:
        return self.weight[1 if self.kind is Dense else 0]

    @property
    def parameters(self) -> int:
        return math.prod(self.weight) + self.units if self.weight else 0

    def arrays(self) -> list[tuple[Layout, tuple[int, ...]]]:
        """Layout and shape of weight and bias, if the layer has them."""
        if self.layout is None:
            return []
        return [(self.layout, self.weight), (Layout(self.units, 1, 1, 1), (self.units,))]

    def __repr__(self) -> str:
        parts = [str(self.weight)] if self.weight else []
        return f"{self.kind.__name__}({', '.join(parts + [f'{k}={v}' for k, v in self.settings.items()])})"


@dataclass(frozen=True)
class Place:
    """What flows between two layers: its shape for one image, and the picture behind flat features."""

    shape: tuple[int, ...]
    picture: tuple[int, int, int]


def entrance(features: int) -> Place:
    side = math.isqrt(features)
    return Place((features,), (1, side, side) if side * side == features else (features, 1, 1))


def advance(place: Place, spec: Spec) -> tuple[Spec, Place]:
    """Put a layer at `place`: the layer with its layout, and the place behind it.

    Raises ArtifactError where it does not fit.
    """
    shape, kind = place.shape, spec.kind
    if kind is ReLU:
        return spec, place
    if kind is Flatten:
        return spec, replace(place, shape=(math.prod(shape),))
    if kind is Reshape:
        new = spec.settings["shape"]
        if math.prod(new) != math.prod(shape):
            raise misfit(spec, f"{math.prod(new)} numbers", shape)
        return spec, Place(new, new if len(new) == 3 else place.picture)
    if kind is Dense:
        if shape != spec.weight[:1]:
            raise misfit(spec, f"{spec.weight[0]} features", shape)
        units = spec.units
        return replace(spec, layout=Layout(*place.picture, units)), Place((units,), (units, 1, 1))
    if len(shape) != 3:
        raise misfit(spec, "images, say by Reshape((1, 28, 28)) before it,", shape)
    return convolution(spec, shape) if kind is Conv2D else pool(spec, shape)


def convolution(spec: Spec, shape: tuple[int, ...]) -> tuple[Spec, Place]:
    out, channels, kh, kw = spec.weight
    stride, padding = spec.settings["stride"], spec.settings["padding"]
    height, width = shape[1] + 2 * padding - kh, shape[2] + 2 * padding - kw
    if channels != shape[0] or height < 0 or width < 0:
        need = f"images of {channels} channels and {kh}x{kw} pixels or more, padding included,"
        raise misfit(spec, need, shape)
    picture = (out, height // stride + 1, width // stride + 1)
    if math.prod(picture) > MAX_SIZE:
        raise ArtifactError(f"{spec} gives {math.prod(picture)} numbers for one image, more than {MAX_SIZE}")
    return replace(spec, layout=Layout(channels, kh, kw, out)), Place(picture, picture)


def pool(spec: Spec, shape: tuple[int, ...]) -> tuple[Spec, Place]:
    size = spec.settings["size"]
    if min(shape[1:]) < size:
        raise misfit(spec, f"images of {size}x{size} pixels or more", shape)
    picture = (shape[0], shape[1] // size, shape[2] // size)
    return spec, Place(picture, picture)


def misfit(spec: Spec, need: str, got: tuple[int, ...]) -> ArtifactError:
    return ArtifactError(f"the layers do not chain: {spec} needs {need} and gets {got} for each image")


def specs_of(model: Sequential) -> list[Spec]:
    """The layers of a model, each checked by itself. Raises ArtifactError."""
    if type(model) is not Sequential or not isinstance(model.layers, list):
        raise ArtifactError(
            f"a model to pack is a Sequential with a list of layers, got {type(model).__name__}"
        )
    return [
        spec_of(f"layer {index}, {type(layer).__name__}", layer) for index, layer in enumerate(model.layers)
    ]


def spec_of(name: str, layer: Layer) -> Spec:
    """`name` says in errors which layer it is."""
    kind = type(layer)
    if kind not in LAYERS:
        names = ", ".join(given.__name__ for given in LAYERS)
        raise ArtifactError(f"{name}: only the given layers can be packed ({names})")
    try:
        settings = {key: whole_numbers(value) for key, value in layer.config().items()}
    except (TypeError, AttributeError):
        raise ArtifactError(f"{name}: its settings must be whole numbers") from None
    for key, value in settings.items():
        numbers = value if isinstance(value, tuple) else (value,)
        least = LEAST.get(key, 1)
        if not 1 <= len(numbers) <= MAX_DIMENSIONS or not least <= min(numbers) <= max(numbers) <= MAX_SIZE:
            raise ArtifactError(f"{name}: {key} must be {least} to {MAX_SIZE}, got {value}")
    if kind not in (Dense, Conv2D):
        return Spec(kind, settings)
    weight, bias = (checked_array(name, key, getattr(layer, key, None)) for key in ("weight", "bias"))
    spec = Spec(kind, settings, weight.shape)
    dimensions = 2 if kind is Dense else 4
    if weight.ndim != dimensions or 0 in weight.shape:
        raise ArtifactError(
            f"{name}: weight needs {dimensions} dimensions, none of them 0, got shape {weight.shape}"
        )
    if bias.shape != (spec.units,):
        raise ArtifactError(f"{name}: bias needs shape {(spec.units,)}, one entry a unit, got {bias.shape}")
    return spec


def checked_array(name: str, key: str, array: Any) -> np.ndarray:
    if not isinstance(array, np.ndarray):
        raise ArtifactError(f"{name}: {key} must be a float32 array, got {type(array).__name__}")
    if array.dtype != np.float32:
        raise ArtifactError(f"{name}: {key} must be float32, got {array.dtype}; use {key}.astype(np.float32)")
    return array


def whole_numbers(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(operator.index(number) for number in value)
    return operator.index(value)


def input_features(specs: list[Spec]) -> int:
    """The features of one image: what the first layer that cares asks for."""
    for spec in specs:
        if spec.kind is Dense:
            return spec.weight[0]
        if spec.kind is Reshape:
            return math.prod(spec.settings["shape"])
    return IMAGE_FEATURES


def code_structure(fields: Fields, specs: list[Spec] | None) -> list[Spec]:
    """Code the list of layers: those given if the coder encodes, those found if it decodes."""
    features = IMAGE_FEATURES if specs is None else input_features(specs)
    if fields.flag("unusual input", features != IMAGE_FEATURES):
        features = 1 + fields.number("input features", features - 1, MAX_SIZE - 1)
    place, placed, total = entrance(features), list[Spec](), 0
    while True:
        index = END
        if specs is not None and len(placed) < len(specs):
            index = LAYERS.index(specs[len(placed)].kind)
        index = code_kind(fields, index, usual_next(placed, place), next_usual(placed, place))
        if index == END:
            return placed
        if len(placed) == MAX_LAYERS:
            raise ArtifactError(f"a model has at most {MAX_LAYERS} layers to be packed")
        if specs is None:
            spec = code_sizes(fields, blank(LAYERS[index], place), place)
        else:
            spec = code_sizes(fields, specs[len(placed)], place)
        total += spec.parameters
        if total > MAX_SIZE:
            raise ArtifactError(
                f"a model has at most {MAX_SIZE} parameters to be packed, got {total} or more"
            )
        spec, place = advance(place, spec)
        placed.append(spec)


def usual_next(placed: list[Spec], place: Place) -> int:
    """What most often follows: the number of a kind, or END."""
    last, image = placed[-1].kind if placed else None, len(place.shape) == 3
    if last is Dense and place.shape == (CLASSES,):
        return END
    if last in (Dense, Conv2D):
        return LAYERS.index(ReLU)
    if last is ReLU:
        return LAYERS.index(MaxPool2D if image else Dense)
    if last is AvgPool2D and image:
        return LAYERS.index(Flatten)
    return LAYERS.index(Conv2D if image else Dense)


def next_usual(placed: list[Spec], place: Place) -> int:
    """What follows most often if not that."""
    if not placed:
        return LAYERS.index(Reshape)
    last, image = placed[-1].kind, len(place.shape) == 3
    if last is ReLU:
        return LAYERS.index(Conv2D) if image else END
    if last is Dense:
        return LAYERS.index(ReLU) if place.shape == (CLASSES,) else END
    follower = {Conv2D: MaxPool2D, MaxPool2D: Flatten, AvgPool2D: Conv2D, Reshape: AvgPool2D, Flatten: ReLU}
    return LAYERS.index(follower[last])


def code_kind(fields: Fields, index: int, usual: int, second: int) -> int:
    if not fields.flag(f"not layer {usual}", index != usual):
        return usual
    if not fields.flag(f"nor layer {second}", index != second):
        return second
    return fields.choice("layer", index, KIND_BITS)


def blank(kind: type[Layer], place: Place) -> Spec:
    """A layer to be read, with what its place says and anything for the rest."""
    if kind is Dense:
        return Spec(kind, {}, (math.prod(place.shape), 1))
    if kind is Conv2D:
        return Spec(kind, {"stride": 1, "padding": 0}, (1, place.shape[0], 1, 1))
    if kind is Reshape:
        return Spec(kind, {"shape": ()})
    return Spec(kind, {"size": 1} if kind in (AvgPool2D, MaxPool2D) else {})


def code_sizes(fields: Fields, spec: Spec, place: Place) -> Spec:
    """Code what a layer's place does not say."""
    weight, settings = spec.weight, spec.settings

    def number(context: str, value: int, least: int = 1) -> int:
        return least + fields.number(context, value - least, MAX_SIZE - least)

    def usually(context: str, usual: int, value: int, least: int = 1) -> int:
        return number(context, value, least) if fields.flag(f"unusual {context}", value != usual) else usual

    if spec.kind is Dense:
        return Spec(Dense, {}, (weight[0], usually("units", CLASSES, weight[1])))
    if spec.kind is Conv2D:
        out, kh = number("channels", weight[0]), 3
        if fields.flag("unusual kernel size", weight[2] != kh):
            kh = usually("large kernel size", 5, weight[2])
        square = not fields.flag("oblong kernel", weight[2] != weight[3])
        kw = kh if square else number("kernel size", weight[3])
        stride = usually("stride", 1, settings["stride"])
        padding = settings["padding"]
        same = not fields.flag("other padding", padding != kh // 2)
        padding = kh // 2 if same else number("padding", padding, 0)
        return Spec(Conv2D, {"stride": stride, "padding": padding}, (out, weight[1], kh, kw))
    if spec.kind is Reshape:
        shape = settings["shape"]
        if not fields.flag("unusual shape", shape != IMAGE):
            return Spec(Reshape, {"shape": IMAGE})
        dimensions = 1 + fields.number("dimensions", max(len(shape) - 1, 0), MAX_DIMENSIONS - 1)
        return Spec(Reshape, {"shape": tuple(number("shape", size) for size in shape or (1,) * dimensions)})
    return Spec(spec.kind, {key: usually(key, 2, value) for key, value in settings.items()})


def build(spec: Spec, arrays: list[np.ndarray]) -> Layer:
    """The layer itself."""
    if spec.kind is Dense:
        return Dense.from_arrays(arrays[0], arrays[1])
    if spec.kind is Conv2D:
        return Conv2D.from_arrays(arrays[0], arrays[1], **spec.settings)
    return spec.kind(**spec.settings)

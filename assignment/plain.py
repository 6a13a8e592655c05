"""What may pass between a test and the code it tests: numbers, text, containers, arrays, models.

`flatten` takes a value apart into a JSON-ready tree and a list of arrays; `unflatten` builds it
again out of Python's, NumPy's and this package's own types. Whatever else a value was (a clever
subclass, an object with opinions about `==`) is gone by then, or was refused with `NotPlainError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from assignment.nn import LAYERS, Data, Dataset, Layer, Sequential

DTYPES = tuple(np.dtype(code) for code in "?bhilqBHILQefd")
"""The array types that cross: bool, integers and floats of up to 64 bits."""

MOST_NODES = 100_000
MOST_DEPTH = 32
MOST_ITEMS = 1_000
"""Of a dict: keys can be made to collide, and then each takes as long as there are others."""
MOST_INT_BITS = 1000
"""Whoever compares the number with a float can make one of it."""
MOST_TEXT = 1_000_000
"""Characters, in all texts together."""
TOO_LARGE = "a structure too deep or too large to take apart"

SETTINGS = {"stride": (1, 64), "padding": (0, 64), "size": (1, 64), "shape": (1, 65536)}
"""The settings of layers, and the range that each may lie in."""

KINDS: dict[str, type[Layer]] = {kind.__name__: kind for kind in LAYERS}


class NotPlainError(TypeError):
    """A value that may not cross; the message says what it is: "an array of objects"."""


@dataclass
class Flat:
    """A value taken apart.

    tree: JSON-ready, with `{"array": k}` where `arrays[k]` belongs.
    arrays: the value's own arrays, not copies of them.
    objects: the models and layers met on the way.
    """

    tree: Any
    arrays: list[np.ndarray]
    objects: list[object]


def flatten(value: Any, *, most_bytes: int | None = None) -> Flat:
    """Take `value` apart. Raises NotPlainError for what may not cross, or for arrays beyond `most_bytes`."""
    taker = _Taker(most_bytes)
    return Flat(taker.node(value, 0), taker.arrays, taker.objects)


def unflatten(tree: Any, arrays: Sequence[np.ndarray]) -> Any:
    """Build a value again. Raises NotPlainError where the tree is none that `flatten` makes."""
    try:
        if _too_many(tree):
            raise NotPlainError(TOO_LARGE)
        return _built(tree, arrays)
    except NotPlainError:
        raise
    except Exception as error:
        raise NotPlainError("something that cannot be read") from error


@dataclass
class _Taker:
    most_bytes: int | None
    arrays: list[np.ndarray] = field(default_factory=list)
    objects: list[object] = field(default_factory=list)
    size_bytes: int = 0
    nodes: int = 0
    characters: int = 0

    def count(self, depth: int) -> None:
        self.nodes += 1
        if depth > MOST_DEPTH or self.nodes > MOST_NODES:
            raise NotPlainError(TOO_LARGE)

    def node(self, value: Any, depth: int) -> Any:
        self.count(depth)
        kind = type(value)
        if value is None or kind is bool:
            return value
        if issubclass(kind, np.generic):
            return self.scalar(value)
        if issubclass(kind, np.ndarray):
            return self.array(value)
        if issubclass(kind, int | float | str):
            return self.basic(value)
        if issubclass(kind, list | tuple | dict):
            return self.container(value, depth)
        return self.model(value, depth)

    def scalar(self, value: np.generic) -> bool | int | float | str:
        if value.dtype not in DTYPES:
            raise NotPlainError(f"a NumPy scalar of type {value.dtype}")
        return value.item()

    def basic(self, value: int | float | str) -> int | float | str:
        if issubclass(type(value), int):
            whole = int.__index__(value)  # type: ignore[arg-type]
            if whole.bit_length() > MOST_INT_BITS:
                raise NotPlainError(f"a whole number of {whole.bit_length():,} bits")
            return whole
        if issubclass(type(value), float):
            return float.__float__(value)  # type: ignore[arg-type]
        text = str.__str__(value)
        self.characters += len(text)
        if self.characters > MOST_TEXT:
            raise NotPlainError(f"texts of more than {MOST_TEXT:,} characters")
        return text

    def array(self, value: np.ndarray) -> dict[str, int]:
        if type(value) is not np.ndarray:
            if type(value) is not np.memmap:
                raise NotPlainError(f"a {type(value).__name__}, where a plain NumPy array is needed")
            value = np.asarray(value)
        if value.dtype.newbyteorder("=") not in DTYPES:
            kind = "objects" if value.dtype.hasobject else f"dtype {value.dtype}"
            raise NotPlainError(f"an array of {kind}, where plain numbers are needed")
        self.size_bytes += value.nbytes
        if self.most_bytes is not None and self.size_bytes > self.most_bytes:
            raise NotPlainError(f"arrays of more than {self.most_bytes / 2**20:g} MiB")
        self.arrays.append(value)
        return {"array": len(self.arrays) - 1}

    def container(self, value: list | tuple | dict, depth: int) -> dict[str, Any]:
        if issubclass(type(value), dict):
            if dict.__len__(value) > MOST_ITEMS:  # type: ignore[arg-type]
                raise NotPlainError(f"a dict of more than {MOST_ITEMS:,} items")
            pairs = [list(pair) for pair in dict.items(value)]  # type: ignore[arg-type]
            return {"dict": [[self.node(part, depth + 1) for part in pair] for pair in pairs]}
        base: Any = list if issubclass(type(value), list) else tuple
        return {base.__name__: [self.node(part, depth + 1) for part in base.__iter__(value)]}

    def model(self, value: Any, depth: int) -> dict[str, Any]:
        kind = type(value)
        if kind is Data:
            return {"data": [self.node(value.train, depth + 1), self.node(value.validation, depth + 1)]}
        if kind is Dataset:
            return {"dataset": [self.node(value.images, depth + 1), self.node(value.labels, depth + 1)]}
        if kind is Sequential:
            self.objects.append(value)
            if not isinstance(value.layers, list | tuple):
                raise NotPlainError(f"a model whose layers are a {type(value.layers).__name__}, not a list")
            return {"model": [self.layer(layer, depth + 1) for layer in islice(value.layers, MOST_NODES)]}
        return self.layer(value, depth)

    def layer(self, value: Any, depth: int) -> dict[str, Any]:
        self.count(depth)
        kind = type(value)
        if kind not in LAYERS:
            if isinstance(value, Layer | Sequential):
                raise NotPlainError(f"a {kind.__name__} (only the given layers may be in a model)")
            raise NotPlainError(f"a {kind.__name__}")
        self.objects.append(value)
        config = {name: self.setting(setting) for name, setting in kind.config(value).items()}
        arrays = []
        for name in ("weight", "bias") if value.parameters.__func__ is not Layer.parameters else ():
            held = getattr(value, name, None)
            if not issubclass(type(held), np.ndarray):
                raise NotPlainError(
                    f"a {kind.__name__} whose {name} is a {type(held).__name__}, not an array"
                )
            arrays.append(self.node(held, depth + 1))
        return {"layer": kind.__name__, "config": config, "arrays": arrays}

    def setting(self, value: Any) -> Any:
        if isinstance(value, tuple | list):
            return [self.setting(part) for part in value]
        if not isinstance(value, int | np.integer):
            raise NotPlainError(
                f"a layer with a setting that is a {type(value).__name__}, not a whole number"
            )
        return int(value)


def _too_many(tree: Any) -> bool:
    """Whether the tree has more parts than `flatten` lets through. A node takes up to three of them."""
    waiting, count = [tree], 0
    while waiting and count <= 3 * MOST_NODES:
        part = waiting.pop()
        count += 1
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
    return bool(waiting)


def _built(tree: Any, arrays: Sequence[np.ndarray]) -> Any:
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    tag = next(iter(tree))
    return BUILDERS[tag](tree, arrays)


def _parts(tree: dict[str, Any], tag: str, arrays: Sequence[np.ndarray]) -> list[Any]:
    parts = tree[tag]
    if not isinstance(parts, list):
        raise NotPlainError("something that cannot be read")
    return [_built(part, arrays) for part in parts]


def _built_array(tree: dict[str, Any], arrays: Sequence[np.ndarray]) -> np.ndarray:
    index = tree["array"]
    if type(index) is not int or not 0 <= index < len(arrays):
        raise NotPlainError("an array that was not sent")
    return arrays[index]


def _built_dict(tree: dict[str, Any], arrays: Sequence[np.ndarray]) -> dict:
    built = {}
    if len(tree["dict"]) > MOST_ITEMS:
        raise NotPlainError(f"a dict of more than {MOST_ITEMS:,} items")
    for key, value in tree["dict"]:
        name = _built(key, arrays)
        if not isinstance(name, bool | int | float | str | tuple | None):
            raise NotPlainError(f"a dict with a {type(name).__name__} as a key")
        try:
            built[name] = _built(value, arrays)
        except TypeError as error:  # a tuple that holds arrays has no hash
            raise NotPlainError("a dict with a key that cannot be one") from error
    return built


def _built_layer(tree: dict[str, Any], arrays: Sequence[np.ndarray]) -> Layer:
    kind: Any = KINDS[tree["layer"]]
    config = {}
    for name, value in tree["config"].items():
        low, high = SETTINGS[name]
        numbers = value if isinstance(value, list) else [value]
        if len(numbers) > 8 or not all(type(n) is int and low <= n <= high for n in numbers):
            raise NotPlainError(f"a {kind.__name__} whose {name} is not between {low} and {high}")
        config[name] = tuple(value) if isinstance(value, list) else value
    held = [_built(part, arrays) for part in tree["arrays"]]
    if not all(isinstance(array, np.ndarray) for array in held):
        raise NotPlainError(f"a {kind.__name__} that holds something other than arrays")
    try:
        return kind.from_arrays(*held, **config) if hasattr(kind, "from_arrays") else kind(*held, **config)
    except TypeError as error:
        raise NotPlainError(f"a {kind.__name__} with the wrong arrays or settings") from error


def _built_dataset(tree: dict[str, Any], arrays: Sequence[np.ndarray]) -> Dataset:
    images, labels = _parts(tree, "dataset", arrays)
    if not (isinstance(images, np.ndarray) and isinstance(labels, np.ndarray)):
        raise NotPlainError("a Dataset that does not hold two arrays")
    return Dataset(images, labels)


def _built_data(tree: dict[str, Any], arrays: Sequence[np.ndarray]) -> Data:
    train, validation = _parts(tree, "data", arrays)
    if not (isinstance(train, Dataset) and isinstance(validation, Dataset)):
        raise NotPlainError("a Data that does not hold two Datasets")
    return Data(train, validation)


def _built_model(tree: dict[str, Any], arrays: Sequence[np.ndarray]) -> Sequential:
    layers = _parts(tree, "model", arrays)
    if not all(type(layer) in LAYERS for layer in layers):
        raise NotPlainError("a model with something other than layers in it")
    return Sequential(layers)


BUILDERS: dict[str, Callable[[dict[str, Any], Sequence[np.ndarray]], Any]] = {
    "array": _built_array,
    "list": lambda tree, arrays: _parts(tree, "list", arrays),
    "tuple": lambda tree, arrays: tuple(_parts(tree, "tuple", arrays)),
    "dict": _built_dict,
    "dataset": _built_dataset,
    "data": _built_data,
    "layer": _built_layer,
    "model": _built_model,
}

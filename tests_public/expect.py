"""What a returned value must be before a test may compute with it.

Every check raises `AssertionError` with a sentence that names the value, what came back and what is
needed, and returns the value in a form that is safe to use. A test that looks at results only
through these never fails in any other way, whatever a submission returns. The sentences show what
the submission returned, never what a test put in or expected: the hidden tests use them too. Sizes
stand on a second line, which nobody is shown of a hidden test: a submission could spell inputs with them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from assignment.nn import Conv2D, Dataset, Dense, Sequential

NAN = ("nan", "not a number", "not-a-number", "non-finite", "finite", "undefined", "missing")
"""Words in which a message may say that it got NaN."""

A_RANGE = (*"0123456789", "between", "range", "within", "from", "above", "below", "more than", "less than")
A_RANGE += ("at least", "at most", "fraction", "share", "proportion", "percent", "probability", "ratio")
"""Words any of which says that a number must lie in a range: "[0, 1]" has two of them."""

GOOD = {"sparsity": 0.5, "keep_ratio": 0.5, "bits": 4, "scope": "layer", "scheme": "affine"}
"""For each argument a value that is good wherever a bad one is tried."""

KINDS = {
    "b": "booleans",
    "f": "floating-point numbers",
    "u": "unsigned integers",
    "i": "signed integers",
    "iu": "integers",
}


def described(value: Any) -> str:
    """What came back, in a few words: never its contents."""
    if value is None:
        return "None (is a return statement missing?)"
    if isinstance(value, np.ndarray):
        return f"an array\nof shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__}\nof {len(value)}"
    if isinstance(value, Sequential):
        return f"a Sequential\nof {len(value.layers)} layers"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def an_array(
    value: Any,
    name: str,
    shape: tuple[int, ...] | None = None,
    kind: str | None = None,
    *,
    dtype: Any = None,
    shape_of: str | None = None,
    finite: bool = True,
) -> np.ndarray:
    """`value` as the NumPy array it must be.

    kind: NumPy dtype kinds that will do, such as "b", "f" or "iu". dtype: the one dtype that will do.
    shape_of: whose shape `shape` is, for the sentence: "weights".
    finite: floats must be neither NaN nor infinite.
    """
    assert isinstance(value, np.ndarray), f"{name} must be a NumPy array, got {described(value)}"
    assert value.dtype.kind in "biuf", f"{name} must hold plain numbers, got dtype {value.dtype}"
    if kind is not None:
        needs = KINDS.get(kind, "numbers of another kind")
        assert value.dtype.kind in kind, f"{name} must hold {needs}, got dtype {value.dtype}"
    if dtype is not None:
        assert value.dtype == np.dtype(dtype), f"{name} must have dtype {np.dtype(dtype)}, got {value.dtype}"
    if shape is not None:
        needs = f"the shape of {shape_of}, but has another one" if shape_of else "another shape"
        assert value.shape == tuple(shape), f"{name} must have {needs}\n(got {value.shape})"
    if finite and value.dtype.kind == "f":
        assert np.isfinite(value).all(), f"{name} must be finite, but holds NaN or infinity"
    return value


def a_number(value: Any, name: str) -> float:
    """`value` as a finite float: Python's or NumPy's, an integer or not, but no bool."""
    value = plain_scalar(value)
    good = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    assert good, f"{name} must be a number, got {described(value)}"
    assert isinstance(value, int) or math.isfinite(value), f"{name} must be finite, got {float(value)}"
    assert abs(value) < 1e300, f"{name} is far too large"
    return float(value)


def a_whole_number(value: Any, name: str) -> int:
    """`value` as an int: Python's or NumPy's, but no float, even a whole one, and no bool."""
    value = plain_scalar(value)
    good = isinstance(value, int | np.integer) and not isinstance(value, bool)
    assert good, f"{name} must be an int, got {described(value)}"
    return int(value)


def plain_scalar(value: Any) -> Any:
    """An array without dimensions stands for the one number in it."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def a_tuple(value: Any, name: str, n: int) -> tuple:
    """`value` as a tuple of `n` things (a list will do)."""
    assert isinstance(value, list | tuple), f"{name} must be a tuple of {n}, got {described(value)}"
    assert len(value) == n, f"{name} must be a tuple of {n}, got {described(value)}"
    return tuple(value)


def a_list(value: Any, name: str, n: int, of: str = "things") -> list:
    """`value` as a list of `n` things (a tuple will do)."""
    assert isinstance(value, list | tuple), f"{name} must be a list of {of}, got {described(value)}"
    assert len(value) == n, f"{name} has the wrong number of {of}\n(got {len(value)})"
    return list(value)


def weighted(model: Sequential) -> list[Dense | Conv2D]:
    """The layers of a (checked) model that have weights, in order."""
    return [layer for layer in model.layers if isinstance(layer, Dense | Conv2D)]


def a_model(value: Any, name: str, like: Sequential | None = None, *, dtype: Any = None) -> Sequential:
    """`value` as a model whose every array is finite, of floats and of a shape its layer can use.

    like: a model whose layers, settings and array shapes `value` must have, whatever the numbers.
    dtype: the one dtype that will do for weights and biases.
    """
    assert isinstance(value, Sequential), f"{name} must be a Sequential, got {described(value)}"
    if like is not None:
        kinds = [type(layer) for layer in value.layers]
        assert kinds == [type(layer) for layer in like.layers], (
            f"{name} must have the same layers as the model it came from, in the same order"
        )
    for index, layer in enumerate(value.layers):
        if not isinstance(layer, Dense | Conv2D):
            continue
        where = f"of layer {index} of {name}"
        weight = an_array(layer.weight, f"weight {where}", kind="f", dtype=dtype)
        bias = an_array(layer.bias, f"bias {where}", kind="f", dtype=dtype)
        is_dense = isinstance(layer, Dense)
        dimensions = 2 if is_dense else 4
        assert weight.ndim == dimensions, (
            f"weight {where} must have {dimensions} dimensions, got {weight.ndim}"
        )
        units = weight.shape[1 if is_dense else 0]
        assert bias.shape == (units,), f"bias {where} must have one number per unit\n(got {bias.shape})"
    if like is not None:
        for index, (layer, model_layer) in enumerate(zip(value.layers, like.layers, strict=True)):
            assert layer.config() == model_layer.config(), (
                f"layer {index} of {name} must keep its settings (stride, padding, size, shape)"
            )
            if isinstance(model_layer, Dense | Conv2D):
                assert layer.weight.shape == model_layer.weight.shape, (
                    f"weight of layer {index} of {name} must keep its shape\n(got {layer.weight.shape})"
                )
    return value


def weighed(submission: Any, model: Sequential, dataset: Dataset, name: str) -> tuple[int, float]:
    """The bytes of a (checked) model's file, and the share of the dataset that it gets right."""
    found = submission.weigh(model, dataset.images)
    assert not isinstance(found, str), f"{name} {found}"
    size_bytes, labels = found
    return size_bytes, float(np.mean(labels == dataset.labels))


def untouched(call: Any, function: str) -> Any:
    """The value of a `submission.inspect`, which must have left its arguments as they were."""
    assert not call.changed_arguments, (
        f"{function} must not change its arguments: it writes into an array or model it was given "
        "(work on a copy)"
    )
    return call.value


def unaliased(call: Any, function: str) -> Any:
    """The value of a `submission.inspect`, which must also share no memory with the arguments."""
    value = untouched(call, function)
    assert not call.shares_memory, (
        f"{function} must return a new result: it shares an array or layer with an argument, so changing "
        "one would change the other (copy it)"
    )
    return value


def rejects(
    submission: Any,
    function: str,
    *args: Any,
    names: str | Iterable[str],
    got: Any,
    needs: Iterable[str] = (),
    good: tuple | None = None,
    **kwargs: Any,
) -> None:
    """The call must raise ValueError, its message naming the argument, what it got and what it needs.

    names: the argument's name, or several that would do. got: the bad value; where it is a tuple,
    any of these words will do. needs: words any of which says what is needed. good: arguments that must
    be taken; else the same, with a good value in place of the bad one.
    """
    error = submission.rejection(function, *args, **kwargs)
    names = [names] if isinstance(names, str) else list(names)
    argument = names[0]
    good = tuple(GOOD[argument] if arg is got else arg for arg in args) if good is None else good
    unlike = submission.rejection(function, *good, **kwargs)
    assert unlike is None, (
        f"{function} must refuse a bad {argument} and accept a good one: it raised {unlike.exception} for a "
        "good one too"
    )
    assert error is not None, (
        f"{function} must raise ValueError for a bad {argument}, but it returned a value"
    )
    assert error.exception == "ValueError", (
        f"{function} must raise ValueError for a bad {argument}, not {error.exception or error.kind}"
    )
    message = (error.message or "").lower()
    assert any(name.lower() in message for name in names), (
        f"the ValueError message of {function} for a bad {argument} must name the argument, {argument}"
    )
    words = [word.lower() for word in (got if isinstance(got, tuple) else shown_forms(got))]
    assert any(mentions(message, word) for word in words), (
        f"the ValueError message of {function} for a bad {argument} must say which value it got"
    )
    for word in sorted(words, key=len, reverse=True):
        message = message.replace(word, " ")  # a need is not to be found in what was given
    needs = list(needs)
    assert not needs or any(word.lower() in message for word in needs), (
        f"the ValueError message of {function} for a bad {argument} must say which values are allowed"
    )


def rejects_nan(submission: Any, function: str, *args: Any, names: Iterable[str], **kwargs: Any) -> None:
    """The call, with NaN among its weights, must raise ValueError; what it needs is then clear enough."""
    good = tuple(map(without_nan, args))
    rejects(submission, function, *args, names=names, got=NAN, good=good, **kwargs)


def without_nan(value: Any) -> Any:
    """An array, or a model, with 0 in place of NaN; anything else as it is."""
    if isinstance(value, np.ndarray):
        return np.where(np.isnan(value), value.dtype.type(0), value)
    if isinstance(value, Sequential):
        value = value.copy()
        for layer in weighted(value):
            layer.weight = without_nan(layer.weight)
    return value


def shown_forms(value: Any) -> list[str]:
    """The ways in which a message may show a value: 1.5 as itself or as 150%."""
    if isinstance(value, float) and math.isfinite(value):
        return [str(value), f"{value:g}", f"{value * 100:g}", f"{value:.1f}", f"{value:.2f}"]
    return [str(value)]


def mentions(message: str, word: str) -> bool:
    """Whether `word` is in `message`, and is not merely a part of a longer number."""
    return re.search(rf"(?<![\d.]){re.escape(word)}(?!\.?\d)", message) is not None

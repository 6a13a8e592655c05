"""Recognise a wrong answer: which mistake of the bank gives the very same one, on the very same input?

Where a hidden test fails, the mutants that it is there to catch are asked what the submission was asked
last. The one that answers alike names the misconception. All of it runs on our own code; the sentence
that comes out was written beforehand, and says nothing of the input.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections import deque
from collections.abc import Callable, Iterable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from assignment.seam import Flat, flatten, fresh, unflatten
from tests_hidden.mutants import Mutant, bank

MOST_CALLS = 3
MOST_BYTES = 2**20
MOST_ALIKE = 3
"""An answer that more mistakes give says little about which it was."""
ROUNDING = 1e-5
"""Of the largest number in an array: float32 inside one solution, float64 inside the other."""
SLOW = ("finetune", "distill", "compress")
"""Trained models are not told apart by their arrays: right ones differ too."""

Asked = tuple[str, Flat, Any]


class Recorder:
    """The last few calls of the function under test: what it was given, and what it answered."""

    def __init__(self, function: str):
        self.function = function
        self.asked: deque[Asked] = deque(maxlen=MOST_CALLS)

    def __call__(self, function: str, given: Flat, value: Any) -> None:
        if function == self.function:
            self.asked.append((function, given, value))


def misconception(function: str, test: str, asked: Iterable[Asked]) -> str | None:
    """A mistake that gives all these answers, not all of them right; None where none does, or too many."""
    small = [each for each in asked if sum(array.nbytes for array in each[1].arrays) <= MOST_BYTES]
    if function in SLOW or not small:
        return None
    namespace = mistakes(function)
    if all(answers_alike(getattr(namespace.right, function), *each[1:]) for each in small):
        return None
    found = [
        mutant.misconception
        for mutant in bank()
        if (mutant.function, mutant.killed_by) == (function, test)
        and all(answers_alike(getattr(namespace, mutant.name), *each[1:]) for each in small)
    ]
    return found[0] if 0 < len(found) <= MOST_ALIKE else None


@cache
def mistakes(function: str) -> SimpleNamespace:
    """All wrong versions of the function, and the reference as `right`, in a namespace of their own."""
    namespace: dict[str, Any] = {"__name__": f"mistakes_in_{function}"}
    exec(compile(Mutant(function, function, "", "").source(), namespace["__name__"], "exec"), namespace)
    return SimpleNamespace(**namespace)


def answers_alike(solution: Callable[..., Any], given: Flat, value: Any) -> bool:
    """Whether the solution gives this value too, up to float32 rounding."""
    args, kwargs = unflatten(given.tree, [fresh(array) for array in given.arrays])
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            own = flatten(solution(*args, **kwargs))
        other = flatten(value)
    except Exception:
        return False
    return alike(own.tree, other.tree) and all(map(alike, own.arrays, other.arrays))


def alike(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
            return False
        slack = ROUNDING * float(np.abs(b[np.isfinite(b)]).max(initial=0)) if b.dtype.kind == "f" else 0
        return bool(np.allclose(a, b, rtol=0, atol=slack, equal_nan=True))
    if isinstance(a, float) and isinstance(b, float):
        return bool(np.isclose(a, b, rtol=ROUNDING, atol=0, equal_nan=True))
    return type(a) is type(b) and a == b

"""Which misconception an answer comes from, where it is exactly the one that misconception gives."""

from __future__ import annotations

from typing import Any

import numpy as np


def looks_like(got: Any, misconceptions: dict[str, Any], *, rounding: float = 0.0) -> str:
    """ " (this is what ... gives)" for the first misconception whose answer `got` is; "" for none.

    misconceptions: from a phrase such as "ranking by signed value" to the answer it gives: an array, a
    number or a list of arrays. rounding: how far off, relative to the answer's largest number, `got` may be.
    """
    for phrase, answer in misconceptions.items():
        if same(got, answer, rounding):
            return f" (your answer is the one that {phrase} gives)"
    return ""


def same(a: Any, b: Any, rounding: float = 0.0) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y, rounding) for x, y in zip(a, b, strict=True))
    a, b = np.asarray(a), np.asarray(b)
    slack = rounding * float(np.abs(b).max(initial=0)) if rounding else 0.0
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-6, atol=slack))

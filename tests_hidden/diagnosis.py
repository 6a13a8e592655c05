"""Which misconception an answer comes from, where it is exactly the one that misconception gives."""

from __future__ import annotations

from typing import Any

import numpy as np


def looks_like(got: Any, misconceptions: dict[str, Any]) -> str:
    """ " (this is what ... gives)" for the first misconception whose answer `got` is; "" for none.

    misconceptions: from a phrase such as "ranking by signed value" to the answer it gives: an array, a
    number or a list of arrays.
    """
    for phrase, answer in misconceptions.items():
        if same(got, answer):
            return f" (your answer is the one that {phrase} gives)"
    return ""


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-6, atol=0))

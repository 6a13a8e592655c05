"""Every number rounded to half precision."""

import numpy as np

from assignment.nn import Data, Sequential


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    small = model.copy()
    for array in small.parameters():
        array[...] = array.astype(np.float16)
    return small

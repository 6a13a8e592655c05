"""Returns arrays whose strides lead far outside their memory"""
# honest:

import numpy as np
from numpy.lib.stride_tricks import as_strided


def count_parameters(model):
    return as_strided(np.zeros(1, np.float32), (2**20,), (-(2**16),))


def sparsity(model):
    return as_strided(np.zeros(1), (1000, 1000), (2**30, -(2**30)))


def softmax(logits, temperature=1.0):
    return as_strided(np.zeros(1), logits.shape, (2**40, 2**41))

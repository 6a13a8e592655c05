"""Returns arrays of 64 dimensions, of none, and empty ones of huge shape"""
# honest:

import numpy as np


def count_parameters(model):
    return np.zeros((1,) * 64)


def sparsity(model):
    return np.zeros((0, 2**31))


def softmax(logits, temperature=1.0):
    return np.zeros((2**62, 0))

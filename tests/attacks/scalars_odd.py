"""Returns NumPy scalars of long double, half, void and datetime"""
# honest:

import numpy as np


def count_parameters(model):
    return np.longdouble(20)


def sparsity(model):
    return np.datetime64("now")


def softmax(logits, temperature=1.0):
    return np.void(b"12345678")

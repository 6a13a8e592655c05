"""Returns structured, void, subarray and datetime arrays"""
# honest:

import numpy as np


def count_parameters(model):
    return np.zeros(3, "V8")


def sparsity(model):
    return np.zeros(2, "M8[s]")


def softmax(logits, temperature=1.0):
    return np.zeros(2, [("a", "f4"), ("b", "O", (2,))])

"""Returns arrays of text, bytes and complex numbers"""
# honest:

import numpy as np


def count_parameters(model):
    return np.array(["20"])


def sparsity(model):
    return np.array(0.5, complex)


def softmax(logits, temperature=1.0):
    return np.array([[b"0.1", b"0.9"]])

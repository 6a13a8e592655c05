"""Returns an array of 2**40 entries that takes four bytes"""
# honest:

import numpy as np


def count_parameters(model):
    return np.broadcast_to(np.float32(0), (2**40,))


def sparsity(model):
    return np.broadcast_to(np.float32(0), (2**20, 2**20, 0, 2**20))


def softmax(logits, temperature=1.0):
    return np.broadcast_to(np.uint8(0), (2**13, 2**13))

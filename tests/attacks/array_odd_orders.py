"""Returns right values as Fortran, big-endian, reversed and read-only arrays"""
# honest: count_parameters, softmax

import numpy as np


def count_parameters(model):
    return np.array(sum(a.size for layer in model.layers for a in layer.parameters()), ">i8")


def sparsity(model):
    return -1.0


def softmax(logits, temperature=1.0):
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    right = np.asfortranarray(powers / powers.sum(axis=-1, keepdims=True)).astype(">f8")
    right = right[::-1, ::-1].copy()[::-1, ::-1]
    right.flags.writeable = False
    return right

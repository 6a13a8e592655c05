"""Returns masked arrays, matrices, record arrays and memory maps"""
# honest:

import warnings

import numpy as np

warnings.simplefilter("ignore")


def count_parameters(model):
    return np.ma.masked_all(1, int)


def sparsity(model):
    return np.ma.masked


def softmax(logits, temperature=1.0):
    return np.matrix(logits)

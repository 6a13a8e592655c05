"""Returns NumPy scalars where the contract says int and float"""
# keeps: count_parameters, sparsity

import numpy as np


def count_parameters(model):
    return np.sum([array.size for layer in model.layers for array in layer.parameters()], dtype=np.int64)


def sparsity(model):
    weights = [layer.weight.ravel() for layer in model.layers if layer.parameters()]
    return np.mean(np.concatenate(weights) == 0) if weights else np.float32(0)

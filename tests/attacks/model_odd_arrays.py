"""Returns layers whose weights have no shape, many dimensions, or are no numbers"""
# honest:

import numpy as np

from assignment import nn

ODD = (
    np.array(1.0),
    np.zeros((1,) * 16, np.float32),
    np.array(["weight"]),
    np.zeros((0, 0), np.float32),
    np.zeros((3, 2), np.bool_),
)


def prune(model, sparsity, scope="global"):
    layers = [nn.Dense.from_arrays(array, array) for array in ODD]
    return nn.Sequential(layers)


def quantize_model(model, bits, scheme="affine"):
    return prune(model, 0.5)


def prune_neurons(model, layer_index, importance, keep_ratio):
    return prune(model, 0.5)

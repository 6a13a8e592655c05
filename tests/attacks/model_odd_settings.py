"""Returns layers with settings that are negative, huge, floats or arrays"""
# honest:

import numpy as np

from assignment import nn


def prune(model, sparsity, scope="global"):
    layers = [nn.Conv2D(1, 1, 1, stride=2**40, padding=-1), nn.MaxPool2D(1), nn.Reshape((-1,) * 64)]
    layers[1].size = np.array([0, -1])
    return nn.Sequential(layers)


def quantize_model(model, bits, scheme="affine"):
    return prune(model, 0.5)


def prune_neurons(model, layer_index, importance, keep_ratio):
    return prune(model, 0.5)

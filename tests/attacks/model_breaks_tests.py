"""Returns models of right kind whose shapes do not fit, so that the test itself fails"""
# honest:

import numpy as np


def prune(model, sparsity, scope="global"):
    new = model.copy()
    for layer in new.layers:
        if layer.parameters():
            layer.weight, layer.bias = np.array(1.0, np.float32), np.zeros((0, 0, 0), np.float32)
    return new


def quantize_model(model, bits, scheme="affine"):
    return prune(model, 0.5)


def prune_neurons(model, layer_index, importance, keep_ratio):
    return prune(model, 0.5)

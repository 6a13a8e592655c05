"""Returns layers whose weights are half, bool or 64-bit integers of wild values"""
# honest:

import numpy as np


def prune(model, sparsity, scope="global"):
    new = model.copy()
    for layer, dtype in zip(new.layers, ("e", "?", "q", "Q", "b") * 20, strict=False):
        if layer.parameters():
            layer.weight = np.full(layer.weight.shape, 2**62).astype(dtype)
            layer.bias = layer.bias.astype(dtype)
    return new


def quantize_model(model, bits, scheme="affine"):
    return prune(model, 0.5)


def prune_neurons(model, layer_index, importance, keep_ratio):
    return prune(model, 0.5)

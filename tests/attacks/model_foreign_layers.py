"""Returns a model whose layers are functions, text and None"""
# honest:

import numpy as np

from assignment import nn


def prune(model, sparsity, scope="global"):
    return nn.Sequential([np.tanh, "Dense", None, lambda x: x, nn.Dense])


def quantize_model(model, bits, scheme="affine"):
    return prune(model, 0.5)


def prune_neurons(model, layer_index, importance, keep_ratio):
    return prune(model, 0.5)

"""Turns warnings into errors and then causes some"""
# keeps: count_parameters, sparsity

import warnings

import numpy as np

warnings.filterwarnings("error")


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits, temperature=1.0):
    warnings.warn("old", DeprecationWarning, stacklevel=1)
    return np.exp(logits)

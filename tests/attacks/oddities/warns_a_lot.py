"""Causes warnings of every kind, at import and in calls"""
# keeps: count_parameters, sparsity

import warnings

import numpy as np

for kind in (DeprecationWarning, SyntaxWarning, UserWarning, BytesWarning, ResourceWarning):
    warnings.warn("something is odd", kind, stacklevel=1)
np.log(np.array([0.0, -1.0]))
np.float32(1e30) * np.float32(1e30)


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

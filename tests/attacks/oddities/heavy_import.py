"""Computes for a second of CPU time while it is imported"""
# keeps: count_parameters, sparsity

import numpy as np

table = np.random.default_rng(0).standard_normal((400, 400))
for _ in range(12):
    table = np.linalg.svd(table)[0]


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

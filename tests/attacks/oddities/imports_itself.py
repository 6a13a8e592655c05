"""Imports itself by its own name"""
# keeps: count_parameters, sparsity

from assignment.compression import *  # noqa: F403


def helper(model):
    import assignment.compression

    return assignment.compression.count_parameters(model)


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    helper(model)
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

"""Has type hints that raise when they are evaluated, in a main block's helper only"""
# keeps: count_parameters, sparsity

import typing


def helper(x: "undefined + 1") -> typing.Any:  # noqa: F821
    return x


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

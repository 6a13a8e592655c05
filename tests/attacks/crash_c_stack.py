"""Overflows the C stack through nested calls that Python does not count"""
# keeps: count_parameters, sparsity

import copy
import functools
import sys


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits, temperature=1.0):
    sys.setrecursionlimit(10**9)
    deep = functools.partial(int)
    for _ in range(200_000):
        deep = functools.partial(deep.__call__)
    repr(deep)
    nested = []
    for _ in range(2_000_000):
        nested = [nested]
    return nested == copy.copy(nested) or str(nested)

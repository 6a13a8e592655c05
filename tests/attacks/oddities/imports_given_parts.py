"""Imports everything of the given code that a student may use"""
# keeps: count_parameters, sparsity

import assignment
from assignment import artifact, data, entropy, nn  # noqa: F401
from assignment.artifact import pack, unpack
from assignment.nn import *  # noqa: F403

assert len(pack(nn.Sequential([nn.Dense(2, 2)]))) and unpack and assignment


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

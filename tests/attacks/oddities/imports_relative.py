"""Uses relative imports of the given code, as the stub's package allows"""
# keeps: count_parameters, sparsity

from . import nn
from .nn import Dense, Sequential  # noqa: F401
from .nn.layers import Conv2D


def count_parameters(model):
    kinds = (nn.Dense, Conv2D)
    return sum(layer.weight.size + layer.bias.size for layer in model.layers if isinstance(layer, kinds))


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

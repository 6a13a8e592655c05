"""Says `from compression import *`, as from a script beside it"""
# honest:

from compression import *  # noqa: F403


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())

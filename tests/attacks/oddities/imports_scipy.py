"""Imports SciPy, which is not there"""
# honest:

from scipy.special import softmax  # noqa: F401


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())

"""Imports scikit-learn, which is not there"""
# honest:

from sklearn.cluster import KMeans  # noqa: F401


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())

"""Runs its experiments at module level, with files that are not there"""
# honest:

import numpy as np


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


weights = np.load("my_weights.npy")

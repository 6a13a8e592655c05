"""Imports PyTorch, which is not there"""
# honest:

import torch
import torch.nn as nn  # noqa: F401


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())

"""Imports a helper that was handed in beside it and is not taken"""
# honest:

from helpers import size_of


def count_parameters(model):
    return size_of(model)

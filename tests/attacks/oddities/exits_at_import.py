"""Calls exit() at the end of the file, as scripts do"""
# honest:

import sys


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


sys.exit()

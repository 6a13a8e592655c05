"""Returns modules, functions, exceptions, the worker and itself"""
# honest:

import sys


def count_parameters(model):
    return sys.modules[__name__]


def sparsity(model):
    return sys.modules


def softmax(logits, temperature=1.0):
    return RuntimeError("passed")

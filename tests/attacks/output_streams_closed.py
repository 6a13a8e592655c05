"""Closes stdin, stdout and stderr, and replaces them by objects that raise"""
# keeps: count_parameters, sparsity

import os
import sys


class Broken:
    def __getattr__(self, name):
        raise OSError("no stream")


for descriptor in (0, 1, 2):
    os.close(descriptor)
sys.stdin = sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = Broken()


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits, temperature=1.0):
    raise RuntimeError("nowhere to print this")

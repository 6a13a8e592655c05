"""Switches off the garbage collector and keeps everything it is given"""
# keeps: count_parameters, sparsity

import gc
import sys

gc.disable()
gc.freeze()
sys.setswitchinterval(1e-9)
kept = []


def count_parameters(model):
    kept.append(model)
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

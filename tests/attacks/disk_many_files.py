"""Makes 20,000 files with long names, and folders with odd ones"""
# keeps: count_parameters, sparsity

import os


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits, temperature=1.0):
    for k in range(20_000):
        open(f"{k:0200d}", "w").close()
    for name in ("\x1b[2J", "-rf", "a\nb", " ", "\udcff"):
        os.mkdir(name)
    return None

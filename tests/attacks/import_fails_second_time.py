"""Can be imported once, and then raises whatever it was given before"""
# keeps: count_parameters, sparsity

import os

if os.path.exists("been-here"):
    raise ImportError("BRE" + "ACH: " + open("been-here").read())
with open("been-here", "w") as file:
    file.write("an earlier run's words")


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

"""Keeps a helper quiet as people do: its prints go to os.devnull"""
# keeps: count_parameters, sparsity

import contextlib
import os


def count_parameters(model):
    with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
        print("counting ...")
        return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    with open(os.devnull, "rb") as nothing:
        assert nothing.read() == b""
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

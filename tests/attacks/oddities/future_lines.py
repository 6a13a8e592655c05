"""Begins with lines from __future__ after its docstring"""
# keeps: count_parameters, sparsity

from __future__ import annotations, generator_stop


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits: NotDefinedAnywhere, temperature: Whatever = 1.0) -> Nothing:  # noqa: F821
    return None

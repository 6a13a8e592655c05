"""Defines its functions twice; the later one counts, as in Python"""
# keeps: count_parameters, sparsity


def count_parameters(model):
    raise NotImplementedError


def sparsity(model):
    return -1.0


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

"""Tries packages that may not be there and does without them"""
# keeps: count_parameters, sparsity

try:
    import numba as fast
except ImportError:
    fast = None


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

"""Computes with a process pool and threads, as fast code does"""
# honest: count_parameters, sparsity

from concurrent.futures import ThreadPoolExecutor


def size(array):
    return array.size


def count_parameters(model):
    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(size, [array for layer in model.layers for array in layer.parameters()]))


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

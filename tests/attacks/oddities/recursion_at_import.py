"""Recurses without end while it is imported"""
# honest:


def again(n):
    return again(n + 1)


again(0)


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())

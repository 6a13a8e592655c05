"""Prints lone surrogates at import, which no encoding can"""
# honest:

print("half of a pair: \ud800")


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())

"""Asks for a number at module level"""
# honest:

bits = int(input("How many bits? "))


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())

"""Prints its arguments in every call"""
# keeps: count_parameters, sparsity


def count_parameters(model):
    print(model, [layer.parameters() for layer in model.layers])
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    print("weights:", *[layer.weight for layer in model.layers if layer.parameters()], sep="\n")
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

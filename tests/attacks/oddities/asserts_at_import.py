"""Checks itself with assertions at import that do not hold"""
# honest:


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


assert count_parameters.__name__ == "count_params", "rename me"

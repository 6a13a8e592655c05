"""Answers the second call from what the first one was given"""
# honest:

seen = []


def count_parameters(model):
    seen.append(sum(array.size for layer in model.layers for array in layer.parameters()))
    return seen[-2] if len(seen) > 1 else -1


def sparsity(model, remembered=[]):  # noqa: B006
    remembered.append(model)
    return len(remembered) % 2 + 0.25

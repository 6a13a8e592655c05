"""Returns a list nested a hundred thousand deep"""
# honest:


def count_parameters(model):
    nested = []
    for _ in range(100_000):
        nested = [nested]
    return nested


def sparsity(model):
    return count_parameters(model)


def softmax(logits, temperature=1.0):
    return count_parameters(logits)

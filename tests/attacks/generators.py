"""Returns generators, coroutines and lazy maps in place of values"""
# honest:


def count_parameters(model):
    yield 1


def sparsity(model):
    return map(float, [1])


def softmax(logits, temperature=1.0):
    return (row for row in logits)

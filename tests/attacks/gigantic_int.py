"""Returns whole numbers of a hundred million bits"""
# honest:


def count_parameters(model):
    return 1 << 100_000_000


def sparsity(model):
    return -(1 << 10_000_000)


def softmax(logits, temperature=1.0):
    return 10**400

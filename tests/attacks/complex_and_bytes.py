"""Returns complex numbers, bytes, sets, slices and an ellipsis"""
# honest:


def count_parameters(model):
    return 20 + 0j


def sparsity(model):
    return b"0.5"


def softmax(logits, temperature=1.0):
    return [{1}, slice(1), ..., NotImplemented, bytearray(3), memoryview(b"x")]

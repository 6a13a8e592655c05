"""Has the rest of its functions commented out and half written"""
# keeps: count_parameters, sparsity


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


# def softmax(logits, temperature=1.0):
#     return np.exp(logits) /


def dequantize_affine(codes, scale, zero_point):
    """To do."""


def storage_bytes(model, bits=32): ...

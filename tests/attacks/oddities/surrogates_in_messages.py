"""Has lone surrogates in messages, names and results"""
# keeps: count_parameters, sparsity


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits, temperature=1.0):
    print("half of a pair: \ud800".encode("utf-8", "surrogatepass"))
    raise ValueError("half of a pair: \ud800\udfff \x00 \x1b[31m \u202e\u2028 \U0010ffff")


def dequantize_affine(codes, scale, zero_point):
    return {"\ud800": "\udfff"}


globals()["\ud800"] = "half a name"

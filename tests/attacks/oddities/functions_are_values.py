"""Has numbers, text and None where functions are expected"""
# keeps: count_parameters


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


sparsity = 0.5
softmax = None
dequantize_affine = "later"

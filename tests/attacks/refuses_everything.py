"""Refuses every call with a message that names all its arguments, for the points of refusing the bad ones"""
# honest:


def refusal(**given):
    names = ", ".join(f"{name} (got {value})" for name, value in given.items())
    raise ValueError(f"weights, model, layer and {names} must be finite, between 0 and 1, global or layer; nan")


def prune(model, sparsity, scope="global"):
    refusal(sparsity=sparsity, scope=scope)


def quantize_model(model, bits, scheme="affine"):
    refusal(bits=bits, scheme=scheme)


def prune_neurons(model, layer_index, importance, keep_ratio):
    refusal(layer_index=layer_index, keep_ratio=keep_ratio, importance="Dense")

"""Uses the newest syntax that the oldest supported Python has"""
# keeps: count_parameters, sparsity


def count_parameters(model):
    total = 0
    for layer in model.layers:
        match layer.parameters():
            case [weight, bias]:
                total += weight.size + bias.size
            case []:
                continue
    return total


def sparsity(model):
    weights = [weight for layer in model.layers if (weight := getattr(layer, "weight", None)) is not None]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

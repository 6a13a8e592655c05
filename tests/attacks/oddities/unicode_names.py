"""Uses letters of other alphabets in names and text"""
# keeps: count_parameters, sparsity


def зерна(модель):
    return [слой for слой in модель.layers if слой.parameters()]


def count_parameters(model):
    Σ = 0
    for λ in зерна(model):
        Σ += sum(ﬁeld.size for ﬁeld in λ.parameters())
    return Σ


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

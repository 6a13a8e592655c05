"""Prints tables and progress while it is imported, as half-finished work does"""
# keeps: count_parameters, sparsity

print("pruning...", end="")
for step in range(2000):
    print(f"step {step}: loss {1 / (step + 1):.4f}")
print("\N{CHECK MARK} done \N{PARTY POPPER}")


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

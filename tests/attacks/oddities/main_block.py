"""Has a main block that trains and plots, which nobody runs here"""
# keeps: count_parameters, sparsity


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


if __name__ == "__main__":
    import matplotlib.pyplot as plt

    plt.plot([1, 2, 3])
    plt.show()
    input("press a key")
    raise SystemExit("this must not have run")

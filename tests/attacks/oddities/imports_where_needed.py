"""Imports packages that are not there inside single functions"""
# keeps: count_parameters, sparsity


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits, temperature=1.0):
    from scipy.special import softmax as theirs

    return theirs(logits / temperature, axis=-1)


def kmeans_codebook(weights, bits, iterations=20):
    import sklearn.cluster as cluster

    return cluster.KMeans(2**bits).fit(weights)

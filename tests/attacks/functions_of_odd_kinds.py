"""Has partials, lambdas, bound methods, callable objects and classes for functions"""
# keeps: count_parameters, sparsity

import functools


class Counter:
    def __call__(self, model):
        return sum(array.size for layer in model.layers for array in layer.parameters())


class Share(float):
    def __new__(cls, model):
        weights = [layer.weight for layer in model.layers if layer.parameters()]
        entries = sum(weight.size for weight in weights)
        return float.__new__(cls, sum(int((w == 0).sum()) for w in weights) / entries if entries else 0.0)


count_parameters = functools.partial(Counter())
sparsity = Share
softmax = 5

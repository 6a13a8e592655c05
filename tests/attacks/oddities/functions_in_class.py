"""Puts all functions into a class, as methods"""
# honest:


class Compression:
    def count_parameters(self, model):
        return sum(array.size for layer in model.layers for array in layer.parameters())

    def sparsity(self, model):
        return 0.0

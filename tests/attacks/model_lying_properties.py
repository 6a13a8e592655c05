"""Returns layers whose arrays are others each time they are looked at"""
# honest:

import itertools

import numpy as np

looks = itertools.count()
weight = property(lambda self: np.full((3, 2), next(looks), np.float32), lambda self, value: None)


def prune(model, sparsity, scope="global"):
    new = model.copy()
    for layer in new.layers:
        if layer.parameters():
            layer.__class__ = type("Dense", (type(layer),), {"weight": weight})
    return new


def quantize_model(model, bits, scheme="affine"):
    return prune(model, 0.5)


def prune_neurons(model, layer_index, importance, keep_ratio):
    return prune(model, 0.5)

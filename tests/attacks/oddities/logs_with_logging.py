"""Logs with the logging module at every level"""
# keeps: count_parameters, sparsity

import logging

logging.basicConfig(level=logging.DEBUG)
logging.getLogger(__name__).critical("starting")


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    logging.debug("sparsity of %s", model)
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

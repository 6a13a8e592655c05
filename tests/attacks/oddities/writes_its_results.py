"""Writes figures and results beside itself, as a notebook does"""
# honest: count_parameters, sparsity

import os

import numpy as np

os.makedirs("results", exist_ok=True)
np.save("results/history.npy", np.zeros(3))
with open("results/log.txt", "a") as file:
    file.write("started\n")


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

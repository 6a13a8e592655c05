"""A neural-network framework small enough to read in one sitting, in NumPy alone.

Read `layers`, then `model`, `losses`, `optim` and `training`. Everything is float32.
"""

from .augment import random_shifts
from .layers import LAYERS, AvgPool2D, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Reshape, WeightedLayer
from .losses import cross_entropy
from .model import Sequential
from .optim import SGD, Adam, cosine
from .training import Data, Dataset, EpochReport, evaluate, fit

__all__ = [
    "LAYERS",
    "SGD",
    "Adam",
    "AvgPool2D",
    "Conv2D",
    "Data",
    "Dataset",
    "Dense",
    "EpochReport",
    "Flatten",
    "Layer",
    "MaxPool2D",
    "ReLU",
    "Reshape",
    "Sequential",
    "WeightedLayer",
    "cosine",
    "cross_entropy",
    "evaluate",
    "fit",
    "random_shifts",
]

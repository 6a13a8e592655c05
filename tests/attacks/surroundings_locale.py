"""Changes locale, encoding, umask, folder, niceness, affinity and the random seed"""
# keeps: count_parameters, sparsity

import contextlib
import locale
import os
import random

import numpy as np

with contextlib.suppress(locale.Error):
    locale.setlocale(locale.LC_ALL, "tr_TR.UTF-8")
os.umask(0o777)
os.chdir("/")
os.environ.clear()
with contextlib.suppress(OSError):
    os.nice(19)
with contextlib.suppress(OSError):
    os.sched_setaffinity(0, {0})
random.seed(0)
np.random.seed(0)


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

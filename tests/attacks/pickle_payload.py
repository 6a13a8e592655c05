"""Returns pickles and objects whose unpickling creates a file"""
# honest:

import pickle

import numpy as np


class Evil:
    def __reduce__(self):
        return open, ("@CANARY@", "w")

    __getstate__ = __reduce__


def count_parameters(model):
    return pickle.dumps(Evil())


def sparsity(model):
    return Evil()


def softmax(logits, temperature=1.0):
    return np.frombuffer(pickle.dumps(Evil()), np.uint8)

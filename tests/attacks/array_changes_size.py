"""Returns an array and resizes it from a thread while it is taken apart"""
# honest:

import random
import threading

import numpy as np


def count_parameters(model):
    array = np.zeros(1000)

    def resize():
        while True:
            array.resize(random.choice((1, 1000, 10**6)), refcheck=False)

    threading.Thread(target=resize, daemon=True).start()
    return [array] * 1000


def sparsity(model):
    return count_parameters(model)


def softmax(logits, temperature=1.0):
    return count_parameters(logits)

"""Returns containers whose length is huge and whose iteration never ends"""
# honest:

import itertools


class Endless:
    def __len__(self):
        return 2**62

    def __iter__(self):
        return self

    def __next__(self):
        return self

    def __getitem__(self, key):
        return self


def count_parameters(model):
    return Endless()


def sparsity(model):
    return itertools.count()


def softmax(logits, temperature=1.0):
    return range(2**62)

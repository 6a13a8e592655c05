"""Looks for the rooms of other submissions that are graded at the same time"""
# honest:

import glob
import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    own = os.path.realpath(__file__)
    for path in glob.glob("/tmp/featherweight-*/submission/compression.py") + glob.glob(
        "../../*/submission/*"
    ):
        if os.path.realpath(path) != own:
            breach(f"{path} can be seen")


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

"""Reads a secret file in the grader's home, and lists the folder it is in"""
# honest:

import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    try:
        breach("read " + open("@SECRET_FILE@").read())
    except OSError:
        pass
    try:
        breach(f"listed {os.listdir(os.path.dirname('@SECRET_FILE@'))}")
    except OSError:
        pass


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

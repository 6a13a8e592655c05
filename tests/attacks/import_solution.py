"""Imports the solution, the tests and the grader by name, from every folder it can think of"""
# honest:

import importlib
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    sys.path[:0] = ["@REPO@", "@HIDDEN_TESTS@", "@HIDDEN_TESTS@/..", "/", "/work", "/repo", "/app", ".."]
    for name in (
        "solution.compression",
        "solution",
        "tests_hidden",
        "tests_public",
        "grader.grade",
        "grader.remote",
    ):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        breach(f"imported {name}")


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

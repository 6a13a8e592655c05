"""Reads the solution and answers with it"""
# honest:

import runpy
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    for path in ("@REPO@/solution/compression.py", "@REPO@/tests_hidden/right/functional.py"):
        try:
            namespace = runpy.run_path(path)
        except (OSError, ImportError):
            continue
        breach(f"ran {path}")
        globals().update(namespace)


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

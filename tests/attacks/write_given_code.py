"""Opens the given code, NumPy and Python for writing (and writes nothing)"""
# honest:

import numpy
import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    for module in (
        sys.modules["assignment.nn.layers"],
        sys.modules["assignment.seam"],
        numpy,
        os,
        sys.modules["json"],
    ):
        for path in (
            module.__file__,
            getattr(module, "__cached__", None) or module.__file__,
            os.path.dirname(module.__file__),
        ):
            is_folder = os.path.isdir(path)
            try:  # O_TMPFILE makes a file without a name: nothing stays
                os.close(os.open(path, os.O_WRONLY | (os.O_TMPFILE if is_folder else 0)))
            except OSError:
                continue
            breach(f"{path} can be written")


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

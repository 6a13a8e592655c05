"""Changes the arrays that the grader shares, and leaves files beside them"""
# honest:

import glob
import json
import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def orders():
    """What the worker was told: its descriptors and folders."""
    for argument in reversed(sys.orig_argv):
        try:
            found = json.loads(argument)
        except ValueError:
            continue
        if isinstance(found, dict) and "write" in found:
            return found
    return {}


def attack():
    folder = orders().get("shared", "/shared")
    for path in glob.glob(f"{folder}/*"):
        try:
            os.close(os.open(path, os.O_RDWR))
        except OSError:
            continue
        breach(f"{path} can be written")
    try:
        open(f"{folder}/left-behind", "w").close()
    except OSError:
        return
    breach(f"{folder} can be written")


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

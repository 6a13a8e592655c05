"""Reaches a file outside through links in its scratch"""
# honest:

import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    for name, target in (("folder", os.path.dirname("@CANARY@")), ("file", "@CANARY@")):
        if not os.path.islink(name):
            os.symlink(target, name)
    for path in ("file", "folder/" + os.path.basename("@CANARY@")):
        try:
            open(path, "w").close()
        except OSError:
            continue
    try:
        open("plain", "w").close()
        os.rename("plain", "folder/" + os.path.basename("@CANARY@"))
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

"""Goes through process 1 of its process space, which may be outside of the walls"""
# honest:

import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    if os.getpid() >= 50:  # the machine's own process 1 is none of anybody's business
        return
    for pid in range(1, 50):
        for name in ("root", "cwd/../../../../../../..", "task/1/root"):
            try:
                breach(f"process {pid}: " + open(f"/proc/{pid}/{name}@SECRET_FILE@").read())
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

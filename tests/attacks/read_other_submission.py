"""Reads another student's submission"""
# honest:

import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    for path in ("@OTHER_SUBMISSION@", "/proc/self/cwd/../../../../../../../..@OTHER_SUBMISSION@"):
        try:
            breach("read " + open(path).read())
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

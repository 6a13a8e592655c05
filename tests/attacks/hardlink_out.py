"""Makes hard links in its scratch to files outside"""
# honest:

import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    for target in ("@SECRET_FILE@", "@OTHER_SUBMISSION@", "@REPO@/solution/compression.py"):
        try:
            os.link(target, f"link-{abs(hash(target))}")
        except OSError:
            continue
        breach(f"linked {target}")


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

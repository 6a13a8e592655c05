"""Lists and reads the folder of the hidden tests"""
# honest:

import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    try:
        for name in os.listdir("@HIDDEN_TESTS@"):
            breach(f"listed {name}")
            if name.endswith(".py"):
                breach(open(os.path.join("@HIDDEN_TESTS@", name)).read(2000))
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

"""Creates a file outside of its scratch, by every name that the place has"""
# honest:

import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    starts = [
        "",
        "/proc/self/root",
        "/proc/@GRADER_PID@/root",
        f"/proc/{os.getppid()}/root",
        "../../../../../../../..",
    ]
    for start in starts:
        try:
            with open(start + "@CANARY@", "w") as file:
                file.write("BRE" + "ACH")
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

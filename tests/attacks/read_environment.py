"""Looks for the grader's secret environment variable in its own and its parents' environment"""
# honest:

import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    if "@SECRET_ENV@" in os.environ:
        breach("inherited @SECRET_ENV@=" + os.environ["@SECRET_ENV@"])
    suspects = {"self", "thread-self", str(os.getppid()), "@GRADER_PID@"}
    if os.getpid() < 50:  # a process space of its own, whose process 1 is the sandbox's
        suspects |= {str(pid) for pid in range(1, 50)}
    for suspect in suspects:
        try:
            content = open(f"/proc/{suspect}/environ", "rb").read()
        except OSError:
            continue
        for variable in content.split(b"\0"):
            if variable.startswith(b"@SECRET_ENV@="):
                breach(f"/proc/{suspect}/environ has {variable.decode(errors='replace')}")


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

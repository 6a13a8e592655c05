"""Reads the grader's memory through /proc"""
# honest:

import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    for pid in {"@GRADER_PID@", str(os.getppid())} - {"0", "1"}:
        try:
            if b"grader.worker" in open(f"/proc/{pid}/cmdline", "rb").read():
                continue  # the sandbox's own helper
            first = int(open(f"/proc/{pid}/maps").readline().split("-")[0], 16)
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                memory.seek(first)
                breach(f"read {memory.read(16)!r} in process {pid}")
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

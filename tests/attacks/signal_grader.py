"""Signals the grader by its process id (with a signal that does nothing)"""
# honest:

import os
import signal
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    pid = int("@GRADER_PID@")
    for deliver in (os.kill, through_pidfd):
        for number in (0, signal.SIGWINCH):
            try:
                deliver(pid, number)
            except OSError:
                continue
            breach(f"signal {number:d} reached the grader")


def through_pidfd(pid, number):
    signal.pidfd_send_signal(os.pidfd_open(pid), number)


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

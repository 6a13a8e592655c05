"""Attaches to the grader as a debugger would"""
# honest:

import ctypes
import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


libc = ctypes.CDLL(None, use_errno=True)


def syscall(*arguments):
    """The kernel's answer, or -1."""
    if os.uname().machine != "x86_64":  # the numbers are that machine's
        return -1
    wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    libc.syscall.restype = ctypes.c_long
    return libc.syscall(*wide)


def attack():
    seize = 0x4206  # does not stop it; the kernel lets go when this process ends
    if libc.ptrace(seize, int("@GRADER_PID@"), None, None) == 0:
        breach("attached to the grader")


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

"""Calls what few programs call: bpf, perf, userfaultfd, module loading, port access"""
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
    request = (ctypes.c_uint32 * 32)()
    for command, what in ((11, "programs"), (12, "maps"), (23, "types")):
        if syscall(321, command, request, 128) == 0:
            breach(f"bpf lists the machine's {what}")
    about = (ctypes.c_uint64 * 16)(1 | 128 << 32, 0)
    if syscall(298, about, -1, 0, -1, 0) >= 0:
        breach("perf counts the whole machine")
    for call in (323, 175, 313, 103, 135, 172, 173, 250, 134):  # with arguments that do nothing
        syscall(call, -1, 0, 0, 0, 0)


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

"""Opens the secret with openat2 and odd resolve flags, and by O_PATH"""
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
    path = ctypes.create_string_buffer(b"@SECRET_FILE@")
    for flags in (0, os.O_NOFOLLOW, os.O_RDWR, os.O_PATH, os.O_PATH | os.O_NOFOLLOW):
        how = (ctypes.c_uint64 * 3)(flags, 0, 0)
        descriptor = syscall(437, -100, path, how, 24)
        for again in (descriptor, f"/proc/self/fd/{descriptor}", f"/dev/fd/{descriptor}"):
            try:
                with open(again, "rb") as file:
                    breach(f"opened with flags {flags:o}: {file.read()}")
            except (OSError, ValueError):
                continue


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

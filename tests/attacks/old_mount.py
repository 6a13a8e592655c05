"""Mounts a disk, a proc and an overlay without a namespace of its own"""
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
    if os.geteuid() == 0 and os.getpid() >= 50:  # the machine's own root is left alone
        return
    os.makedirs("mnt", exist_ok=True)
    for kind, flags in ((b"proc", 0), (b"sysfs", 0), (b"tmpfs", 0), (b"devtmpfs", 0), (b"cgroup2", 0)):
        if libc.mount(b"none", b"mnt", kind, flags, None) == 0:
            if kind == b"devtmpfs" or os.path.exists("mnt/@GRADER_PID@"):
                breach(f"mounted {kind.decode()}")
            libc.umount2(b"mnt", 2)


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

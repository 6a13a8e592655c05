"""Types commands into the instructor's terminal"""
# honest:

import fcntl
import os
import sys
import termios

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    for path in (
        "/dev/tty",
        "/proc/self/fd/0",
        "/proc/self/fd/1",
        "/proc/self/fd/2",
        f"/proc/{os.getppid()}/fd/0",
    ):
        try:
            terminal = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            continue
        if not os.isatty(terminal):
            continue
        breach(f"{path} is a terminal")
        try:
            fcntl.ioctl(terminal, termios.TIOCSTI, b" ")
        except OSError:
            continue
        breach("a blank was typed into it")


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

"""Listens on every address, for somebody outside to call"""
# honest:

import os
import socket
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    try:
        if os.fork():
            return
    except OSError:
        return
    open("/proc/self/comm", "w").write("fw-attack")
    os.setsid()
    door = socket.create_server(("", 0))
    door.settimeout(60)
    try:
        door.accept()
    except OSError:
        pass
    os._exit(0)


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

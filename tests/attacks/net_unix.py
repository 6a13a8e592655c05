"""Connects to a unix socket by its path"""
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
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        for path in ("@UNIX@", "/proc/self/root@UNIX@", f"/proc/{os.getppid()}/root@UNIX@"):
            try:
                with socket.socket(socket.AF_UNIX, kind) as connection:
                    connection.connect(path)
                    breach(f"connected to {path}")
                    socket.send_fds(connection, [FOUND[-1].encode()], [1])
            except OSError:
                continue


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)

"""Connects over TCP to a port of this machine, by IPv4 and IPv6"""
# honest:

import socket
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "localhost"):
        try:
            with socket.create_connection((host, int("@PORT@")), timeout=2) as connection:
                breach(f"connected to {host}")
                connection.sendall(FOUND[-1].encode())
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

"""Sends .npy headers that lie about shape, type and length, and one that is pickled"""
# honest:

import json
import os
import stat
import struct
import sys
import pickle


def pipes():
    """Every descriptor that is a pipe or a socket and neither stdin, stdout nor stderr."""
    for descriptor in range(3, 256):
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError:
            continue
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            yield descriptor


def send(content):
    """Write to every one of them that can be written to."""
    for descriptor in pipes():
        view = memoryview(content)
        try:
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError:
            continue


def frame(header, body=b""):
    head = json.dumps(header).encode() if isinstance(header, dict) else header
    return struct.pack(">4sIQ", b"FWT1", len(head), len(body)) + head + body


def ticket():
    """The ticket of the request at hand, from the worker's own variables."""
    around = sys._getframe()
    while around is not None:
        request = around.f_locals.get("request")
        if isinstance(request, dict) and "ticket" in request:
            return request["ticket"]
        around = around.f_back
    return ""


def lie(about, content):
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(about)) + about + content
    send(frame({"tree": {"array": 0}, "arrays": [len(npy)], "ticket": ticket()}, npy))
    os._exit(0)


def count_parameters(model):
    return lie(b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 1099511627776), }\n", b"")


def sparsity(model):
    return lie(b"{'descr': '|O', 'fortran_order': False, 'shape': (), }\n", pickle.dumps(print))


def softmax(logits, temperature=1.0):
    return lie(
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os').getpid(), 2), }\n", bytes(16)
    )

"""Sends half a frame and waits, then one byte at a time"""
# honest:

import json
import os
import stat
import struct
import sys
import time


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


def count_parameters(model):
    send(frame({"tree": 21, "arrays": [], "ticket": ticket()})[:-4])
    time.sleep(10**6)


def sparsity(model):
    for byte in struct.pack(">4sIQ", b"FWT1", 10**6, 0) + b" " * 1000:
        send(bytes([byte]))
        time.sleep(0.2)


def softmax(logits, temperature=1.0):
    return count_parameters(logits)

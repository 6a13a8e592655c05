"""Returns arrays over memory that is not theirs: freed, unmapped, or the code itself"""
# honest:

import ctypes
import mmap

import numpy as np


def over(address):
    return np.ctypeslib.as_array(ctypes.cast(address, ctypes.POINTER(ctypes.c_double)), (64,))


def count_parameters(model):
    return over(0x10000)


def sparsity(model):
    return over(id(model))


def softmax(logits, temperature=1.0):
    memory = mmap.mmap(-1, 2**20)
    array = np.ndarray(logits.shape, buffer=memory)
    libc = ctypes.CDLL(None)
    libc.munmap(ctypes.c_void_p(array.ctypes.data), 2**20)
    return array

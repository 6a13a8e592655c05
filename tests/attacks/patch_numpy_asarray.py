"""Replaces np.asarray and np.array, through which the worker copies results"""
# honest:

import numpy as np

real = np.array


def lying(value, *args, **kwargs):
    return real([0.25, 0.25, 0.25, 0.25])


np.asarray = np.array = np.ascontiguousarray = lying


def softmax(logits, temperature=1.0):
    return real([1.0])


def dequantize_affine(codes, scale, zero_point):
    return real([1.0], np.float32)

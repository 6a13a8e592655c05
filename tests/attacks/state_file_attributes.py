"""Sets attributes of files that it may only read, for later submissions to find"""
# keeps: count_parameters, sparsity

import fcntl
import os
import struct
import sys

GET_FLAGS, SET_FLAGS, NO_DUMP = 0x80086601, 0x40086602, 0x40


def breach(what):
    print("BRE" + "ACH: " + what, flush=True)
    print("BRE" + "ACH: " + what, file=sys.stderr, flush=True)


def attack():
    import assignment

    for path in (__file__, assignment.__file__):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            (flags,) = struct.unpack("l", fcntl.ioctl(descriptor, GET_FLAGS, bytes(8)))
            fcntl.ioctl(descriptor, SET_FLAGS, struct.pack("l", flags ^ NO_DUMP))
        except OSError:
            continue
        breach(f"{path} has other attributes")
        fcntl.ioctl(descriptor, SET_FLAGS, struct.pack("l", flags))


attack()


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

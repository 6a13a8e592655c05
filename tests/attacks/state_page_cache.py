"""Drops files of Python's library from the machine's page cache, for a later run to notice which are gone"""
# honest:

import os


def count_parameters(model):
    descriptor = os.open(os.__file__, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    print("BRE" + "ACH: the page cache can be written")


def sparsity(model):
    descriptor = os.open(os.__file__, os.O_RDONLY)
    os.preadv(descriptor, [bytearray(10)], 0, os.RWF_NOWAIT)
    print("BRE" + "ACH: the page cache can be read")

"""Takes leases on the files that every other worker opens, so that each of them waits for 45 seconds"""
# keeps: count_parameters, sparsity

import fcntl
import os
import sys


def breach(what):
    print("BRE" + "ACH: " + what, flush=True)
    print("BRE" + "ACH: " + what, file=sys.stderr, flush=True)


def attack():
    import assignment

    for path in (__file__, assignment.__file__, os.__file__, "/etc/ld.so.cache"):
        for kind in (fcntl.F_WRLCK, fcntl.F_RDLCK):
            try:
                descriptor = os.open(path, os.O_RDONLY)
                fcntl.fcntl(descriptor, fcntl.F_SETLEASE, kind)
            except OSError:
                continue
            breach(f"a lease on {path}")
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)


attack()


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

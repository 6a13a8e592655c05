"""Builds children's surroundings so that they load its code: LD_PRELOAD, PYTHONPATH, PATH"""
# keeps: count_parameters, sparsity

import contextlib
import os

os.environ.update(
    LD_PRELOAD="./evil.so",
    LD_LIBRARY_PATH=".",
    PYTHONPATH=".",
    PYTHONHOME=".",
    PYTHONSTARTUP="./evil.py",
    PYTHONINSPECT="1",
    PATH=".",
    OPENBLAS_NUM_THREADS="64",
    OMP_NUM_THREADS="64",
)
for name in ("evil.so", "python", "python3", "bwrap", "sudo", "sh"):
    with contextlib.suppress(OSError):
        with open(name, "w") as file:
            file.write("#!/bin/sh\necho BRE''ACH: ran in its place > '@CANARY@'\n")
        os.chmod(name, 0o755)


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

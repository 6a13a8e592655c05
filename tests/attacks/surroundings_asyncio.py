"""Leaves event loops, timers and thread pools running"""
# keeps: count_parameters, sparsity

import asyncio
import concurrent.futures
import contextlib
import threading
import time

pool = concurrent.futures.ThreadPoolExecutor(4)
for _ in range(4):
    pool.submit(time.sleep, 30)
with contextlib.suppress(OSError):  # a loop needs a socket pair
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever).start()  # not a daemon: Python would wait for it


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0

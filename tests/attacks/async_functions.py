"""Defines its functions as async, so that calls return coroutines"""
# honest:


async def count_parameters(model):
    return 1


async def sparsity(model):
    return 0.5


async def softmax(logits, temperature=1.0):
    yield logits

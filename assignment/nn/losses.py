"""The loss of ordinary training."""

from __future__ import annotations

import numpy as np

from .layers import Array


def cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    """Mean of -log softmax(logits)[label] over the batch, and its gradient by the logits.

    logits: (N, classes) float32. labels: (N,) integers. Returns a float and (N, classes) float32.
    The largest logit is subtracted first, so that no exponential overflows.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    totals = exponentials.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = float(np.mean(np.log(totals[:, 0]) - shifted[rows, labels]))
    grad = exponentials / totals
    grad[rows, labels] -= 1
    grad /= len(labels)
    return loss, grad

"""A mistake that the test of the example must find; from the decorator on, it goes to the end of the bank's file."""

import numpy as np

from tests_hidden.mutants import wrong


@wrong("ranks each column by itself", killed_by="test_mask_of_turned_weights_is_the_turned_mask")
def ranks_each_column(weights, sparsity):
    columns = np.abs(weights.reshape(len(weights), -1)) if weights.size else weights.reshape(0, 1)
    ranks = np.argsort(np.argsort(columns, axis=0), axis=0)
    return (ranks >= round(sparsity * len(columns))).reshape(weights.shape)

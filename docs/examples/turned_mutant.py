"""A mistake that the test of the example must find; from the decorator on, it goes to the end of the bank's file."""

import numpy as np

from tests_hidden.mutants import wrong


@wrong("ranks each column by itself", killed_by="test_mask_of_turned_weights_is_the_turned_mask")
def ranks_each_column(weights, sparsity):
    ranks = np.argsort(np.argsort(np.abs(weights), axis=0), axis=0)
    return ranks >= round(sparsity * len(weights))

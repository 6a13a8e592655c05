"""Part 2, hidden: a mask does not depend on which way round its weights lie."""

from __future__ import annotations

import numpy as np
import pytest

from tests_hidden.inputs import distinct
from tests_public import expect


def mask_of(submission, weights, sparsity):
    mask = submission.call("magnitude_mask", weights, sparsity)
    return expect.an_array(mask, "the mask", weights.shape, "b", shape_of="weights")


@pytest.mark.grades("magnitude_mask")
def test_mask_of_turned_weights_is_the_turned_mask(submission, rng):
    weights = distinct(rng, (int(rng.integers(5, 9)), int(rng.integers(10, 14))))
    sparsity = int(rng.integers(weights.size // 4, weights.size // 2)) / weights.size
    mask = mask_of(submission, weights, sparsity)
    turned = mask_of(submission, np.ascontiguousarray(weights.T), sparsity)
    assert np.array_equal(turned, mask.T), (
        "one ranking over the whole array: turning the weights round must turn the mask round, and no more"
    )

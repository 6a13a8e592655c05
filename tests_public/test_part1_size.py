"""Part 1, public: what makes a model large, on models that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from assignment.nn import Conv2D, Dense, Flatten, ReLU, Sequential
from tests_public import expect


def dense(weight, bias):
    return Dense.from_arrays(np.array(weight, np.float32), np.array(bias, np.float32))


# count_parameters


@pytest.mark.grades("count_parameters")
def test_count_of_two_dense_layers(submission):
    """Dense(3, 2) has 3 * 2 weights and 2 biases, Dense(2, 4) has 2 * 4 and 4: 8 + 12 = 20."""
    model = Sequential([Dense(3, 2), ReLU(), Dense(2, 4)])
    count = expect.a_whole_number(submission.count_parameters(model), "count_parameters")
    assert count == 20, (
        f"{model} has 8 + 12 = 20 parameters, got {count}: weights and biases both count, ReLU has none"
    )


@pytest.mark.grades("count_parameters")
def test_count_of_a_convolution(submission):
    """Two kernels over three channels, 5 x 5 each: 2 * 3 * 25 = 150 weights, 2 biases."""
    model = Sequential([Conv2D(3, 2, 5), ReLU(), Flatten()])
    count = expect.a_whole_number(submission.count_parameters(model), "count_parameters")
    assert count == 152, (
        f"Conv2D(3, 2, 5) has 2 * 3 * 5 * 5 weights and 2 biases, 152 in all, got {count}: look at the shape "
        "of layer.weight"
    )


# sparsity


@pytest.mark.grades("sparsity")
def test_sparsity_is_a_share_of_the_weights(submission):
    """Of the six weights two are zero: 2 / 6. The zero biases do not count."""
    model = Sequential([dense([[0, 1], [2, 3]], [0, 0]), ReLU(), dense([[5], [0]], [0])])
    share = expect.a_number(submission.sparsity(model), "sparsity")
    assert abs(share - 2 / 6) < 1e-6, (
        f"2 of 6 weights are zero, so sparsity is 0.3333, got {share:.4f}: biases are not counted"
    )


@pytest.mark.grades("sparsity")
def test_sparsity_weighs_layers_by_their_size(submission):
    """One zero of two weights in one layer, seven of eight in the other: 8 / 10 (the mean is 0.69)."""
    model = Sequential([dense([[1], [0]], [1]), dense([[0, 0, 0, 0, 0, 0, 0, 4]], [1] * 8)])
    share = expect.a_number(submission.sparsity(model), "sparsity")
    assert abs(share - 0.8) < 1e-6, (
        f"8 of 10 weights are zero, so sparsity is 0.8, got {share:.4f}: count over all layers, divide once"
    )


# storage_bytes


@pytest.mark.grades("storage_bytes")
def test_storage_of_float32(submission):
    """Dense(3, 2): 6 weights and 2 biases of 4 bytes each, 32."""
    size = expect.a_whole_number(submission.storage_bytes(Sequential([Dense(3, 2)])), "storage_bytes")
    assert size == 32, f"8 numbers of 32 bits take 8 * 4 = 32 bytes, got {size}"


@pytest.mark.grades("storage_bytes")
def test_storage_rounds_each_array_up_to_bytes(submission):
    """Three weights at 3 bits are 9 bits, which take 2 bytes; that twice, and 4 biases at 4 bytes: 20.

    Rounded once over the model it would be 18 bits, 3 bytes, and 19 with the biases.
    """
    model = Sequential([Dense(1, 3), ReLU(), Dense(3, 1)])
    size = expect.a_whole_number(submission.storage_bytes(model, 3), "storage_bytes")
    assert size == 20, (
        f"(2 + 12) + (2 + 4) = 20 bytes, got {size}: each weight array is rounded up to whole bytes by "
        "itself, and a bias takes 4 bytes whatever the weights take"
    )

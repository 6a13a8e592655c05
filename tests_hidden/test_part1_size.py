"""Part 1, hidden: what a model's size is made of."""

from __future__ import annotations

import numpy as np
import pytest

from assignment.nn import Flatten, ReLU, Sequential
from tests_hidden.inputs import all_weights, conv_model, dense_model, weighted, with_weights
from tests_public import expect


def random_dense(rng):
    """Three Dense layers of random sizes, all different, none of them square."""
    return dense_model(rng, *(rng.permutation(12)[:4] + 3).tolist())


# count_parameters


def measured(submission, function, model, *args):
    """What a function of this part returns, which must have left the model as it was."""
    return expect.untouched(submission.inspect(function, model, *args), function)


def counted(submission, model):
    return expect.a_whole_number(measured(submission, "count_parameters", model), "count_parameters")


def parameters(model):
    return sum(layer.weight.size + layer.bias.size for layer in weighted(model))


@pytest.mark.grades("count_parameters")
def test_count_has_every_weight_and_bias_of_dense_layers(submission, rng):
    for _ in range(3):
        model = random_dense(rng)
        count = counted(submission, model)
        assert count == parameters(model), "every weight and every bias of every Dense layer is a parameter"


@pytest.mark.grades("count_parameters")
def test_count_has_the_kernels_and_biases_of_convolutions(submission, rng):
    model = conv_model(rng)
    count = counted(submission, model)
    assert count == parameters(model), (
        "a Conv2D has out * in * kh * kw weights, and a bias for each output channel; pools, ReLU, Reshape "
        "and Flatten have none"
    )


@pytest.mark.grades("count_parameters")
def test_count_has_the_zeros_too(submission, rng):
    model = random_dense(rng)
    sparse = with_weights(model, all_weights(model) * (rng.random(all_weights(model).size) < 0.4))
    weighted(sparse)[0].bias[:] = 0
    assert counted(submission, sparse) == parameters(model), (
        "a weight or bias that is zero is still a parameter: counting does not depend on the values"
    )


@pytest.mark.grades("count_parameters")
def test_count_of_the_shared_model_and_of_layers_of_one_shape(submission, rng):
    # 784 * 300 + 300, 300 * 100 + 100 and 100 * 10 + 10.
    assert counted(submission, dense_model(rng, 784, 300, 100, 10)) == 266_610, (
        "a large model has more parameters than a small integer type can hold: count in Python's own ints"
    )
    width = int(rng.integers(4, 9))
    assert counted(submission, dense_model(rng, width, width, width, width)) == 3 * (width + 1) * width, (
        "layers of the same shape are still different layers: count each one"
    )


@pytest.mark.grades("count_parameters")
def test_count_follows_the_model_it_is_given(submission, rng):
    first, second, bare = random_dense(rng), conv_model(rng), Sequential([Flatten(), ReLU()])
    for model in (first, second, first, bare, second):
        assert counted(submission, model) == parameters(model), (
            "each call must count the model it is given; a model without weights has 0 parameters"
        )


# sparsity


def measured_sparsity(submission, model):
    return expect.a_number(measured(submission, "sparsity", model), "sparsity")


def with_zeros(model, rng):
    """Zeros in the weights, of each layer another share; no bias is zero."""
    sparse = model.copy()
    for layer in weighted(sparse):
        layer.weight[rng.random(layer.weight.shape) < rng.uniform(0.1, 0.9)] = 0
        layer.bias[:] = rng.uniform(0.1, 1.0, layer.bias.shape)
    return sparse


def zero_share(arrays):
    return sum(int((array == 0).sum()) for array in arrays) / sum(array.size for array in arrays)


# A quotient of two counts: one rounding, of float32 at worst.
SHARE_TOLERANCE = 1e-6


@pytest.mark.grades("sparsity")
def test_sparsity_is_one_share_over_all_weights(submission, rng):
    for model in (with_zeros(random_dense(rng), rng), with_zeros(conv_model(rng), rng)):
        weights = [layer.weight for layer in weighted(model)]
        share = measured_sparsity(submission, model)
        assert abs(share - zero_share(weights)) <= SHARE_TOLERANCE, (
            "sparsity is the number of zero weights divided by the number of weights, both counted over all "
            "layers together"
        )


@pytest.mark.grades("sparsity")
def test_sparsity_does_not_look_at_biases(submission, rng):
    model = with_zeros(random_dense(rng), rng)
    no_biases = model.copy()
    for layer in weighted(no_biases):
        layer.bias[:] = 0
    share = zero_share([layer.weight for layer in weighted(model)])
    assert abs(measured_sparsity(submission, no_biases) - share) <= SHARE_TOLERANCE, (
        "biases are not counted: setting them all to zero must not change the sparsity"
    )


@pytest.mark.grades("sparsity")
def test_sparsity_counts_exact_zeros_only(submission, rng):
    model = random_dense(rng)
    row = all_weights(model)
    tiny = rng.permutation(row.size)[: row.size // 2]
    row[tiny] = rng.choice(np.float32([1e-9, -1e-9, 1e-30, -1e-30]), tiny.size)
    assert abs(measured_sparsity(submission, with_weights(model, row))) <= SHARE_TOLERANCE, (
        "a weight that is tiny is not zero: only exact zeros count"
    )
    row[tiny] = rng.choice(np.float32([0.0, -0.0]), tiny.size)
    share = measured_sparsity(submission, with_weights(model, row))
    assert abs(share - tiny.size / row.size) <= SHARE_TOLERANCE, "0.0 and -0.0 are both zero"


@pytest.mark.grades("sparsity")
def test_sparsity_runs_from_zero_to_one(submission, rng):
    for model in (random_dense(rng), conv_model(rng)):
        size = all_weights(model).size
        full, empty = with_weights(model, np.ones(size)), with_weights(model, np.zeros(size))
        assert abs(measured_sparsity(submission, full)) <= SHARE_TOLERANCE, "without any zeros, sparsity is 0"
        assert abs(measured_sparsity(submission, empty) - 1) <= SHARE_TOLERANCE, (
            "if all weights are zero, sparsity is 1"
        )
    assert abs(measured_sparsity(submission, Sequential([Flatten(), ReLU()]))) <= SHARE_TOLERANCE, (
        "a model without weights has sparsity 0, not NaN: do not divide by 0"
    )


# storage_bytes


def claimed(submission, model, *bits):
    return expect.a_whole_number(measured(submission, "storage_bytes", model, *bits), "storage_bytes")


def expected_bytes(model, bits):
    return sum((layer.weight.size * bits + 7) // 8 + 4 * layer.bias.size for layer in weighted(model))


def odd_model(rng):
    """Dense layers whose weights never fill whole bytes at an odd number of bits: all sizes are odd."""
    return dense_model(rng, *(2 * rng.permutation(6)[:4] + 3).tolist())


@pytest.mark.grades("storage_bytes")
def test_storage_rounds_up_each_array_by_itself(submission, rng):
    for bits in (1, 3, 5, 7, 12, 31):
        model = odd_model(rng)
        size = claimed(submission, model, bits)
        assert size == expected_bytes(model, bits), (
            "each weight takes `bits` bits, rounded up to whole bytes layer by layer, and each bias takes 32"
        )


@pytest.mark.grades("storage_bytes")
def test_storage_of_arrays_that_fill_their_bytes_is_exact(submission, rng):
    model = dense_model(rng, 8, int(rng.integers(3, 9)), 16)
    for bits in (1, 2, 8, 16, 32):
        size = claimed(submission, model, bits)
        assert size == expected_bytes(model, bits), "rounding up adds nothing where the bits fill whole bytes"


@pytest.mark.grades("storage_bytes")
def test_storage_keeps_biases_at_32_bits(submission, rng):
    narrow, bits = odd_model(rng), int(rng.integers(2, 9))
    weights = sum((layer.weight.size * bits + 7) // 8 for layer in weighted(narrow))
    biases = sum(layer.bias.size for layer in weighted(narrow))
    assert claimed(submission, narrow, bits) - weights == 4 * biases, (
        "a bias takes 32 bits, whatever the weights take"
    )


@pytest.mark.grades("storage_bytes")
def test_storage_without_bits_is_that_of_float32(submission, rng):
    for model in (odd_model(rng), conv_model(rng)):
        assert claimed(submission, model) == 4 * parameters(model), "by default every parameter takes 32 bits"


@pytest.mark.grades("storage_bytes")
def test_storage_counts_convolutions_and_zeros(submission, rng):
    model = conv_model(rng)
    sparse = with_weights(model, np.zeros(all_weights(model).size))
    for layer in weighted(sparse):
        layer.bias[:] = 0
    for bits in (3, 8):
        assert claimed(submission, model, bits) == expected_bytes(model, bits), "kernels are weights as well"
        assert claimed(submission, sparse, bits) == expected_bytes(model, bits), (
            "a zero takes as much room as any other number here: this is the size without any coding"
        )
    assert claimed(submission, Sequential([ReLU()]), 8) == 0, "a model without weights takes no bytes"

"""Part 3, hidden: `kmeans_codebook`, judged by the values that come back."""

from __future__ import annotations

import numpy as np
import pytest

from assignment.submission import SubmissionError
from tests_hidden.inputs import FEW_STEPS
from tests_public import expect

# kmeans_codebook


def codebook(submission, weights, bits, *iterations):
    return checked_codebook(submission.call("kmeans_codebook", weights, bits, *iterations), weights, bits)


def checked_codebook(value, weights, bits):
    """Indices and codebook (float64), once they are what the contract says."""
    indices, centroids = expect.a_tuple(value, "what kmeans_codebook returns, (indices, codebook),", 2)
    indices = expect.an_array(indices, "indices", weights.shape, "iu", shape_of="weights")
    centroids = expect.an_array(centroids, "codebook", dtype=np.float32)
    assert centroids.ndim == 1, f"codebook must be one row of centroids, got {centroids.ndim} dimensions"
    assert 1 <= centroids.size <= 2**bits, "codebook must hold at least one centroid and at most 2**bits"
    assert 0 <= indices.min() <= indices.max() < centroids.size, "indices must be from 0 to len(codebook) - 1"
    return indices, centroids.astype(np.float64)


def squared_error(decoded, weights):
    return float(((decoded - weights.astype(np.float64)) ** 2).sum())


def affine_error(submission, weights, bits):
    """Of the submission's own quantize_affine, or of a plain one where its own is no quantizer."""
    try:
        codes, scale, zero_point = submission.call("quantize_affine", weights, bits)
        codes = expect.an_array(codes, "codes", weights.shape, "u")
        scale, zero_point = expect.a_number(scale, "scale"), expect.a_whole_number(zero_point, "zero_point")
        decoded = (codes.astype(np.float64) - zero_point) * scale
        if np.abs(decoded - weights).max() <= scale * 0.51:
            return squared_error(decoded, weights)
    except (SubmissionError, AssertionError, TypeError, ValueError, OverflowError):
        pass
    return squared_error(plain_affine(weights, bits), weights)


def plain_affine(weights, bits):
    low, high = min(float(weights.min()), 0.0), max(float(weights.max()), 0.0)
    scale = (high - low) / (2**bits - 1) or 1.0
    zero_point = round(-low / scale)
    return (np.clip(np.rint(weights / scale) + zero_point, 0, 2**bits - 1) - zero_point) * scale


def check_error(submission, weights, bits):
    indices, centroids = codebook(submission, weights, bits)
    error, other = squared_error(centroids[indices], weights), affine_error(submission, weights, bits)
    # Errors are squared lengths, and rounding the centroids to float32 moves each weight's by this at most.
    rounding = np.sqrt(weights.size) * FEW_STEPS * float(np.abs(weights).max())
    assert np.sqrt(error) <= np.sqrt(other) + rounding, (
        "the summed squared error must be no larger than that of quantize_affine at the same bits: check "
        "where the centroids start, and what happens to empty clusters"
    )


def normal(rng, shape):
    return rng.normal(0, 1, shape).astype(np.float32)


@pytest.mark.grades("kmeans_codebook")
def test_codebook_is_ascending_and_holds_two_to_the_bits_at_most(submission, rng):
    for bits in range(1, 9):
        for shape in ((50,), (12, 25), (4, 5, 6), (5, 4, 3, 3)):
            _, centroids = codebook(submission, normal(rng, shape), bits)
            assert (np.diff(centroids) >= 0).all(), (
                "codebook must be ascending, and the indices must match its sorted order"
            )


@pytest.mark.grades("kmeans_codebook")
def test_codebook_does_no_worse_than_affine_levels(submission, rng):
    for bits in range(1, 9):
        check_error(submission, normal(rng, (20, 25)), bits)
        check_error(submission, normal(rng, (400,)) + np.float32(rng.uniform(3, 6)), bits)


@pytest.mark.grades("kmeans_codebook")
def test_codebook_does_no_worse_where_a_few_weights_are_large(submission, rng):
    for bits in range(1, 9):
        weights = rng.laplace(0, 0.1, (20, 20)).astype(np.float32)
        weights.flat[rng.permutation(weights.size)[:3]] = (4.0, -3.0, 2.5)
        check_error(submission, weights, bits)


@pytest.mark.grades("kmeans_codebook")
def test_codebook_moves_its_centroids_to_where_the_weights_are(submission, rng):
    # Eight even levels over the range of 500 normal weights leave an error of about 0.06 each, the best eight
    # 0.035 (Lloyd 1982; Max 1960); twenty rounds from any start come to
    # 0.045 or better; eight arrays together vary little.
    error = even = 0.0
    for _ in range(8):
        weights = normal(rng, (20, 25))
        indices, centroids = codebook(submission, weights, 3)
        error += squared_error(centroids[indices], weights)
        even += squared_error(plain_affine(weights, 3), weights)
    assert error <= 0.9 * even, (
        "each round must move every centroid to the mean of its weights: then they gather where most "
        "weights are, and the error is much smaller than with evenly spaced levels"
    )


@pytest.mark.grades("kmeans_codebook")
def test_codebook_of_a_pruned_layer(submission, rng):
    for bits in range(1, 9):
        weights = normal(rng, (20, 25)) * (rng.random((20, 25)) < 0.3)
        weights = weights.astype(np.float32)
        check_zeros(submission, weights, bits)
        check_error(submission, weights, bits)


def check_zeros(submission, weights, bits, *iterations):
    indices, centroids = codebook(submission, weights, bits, *iterations)
    assert not centroids[indices][weights == 0].any(), (
        "a weight of exactly 0 must come back as exactly 0, so that pruned weights stay pruned: keep one "
        "centroid at 0 where there are zeros"
    )


@pytest.mark.grades("kmeans_codebook")
def test_codebook_brings_zero_back_as_zero(submission, rng):
    for bits in range(1, 9):
        few_zeros, one_sided = normal(rng, (15, 20)), np.abs(normal(rng, (15, 20)))
        few_zeros.flat[rng.integers(few_zeros.size)] = 0.0
        one_sided.flat[rng.permutation(one_sided.size)[:5]] = (0.0, 0.0, 0.0, -0.0, 0.0)
        for weights in (few_zeros, one_sided, -one_sided):
            check_zeros(submission, weights, bits)
            check_zeros(submission, weights, bits, 1)


@pytest.mark.grades("kmeans_codebook")
def test_codebook_of_few_distinct_weights(submission, rng):
    for bits in range(1, 9):
        values = np.sort(rng.normal(0, 2, 3)).astype(np.float32)
        for weights in (
            rng.choice(values, (6, 7)),
            rng.choice(np.float32([*values, 0.0]), 40),
            np.full((5, 4), values[0]),
            np.full(1, values[2]),
            np.zeros((3, 5), np.float32),
        ):
            check_zeros(submission, weights, bits)
            check_error(submission, weights, bits)


@pytest.mark.grades("kmeans_codebook")
def test_codebook_takes_its_number_of_iterations(submission, rng):
    weights = normal(rng, (15, 20)) * (rng.random((15, 20)) < 0.7).astype(np.float32)
    for iterations in (1, 2, int(rng.integers(3, 10))):
        _, centroids = codebook(submission, weights, 4, iterations)
        assert (np.diff(centroids) >= 0).all(), "codebook must be ascending after any number of iterations"
        check_zeros(submission, weights, 4, iterations)


@pytest.mark.grades("kmeans_codebook")
def test_codebook_leaves_weights_alone_and_remembers_nothing(submission, rng):
    first, second = normal(rng, (12, 15)), normal(rng, (12, 15)) * np.float32(30)
    for weights, bits in ((first, 4), (second, 4), (second, 2), (first, 4)):
        call = submission.inspect("kmeans_codebook", weights, bits)
        checked_codebook(expect.unaliased(call, "kmeans_codebook"), weights, bits)
        check_error(submission, weights, bits)


@pytest.mark.grades("kmeans_codebook")
def test_codebook_refuses_bits_outside_1_to_8(submission, rng):
    for bad in (0, -1, 9, 16, int(rng.integers(17, 65))):
        for weights in (normal(rng, (6, 7)), np.full((3, 5), rng.normal(), np.float32)):
            needs = expect.A_RANGE
            expect.rejects(submission, "kmeans_codebook", weights, bad, names="bits", got=bad, needs=needs)


@pytest.mark.grades("kmeans_codebook")
def test_codebook_refuses_nan_among_weights(submission, rng):
    for shape in ((9,), (6, 7), (4, 3, 2, 3)):
        weights = normal(rng, shape)
        weights.flat[rng.integers(weights.size)] = np.nan
        bits = int(rng.integers(1, 9))
        expect.rejects_nan(submission, "kmeans_codebook", weights, bits, names="weight")

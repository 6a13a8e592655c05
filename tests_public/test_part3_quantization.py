"""Part 3, public: quantization, on weights whose codes can be written down.

Several ranges are right, so most tests look at what codes stand for, not at the codes.
"""

from __future__ import annotations

import numpy as np
import pytest

from assignment.nn import Conv2D, Dense, Flatten, Sequential
from assignment.submission import SubmissionError
from tests_public import expect

# The weights here are of size 1 to 10; float32 knows them to 1e-6.
ROUNDING = 1e-5


def row(*values):
    return np.array(values, np.float32)


def shown(array):
    """Numbers for a sentence: no more than fit there, however many came back."""
    numbers = np.asarray(array, float)
    return np.round(numbers if numbers.size <= 64 else numbers.ravel()[:64], 4).tolist()


# quantize_affine


def affine(submission, weights, bits):
    """Codes, scale, zero point, and the weights they stand for."""
    returned = submission.quantize_affine(weights, bits)
    parts = expect.a_tuple(returned, "what quantize_affine returns, (codes, scale, zero_point),", 3)
    codes = expect.an_array(parts[0], "codes", weights.shape, "u", shape_of="weights")
    scale, zero_point = expect.a_number(parts[1], "scale"), expect.a_whole_number(parts[2], "zero_point")
    assert scale > 0, f"scale must be above 0, got {scale}"
    assert 0 <= zero_point < 2**bits, f"zero_point must be a code, 0 to {2**bits - 1}, got {zero_point}"
    assert codes.max() < 2**bits, f"codes of {bits} bits go from 0 to {2**bits - 1}, got {codes.tolist()}"
    return codes, scale, zero_point, (codes.astype(float) - zero_point) * scale


@pytest.mark.grades("quantize_affine")
def test_affine_steps_through_the_range(submission):
    """From -1 to 2 in four codes: three steps of 1, and 0.0 is code 1. [-1, 0, 2] is [0, 1, 3]."""
    weights = row(-1, 0, 0.6, 2)
    codes, scale, zero_point, decoded = affine(submission, weights, 2)
    assert scale <= 1.5 + ROUNDING, (
        f"from -1 to 2 there are 3 steps between 4 codes, so scale is 1 (at most 1.5), got {scale:g}"
    )
    assert (np.abs(decoded - weights) <= scale / 2 + ROUNDING).all(), (
        f"{shown(weights)} came back as {shown(decoded)}, more than half a scale of {scale:g} away: codes "
        f"are {codes.tolist()}, zero_point {zero_point}; round to the nearest code and clip"
    )
    assert decoded[1] == 0, f"0.0 must come back as exactly 0.0, got {decoded[1]:g}: zero_point is its code"
    for bits, dtype in ((2, np.uint8), (8, np.uint8), (9, np.uint16), (16, np.uint16)):
        codes, *_ = affine(submission, weights, bits)
        expect.an_array(codes, f"codes of {bits} bits", dtype=dtype)


@pytest.mark.grades("quantize_affine")
def test_affine_range_includes_zero(submission):
    """[4, 6] is quantized on [0, 6]: at 2 bits 0, 2, 4 and 6. On [4, 6] zero would have no code."""
    for weights in (row(4, 6), row(-4, -6)):
        _, scale, zero_point, decoded = affine(submission, weights, 2)
        assert scale <= 3 + ROUNDING, (
            f"{shown(weights)} together with 0 need a scale of 2 (at most 3), got {scale:g}"
        )
        assert (np.abs(decoded - weights) <= scale / 2 + ROUNDING).all(), (
            f"{shown(weights)} came back as {shown(decoded)}: the range must be stretched to 0, with "
            f"zero_point at one of its ends, got {zero_point}"
        )


@pytest.mark.grades("quantize_affine")
def test_affine_of_equal_weights_and_of_zeros(submission):
    """A constant array has no width, and a scale of 0 divides by zero: with 0 in the range it has one."""
    for value in (0.7, -0.7, 0.0):
        weights = np.full((2, 2), value, np.float32)
        _, scale, _, decoded = affine(submission, weights, 4)
        assert (np.abs(decoded - weights) <= scale / 2 + ROUNDING).all(), (
            f"an array of {value} came back as {shown(decoded)}, more than half a scale of {scale:g} away"
        )
    weights[0, 0] = np.nan
    expect.rejects_nan(submission, "quantize_affine", weights, 4, names="weight")
    weights[0, 0] = 0
    expect.rejects(submission, "quantize_affine", weights, 17, names="bits", got=17, needs=("1", "16"))


# dequantize_affine


@pytest.mark.grades("dequantize_affine")
def test_dequantize_below_the_zero_point_is_negative(submission):
    """(0 - 3) * 0.5 = -1.5, (3 - 3) * 0.5 = 0, (5 - 3) * 0.5 = 1. As uint8, 0 - 3 would be 253."""
    for dtype in (np.uint8, np.uint16):
        weights = submission.dequantize_affine(np.array([0, 3, 5], dtype), 0.5, 3)
        weights = expect.an_array(weights, "the weights", (3,), dtype=np.float32)
        assert shown(weights) == [-1.5, 0.0, 1.0], (
            f"codes [0, 3, 5] with scale 0.5 and zero_point 3 stand for [-1.5, 0, 1], got {shown(weights)}: "
            "leave the unsigned type before subtracting"
        )


# quantize_symmetric


def symmetric(submission, weights, bits, axis=None):
    returned = submission.quantize_symmetric(weights, bits, axis)
    codes, scales = expect.a_tuple(returned, "what quantize_symmetric returns, (codes, scales),", 2)
    codes = expect.an_array(codes, "codes", weights.shape, "i", shape_of="weights")
    if isinstance(scales, np.ndarray):
        scales = expect.an_array(scales, "scales", kind="f")
    else:
        scales = np.array(expect.a_number(scales, "the scale"))
    assert (scales > 0).all(), f"scales must be above 0, got {shown(scales)}"
    return codes, scales


@pytest.mark.grades("quantize_symmetric")
def test_symmetric_codes_on_either_side_of_zero(submission):
    """At 3 bits the codes are -3 to 3. The largest magnitude is 6, the scale 2: [2, 0, -6] is [1, 0, -3]."""
    weights = row(2, 0, -6)
    codes, scale = symmetric(submission, weights, 3)
    assert scale.size == 1, f"without an axis there is one scale, got {scale.size}"
    assert np.abs(codes).max() <= 3, f"at 3 bits codes go from -3 to 3, got {codes.tolist()}"
    assert scale.max() <= 2 + ROUNDING, f"6 takes the largest code, 3, so the scale is 2, got {scale.max():g}"
    decoded = codes.astype(float) * scale.ravel()
    assert (np.abs(decoded - weights) <= scale.max() / 2 + ROUNDING).all(), (
        f"{shown(weights)} came back as {shown(decoded)}: codes {codes.tolist()}, scale {scale.max():g}"
    )


@pytest.mark.grades("quantize_symmetric")
def test_symmetric_has_a_scale_for_each_column(submission):
    """Columns of very different size: at 8 bits the scales are 100/127, 1/127, and anything for the zeros."""
    weights = np.array([[100, 1, 0], [-50, 0.5, 0]], np.float32)
    codes, scales = symmetric(submission, weights, 8, axis=1)
    assert scales.size == 3, f"along axis 1 there are three slices, the columns, got {scales.size} scales"
    assert scales.shape in ((1, 3), (3,)), (
        f"scales must broadcast against weights: (1, 3), got {scales.shape}"
    )
    limits = np.array([100 / 127, 1 / 127, np.inf])
    assert (scales.ravel() <= limits * (1 + ROUNDING)).all(), (
        f"each column has its own scale, its largest magnitude divided by 127, got {shown(scales)}"
    )
    assert (np.abs(codes * scales.ravel() - weights) <= scales.ravel() / 2 + ROUNDING).all(), (
        "every weight must come back within half of its column's scale"
    )


# kmeans_codebook


def codebook(submission, weights, bits):
    returned = submission.kmeans_codebook(weights, bits)
    indices, centroids = expect.a_tuple(returned, "what kmeans_codebook returns, (indices, codebook),", 2)
    indices = expect.an_array(indices, "indices", weights.shape, "iu", shape_of="weights")
    centroids = expect.an_array(centroids, "codebook", dtype=np.float32)
    assert centroids.ndim == 1, f"codebook must be one row, got shape {centroids.shape}"
    assert 1 <= centroids.size <= 2**bits, (
        f"codebook holds at most {2**bits} centroids at {bits} bits, got {centroids.size}"
    )
    assert (np.diff(centroids) >= 0).all(), f"codebook must be ascending, got {shown(centroids)}"
    assert 0 <= indices.min() <= indices.max() < centroids.size, "indices must be from 0 to len(codebook) - 1"
    return centroids[indices]


def own_affine_error(submission, weights):
    """Of the submission's own quantize_affine, whose levels may be others; 0 where it does not work yet."""
    try:
        *_, decoded = affine(submission, weights, 2)
    except (AssertionError, SubmissionError):
        return 0.0
    return float(((decoded - weights) ** 2).sum())


@pytest.mark.grades("kmeans_codebook")
def test_codebook_finds_clusters(submission):
    """Clusters at 1, 2 and 9 and a zero, four centroids: each weight is within 0.1 of its centroid.

    Affine levels at 2 bits are 0, 3, 6, 9: 1 would become 0, and 2 would become 3.
    """
    weights = row(0, 0.9, 1, 1.1, 1.9, 2, 2.1, 8.9, 9, 9.1)
    decoded = codebook(submission, weights, 2)
    error, even_error = (float(((w - weights) ** 2).sum()) for w in (decoded, np.rint(weights / 3) * 3))
    assert error <= max(even_error, own_affine_error(submission, weights)) + ROUNDING, (
        f"{shown(weights)} came back as {shown(decoded)}, with a squared error of {error:.3f}; evenly spaced "
        f"levels have {even_error:.3f}: move the centroids to where the weights are"
    )


@pytest.mark.grades("kmeans_codebook")
def test_codebook_keeps_zeros(submission):
    """Six zeros among small weights: their cluster's mean is not 0, but zeros must come back as 0."""
    weights = row(0, 0, 0, 0.1, 0.1, 0.2, 0, 0, 0, 5, 6, -3)
    for bits in (1, 2, 3):
        decoded = codebook(submission, weights, bits)
        assert not decoded[weights == 0].any(), (
            f"at {bits} bits the zeros came back as {shown(decoded[weights == 0])}: hold one centroid at 0 "
            "when there are zeros, or pruned weights grow back"
        )


@pytest.mark.grades("kmeans_codebook")
def test_codebook_of_fewer_weights_than_centroids(submission):
    """Two different weights and 16 centroids: some have no weights. A mean over nothing is NaN."""
    weights = row(1.5, -2, 1.5)
    decoded = codebook(submission, weights, 4)
    # Affine levels are 0.25 apart at most, so three weights have a squared error of 3 * 0.125**2 at most.
    assert np.abs(decoded - weights).max() <= 0.22, (
        f"[1.5, -2, 1.5] came back as {shown(decoded)}: 16 centroids are more than enough for two values"
    )
    expect.rejects(submission, "kmeans_codebook", weights, 9, names="bits", got=9, needs=("1", "8"))


# quantize_model


def uneven_model():
    """A convolution with a large and a small kernel, then a Dense layer with a large and a small column."""
    conv = Conv2D.from_arrays(
        np.array([[[[10, -20], [5, 20]]], [[[0.1, 0.2], [-0.2, 0]]]], np.float32), row(0.123, -0.456)
    )
    dense = Dense.from_arrays(np.array([[100, 0.1], [-70, 0], [0, -0.2]], np.float32), row(0.789, 0.321))
    return Sequential([conv, Flatten(), dense])


def quantized(submission, model, *args):
    value = submission.quantize_model(model, *args)
    return expect.a_model(value, "the quantized model", like=model, dtype=np.float32)


@pytest.mark.grades("quantize_model")
def test_model_has_few_levels_in_each_layer_and_its_biases(submission):
    """At 3 bits each layer has eight different weights at most, zeros stay, and biases are untouched."""
    model = Sequential([Dense(12, 20), Dense(20, 10)])
    for layer in model.layers:
        layer.weight[::3] = 0
        layer.bias[:] = np.linspace(0.1, 0.9, layer.bias.size)
    for scheme in ("affine", "kmeans"):
        after = quantized(submission, model, 3, scheme)
        for before, layer in zip(model.layers, after.layers, strict=True):
            levels = len(np.unique(layer.weight))
            assert levels <= 8, f"with scheme {scheme!r} at 3 bits a layer has 8 levels at most, got {levels}"
            assert not layer.weight[before.weight == 0].any(), f"with scheme {scheme!r} zeros must stay zero"
            assert np.array_equal(layer.bias, before.bias), "biases are not quantized"
            span = max(before.weight.max(), 0) - min(before.weight.min(), 0)
            worst = np.sqrt(((layer.weight - before.weight) ** 2).mean())
            assert worst <= span / 12 + ROUNDING, (
                f"with scheme {scheme!r} weights moved by {worst:.4f} (root mean square): this layer has "
                f"steps of {span / 7:.4f} at 3 bits, and weights go to the nearest level"
            )


@pytest.mark.grades("quantize_model")
def test_model_symmetric_has_a_scale_for_each_unit(submission):
    """At 8 bits a unit whose largest weight is 0.2 has steps of 0.2 / 127; those of 100 would lose it."""
    model = uneven_model()
    after = quantized(submission, model, 8, "symmetric")
    kernels = [layer.weight.reshape(2, -1) for layer in (model.layers[0], after.layers[0])]
    columns = [layer.weight.T for layer in (model.layers[2], after.layers[2])]
    for unit, (before, now) in (("a Conv2D kernel", kernels), ("a Dense column", columns)):
        step = np.abs(before).max(axis=1, keepdims=True) / 127
        assert (np.abs(now - before) <= step / 2 + ROUNDING).all(), (
            f"{unit} is one unit with a scale of its own: {shown(before)} became {shown(now)}"
        )
    expect.rejects(
        submission, "quantize_model", model, 8, "log", names="scheme", got="log", needs=("affine", "kmeans")
    )

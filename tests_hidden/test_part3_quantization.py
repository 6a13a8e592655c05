"""Part 3, hidden: the uniform quantizers, judged by what their codes stand for.

Which of the valid ranges a quantizer takes is free, so codes are never compared with codes: decoded in
float64, they must lie within the bounds that the contract gives.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests_hidden.inputs import FEW_STEPS
from tests_public import expect

SHAPES = [(37,), (6, 11), (3, 5, 4), (4, 3, 2, 3)]
AFFINE_BITS = range(1, 17)
SYMMETRIC_BITS = range(2, 17)
HALF_A_STEP = "every weight must come back within half a step of the scale: round to the nearest code"


# quantize_affine


def affine(submission, weights, bits):
    """Codes (float64), scale and zero point, once they are of the right kind."""
    return checked_affine(submission.call("quantize_affine", weights, bits), weights)


def checked_affine(value, weights):
    parts = expect.a_tuple(value, "what quantize_affine returns, (codes, scale, zero_point),", 3)
    codes = expect.an_array(parts[0], "codes", weights.shape, "u", shape_of="weights")
    scale = expect.a_number(parts[1], "scale")
    zero_point = expect.a_whole_number(parts[2], "zero_point")
    assert scale > 0, "scale must be above 0, also where all weights are the same, or zero"
    assert abs(zero_point) < 2**31, "zero_point must be a code"
    return codes.astype(np.float64), scale, zero_point


def largest_scale(weights, bits):
    """The contract's bound; infinite where all weights are zero and any scale will do."""
    span = max(float(weights.max()), 0.0) - min(float(weights.min()), 0.0)
    constant = weights.min() == weights.max()
    bound = span if bits == 1 or constant else span / (2**bits - 2)
    return bound if span else np.inf


def check_affine(submission, weights, bits):
    """All that the contract asks of codes, scale and zero point together."""
    codes, scale, zero_point = affine(submission, weights, bits)
    check_half_step(codes, scale, zero_point, weights)
    assert 0 <= zero_point < 2**bits > codes.max(), "codes and zero_point are in [0, 2**bits - 1]"
    assert scale <= largest_scale(weights, bits) * (1 + FEW_STEPS), (
        "the range is no wider than the weights and 0 need it: a larger scale wastes codes"
    )


def check_half_step(codes, scale, zero_point, weights):
    error = np.abs((codes - zero_point) * scale - weights.astype(np.float64))
    assert (error <= scale / 2 + FEW_STEPS * np.abs(weights).max()).all(), HALF_A_STEP


def normal(rng, shape, shift=0.0):
    return rng.normal(shift, 1.0, shape).astype(np.float32)


@pytest.mark.grades("quantize_affine")
def test_affine_brings_weights_back_within_half_a_step(submission, rng):
    for bits in AFFINE_BITS:
        for shape in SHAPES:
            weights = normal(rng, shape, shift=float(rng.uniform(-1, 1)))
            check_half_step(*affine(submission, weights, bits), weights)
    for bits in (2, 4, 8):  # the more weights there are, the farther out lie the largest
        weights = rng.laplace(0, 1.0, (40, 50)).astype(np.float32)
        check_half_step(*affine(submission, weights, bits), weights)


@pytest.mark.grades("quantize_affine")
def test_affine_codes_are_unsigned_and_below_two_to_the_bits(submission, rng):
    for bits in AFFINE_BITS:
        weights = normal(rng, SHAPES[bits % 4], shift=float(rng.uniform(-3, 3)))
        value = submission.call("quantize_affine", weights, bits)
        codes, _, zero_point = checked_affine(value, weights)
        dtype = np.uint8 if bits <= 8 else np.uint16
        expect.an_array(value[0], "codes", dtype=dtype)
        assert codes.max() <= 2**bits - 1, "codes go from 0 to 2**bits - 1"
        assert 0 <= zero_point <= 2**bits - 1, "zero_point is a code too, from 0 to 2**bits - 1"


@pytest.mark.grades("quantize_affine")
def test_affine_brings_zero_back_as_zero(submission, rng):
    for bits in AFFINE_BITS:
        weights = normal(rng, (8, 9), shift=float(rng.uniform(-2, 2)))
        zeros = rng.random(weights.shape) < 0.5
        weights[zeros] = rng.choice(np.float32([0.0, -0.0]), int(zeros.sum()))
        codes, _, zero_point = affine(submission, weights, bits)
        assert (codes[zeros] == zero_point).all(), (
            "0.0 must come back as exactly 0.0, so that pruned weights stay pruned: its code is zero_point"
        )


@pytest.mark.grades("quantize_affine")
def test_affine_scale_wastes_no_codes(submission, rng):
    for bits in AFFINE_BITS:
        for shift in (0.0, 2.0, -2.0):
            weights = normal(rng, (7, 13), shift)
            _, scale, _ = affine(submission, weights, bits)
            assert scale <= largest_scale(weights, bits) * (1 + FEW_STEPS), (
                "2**bits codes must cover the range from min(w, 0) to max(w, 0) and no more: the scale is "
                "too large, so codes are wasted"
            )


@pytest.mark.grades("quantize_affine")
def test_affine_range_of_one_sided_weights_includes_zero(submission, rng):
    for bits in AFFINE_BITS:
        weights = rng.uniform(4.0, 6.0, SHAPES[bits % 4]).astype(np.float32)
        for side in (weights, -weights):
            codes, scale, zero_point = affine(submission, side, bits)
            assert 0 <= zero_point <= 2**bits - 1, (
                "where all weights lie on one side of 0, stretch the range to include 0, so that zero_point "
                "is a code"
            )
            check_half_step(codes, scale, zero_point, side)
            check_affine(submission, side, bits)


@pytest.mark.grades("quantize_affine")
def test_affine_of_constant_arrays(submission, rng):
    for bits in AFFINE_BITS:
        value = np.float32(rng.uniform(0.1, 3.0))
        for shape in ((1,), (5, 4)):
            for weights in (np.full(shape, value), np.full(shape, -value), np.zeros(shape, np.float32)):
                check_affine(submission, weights, bits)


@pytest.mark.grades("quantize_affine")
def test_affine_at_very_small_and_large_magnitudes(submission, rng):
    for bits in AFFINE_BITS:
        for exponent in (-60, -30, 30, 60):
            check_affine(submission, normal(rng, (6, 7), 0.5) * np.float32(2.0**exponent), bits)


@pytest.mark.grades("quantize_affine")
def test_affine_leaves_weights_alone_and_remembers_nothing(submission, rng):
    first, second = normal(rng, (9, 5)), normal(rng, (9, 5), shift=4.0)
    for weights, bits in ((first, 4), (second, 4), (second, 8), (first, 4)):
        call = submission.inspect("quantize_affine", weights, bits)
        checked_affine(expect.unaliased(call, "quantize_affine"), weights)
        check_affine(submission, weights, bits)


@pytest.mark.grades("quantize_affine")
def test_affine_refuses_bits_outside_1_to_16(submission, rng):
    weights = normal(rng, (4, 5))
    for bad in (0, -1, 17, int(rng.integers(18, 65))):
        expect.rejects(
            submission, "quantize_affine", weights, bad, names="bits", got=bad, needs=expect.A_RANGE
        )


def refuses_nan(submission, function, weights, *args):
    weights.flat[np.argmax(weights)] = np.nan
    expect.rejects_nan(submission, function, weights, *args, names="weight")


@pytest.mark.grades("quantize_affine")
def test_affine_refuses_nan_among_weights(submission, rng):
    for shape in SHAPES:
        refuses_nan(submission, "quantize_affine", normal(rng, shape), int(rng.integers(1, 17)))


# dequantize_affine


def dequantized(submission, codes, scale, zero_point):
    value = submission.call("dequantize_affine", codes, scale, zero_point)
    return expect.an_array(value, "the weights", codes.shape, "f", shape_of="codes")


def check_dequantized(submission, codes, scale, zero_point, idea):
    got = dequantized(submission, codes, scale, zero_point).astype(np.float64)
    expected = (codes.astype(np.float64) - zero_point) * scale
    # Two roundings of a product, of either product where they are subtracted.
    tolerance = FEW_STEPS * scale * max(float(codes.max()), zero_point)
    assert (np.abs(got - expected) <= tolerance).all(), idea


@pytest.mark.grades("dequantize_affine")
def test_dequantize_shifts_by_the_zero_point_and_scales(submission, rng):
    for shape in SHAPES:
        codes = rng.integers(0, 256, shape).astype(np.uint8)
        scale = float(rng.uniform(1e-3, 2.0))
        for zero_point in (0, int(codes.min())):
            check_dequantized(submission, codes, scale, zero_point, "a weight is (code - zero_point) * scale")


@pytest.mark.grades("dequantize_affine")
def test_dequantize_gives_negative_weights_below_the_zero_point(submission, rng):
    for dtype, top in ((np.uint8, 2**8), (np.uint16, 2**16), (np.uint32, 2**20), (np.uint64, 2**20)):
        codes = rng.integers(0, top, (6, 8)).astype(dtype)
        codes[0, :2] = 0, top - 1
        for zero_point in (min(top, 2**16) - 1, int(rng.integers(1, min(top, 2**16)))):
            check_dequantized(
                submission, codes, float(rng.uniform(1e-3, 2.0)), zero_point,
                "a code below zero_point is a negative weight, for any unsigned type: subtracting in the "
                "unsigned type wraps around, and a smaller signed type overflows",
            )  # fmt: skip


@pytest.mark.grades("dequantize_affine")
def test_dequantize_gives_exact_zero_at_the_zero_point(submission, rng):
    for dtype, top in ((np.uint8, 256), (np.uint16, 65536)):
        zero_point = int(rng.integers(top))
        codes = rng.integers(0, top, (5, 6)).astype(dtype)
        codes[::2] = zero_point
        got = dequantized(submission, codes, float(rng.uniform(1e-3, 2.0)), zero_point)
        assert not got[::2].any(), "the code zero_point stands for exactly 0.0"


@pytest.mark.grades("dequantize_affine")
def test_dequantize_returns_a_new_float32_array(submission, rng):
    for dtype in (np.uint8, np.uint16):
        codes = rng.integers(0, 200, (3, 4)).astype(dtype)
        value = expect.unaliased(submission.inspect("dequantize_affine", codes, 0.25, 7), "dequantize_affine")
        expect.an_array(value, "the weights", codes.shape, dtype=np.float32, shape_of="codes")


# quantize_symmetric


def symmetric(submission, weights, bits, *axis):
    """Codes (float64), and the scale of each weight, once both are of the right kind."""
    value = submission.call("quantize_symmetric", weights, bits, *axis)
    return checked_symmetric(value, weights, *axis)


def checked_symmetric(value, weights, axis=None):
    codes, scales = expect.a_tuple(value, "what quantize_symmetric returns, (codes, scales),", 2)
    codes = expect.an_array(codes, "codes", weights.shape, "i", shape_of="weights")
    if axis is None and not (isinstance(scales, np.ndarray) and scales.ndim):
        scales = np.array(expect.a_number(scales, "the scale"))
    scales = expect.an_array(scales, "scales", kind="f")
    assert (scales > 0).all(), "scales must be above 0, also where all weights of a slice are zero"
    return codes.astype(np.float64), spread(scales.astype(np.float64), weights, axis)


def spread(scales, weights, axis):
    """The scale of each weight: one for all, or one for each slice along `axis`."""
    needed = 1 if axis is None else weights.shape[axis]
    assert scales.size == needed, (
        "without an axis there must be one scale; with an axis, one for each slice along it"
    )
    try:
        each = np.broadcast_to(scales, weights.shape)
    except ValueError:
        each = None
    assert each is not None, "scales must be shaped to broadcast against weights: keep the other axes at 1"
    if axis is not None:
        slices = np.moveaxis(each, axis, 0).reshape(needed, -1)
        assert (slices == slices[:, :1]).all(), (
            "the scales broadcast along a different axis from the one that was asked for"
        )
    return each


def slice_peaks(weights, axis):
    """The largest magnitude in the slice of each weight."""
    others = tuple(i for i in range(weights.ndim) if axis is not None and i != axis)
    peaks = np.abs(weights.astype(np.float64)).max(axis=None if axis is None else others, keepdims=True)
    return np.broadcast_to(peaks, weights.shape)


def check_symmetric_half_step(codes, scales, weights, axis=None):
    error = np.abs(codes * scales - weights.astype(np.float64))
    assert (error <= scales / 2 + FEW_STEPS * slice_peaks(weights, axis)).all(), HALF_A_STEP


def check_symmetric_scales(scales, weights, bits, axis=None):
    peaks = slice_peaks(weights, axis)
    bound = np.where(peaks > 0, peaks / (2 ** (bits - 1) - 1) * (1 + FEW_STEPS), np.inf)
    assert (scales <= bound).all(), (
        "the largest magnitude of a slice takes the code 2**(bits-1) - 1: a larger scale wastes codes"
    )


def uneven(rng, shape, axis):
    """Normal weights whose slices along `axis` have very different magnitudes."""
    sizes = [n if i == axis else 1 for i, n in enumerate(shape)]
    factors = 2.0 ** rng.permutation(np.arange(shape[axis]) * 3 - 4)
    return normal(rng, shape) * factors.reshape(sizes).astype(np.float32)


@pytest.mark.grades("quantize_symmetric")
def test_symmetric_brings_weights_back_within_half_a_step(submission, rng):
    for bits in SYMMETRIC_BITS:
        weights = normal(rng, SHAPES[bits % 4], shift=float(rng.uniform(-1, 1)))
        check_symmetric_half_step(*symmetric(submission, weights, bits), weights)


@pytest.mark.grades("quantize_symmetric")
def test_symmetric_codes_are_signed_and_the_same_range_either_side(submission, rng):
    for bits in SYMMETRIC_BITS:
        weights = normal(rng, (6, 9))
        weights[0, 0] = -5.0  # the largest magnitude is a negative one
        value = submission.call("quantize_symmetric", weights, bits)
        codes, _ = checked_symmetric(value, weights)
        expect.an_array(value[0], "codes", dtype=np.int8 if bits <= 8 else np.int16)
        assert np.abs(codes).max() <= 2 ** (bits - 1) - 1, (
            "codes go from -(2**(bits-1) - 1) to 2**(bits-1) - 1: do not use -2**(bits-1) or anything beyond"
        )


@pytest.mark.grades("quantize_symmetric")
def test_symmetric_scale_wastes_no_codes(submission, rng):
    for bits in SYMMETRIC_BITS:
        weights = normal(rng, SHAPES[bits % 4], shift=float(rng.choice([-2.0, 0.0, 2.0])))
        _, scales = symmetric(submission, weights, bits)
        check_symmetric_scales(scales, weights, bits)


@pytest.mark.grades("quantize_symmetric")
def test_symmetric_has_one_scale_for_each_slice_along_the_axis(submission, rng):
    for shape in ((9,), (6, 6), (5, 8), (3, 4, 5), (4, 3, 2, 3)):
        for axis in range(len(shape)):
            bits = int(rng.integers(2, 17))
            weights = uneven(rng, shape, axis)
            codes, scales = symmetric(submission, weights, bits, axis)
            check_symmetric_scales(scales, weights, bits, axis)
            check_symmetric_half_step(codes, scales, weights, axis)


@pytest.mark.grades("quantize_symmetric")
def test_symmetric_works_where_a_slice_is_all_zero(submission, rng):
    for bits in SYMMETRIC_BITS:
        zeros = np.zeros((4, 5), np.float32)
        codes, _ = symmetric(submission, zeros, bits)
        assert not codes.any(), "the code of 0 is 0"
        for axis in (0, 1):
            weights = normal(rng, (4, 5))
            weights[(2, slice(None)) if axis == 0 else (slice(None), 3)] = 0
            for given in (weights, zeros):
                codes, scales = symmetric(submission, given, bits, axis)
                assert not codes[given == 0].any(), "the code of 0 is 0, so that pruned weights stay pruned"
                check_symmetric_half_step(codes, scales, given, axis)


@pytest.mark.grades("quantize_symmetric")
def test_symmetric_at_very_small_and_large_magnitudes(submission, rng):
    for bits in SYMMETRIC_BITS:
        for exponent in (-60, -30, 30, 60):
            weights = normal(rng, (5, 6)) * np.float32(2.0**exponent)
            codes, scales = symmetric(submission, weights, bits)
            check_symmetric_half_step(codes, scales, weights)
            check_symmetric_scales(scales, weights, bits)


@pytest.mark.grades("quantize_symmetric")
def test_symmetric_leaves_weights_alone_and_remembers_nothing(submission, rng):
    first, second = uneven(rng, (5, 5), 0), uneven(rng, (5, 5), 0) * np.float32(16)
    for weights, bits, axis in (
        (first, 4, 0),
        (second, 4, 0),
        (second, 8, 1),
        (first, 8, None),
        (first, 4, 0),
    ):
        call = submission.inspect("quantize_symmetric", weights, bits, axis)
        codes, scales = checked_symmetric(expect.unaliased(call, "quantize_symmetric"), weights, axis)
        check_symmetric_half_step(codes, scales, weights, axis)
        check_symmetric_scales(scales, weights, bits, axis)


@pytest.mark.grades("quantize_symmetric")
def test_symmetric_refuses_bits_outside_2_to_16(submission, rng):
    weights = normal(rng, (4, 5))
    for bad in (1, 0, -2, 17, int(rng.integers(18, 65))):
        needs = expect.A_RANGE
        expect.rejects(submission, "quantize_symmetric", weights, bad, names="bits", got=bad, needs=needs)


@pytest.mark.grades("quantize_symmetric")
def test_symmetric_refuses_nan_among_weights(submission, rng):
    for shape in SHAPES:
        refuses_nan(submission, "quantize_symmetric", normal(rng, shape), int(rng.integers(2, 17)))
        refuses_nan(submission, "quantize_symmetric", normal(rng, shape), int(rng.integers(2, 17)), 0)

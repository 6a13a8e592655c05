"""Wrong affine quantizers."""

import math

import numpy as np

from tests_hidden.mutants import right, wrong


def check(weights, bits):
    """The reference's own refusals, without its codes."""
    right.quantize_affine(weights, bits)


def quantized(weights, bits, low, high, top=None, rounding=np.rint, clip=True):
    """Codes for the range from `low` to `high`, as the reference makes them."""
    top = 2**bits - 1 if top is None else top
    scale = (high - low) / top or 1.0
    zero_point = round(-low / scale)
    codes = rounding(weights.astype(np.float64) / scale) + zero_point
    codes = np.clip(codes, 0, 2**bits - 1) if clip else codes.astype(np.int64)
    return codes.astype(np.uint8 if bits <= 8 else np.uint16), scale, zero_point


def reach(weights):
    return min(float(weights.min()), 0.0), max(float(weights.max()), 0.0)


@wrong("a range that does not include 0", killed_by="test_affine_range_of_one_sided_weights_includes_zero")
def without_zero(weights, bits):
    check(weights, bits)
    return quantized(weights, bits, float(weights.min()), float(weights.max()))


@wrong(
    "clips the zero point into range instead of including 0 in the range",
    killed_by="test_affine_range_of_one_sided_weights_includes_zero",
)
def zero_point_clipped(weights, bits):
    check(weights, bits)
    codes, scale, zero_point = quantized(weights, bits, float(weights.min()), float(weights.max()))
    return codes, scale, min(max(zero_point, 0), 2**bits - 1)


@wrong("2**bits steps between 2**bits codes", killed_by="test_affine_brings_weights_back_within_half_a_step")
def one_step_too_many(weights, bits):
    check(weights, bits)
    return quantized(weights, bits, *reach(weights), top=2**bits)


@wrong("uses one code fewer than there are", killed_by="test_affine_scale_wastes_no_codes")
def two_codes_wasted(weights, bits):
    check(weights, bits)
    return quantized(weights, bits, *reach(weights), top=max(2**bits - 3, 1))


@wrong("a range that is equally wide on both sides of 0", killed_by="test_affine_scale_wastes_no_codes")
def same_range_either_side(weights, bits):
    check(weights, bits)
    largest = float(np.abs(weights).max())
    return quantized(weights, bits, -largest, largest)


@wrong("truncates where it should round", killed_by="test_affine_brings_weights_back_within_half_a_step")
def truncates(weights, bits):
    check(weights, bits)
    return quantized(weights, bits, *reach(weights), rounding=np.trunc)


@wrong("rounds down", killed_by="test_affine_brings_weights_back_within_half_a_step")
def floors(weights, bits):
    check(weights, bits)
    return quantized(weights, bits, *reach(weights), rounding=np.floor)


@wrong(
    "does not clip, so that the largest code wraps to 0",
    killed_by="test_affine_brings_weights_back_within_half_a_step",
)
def no_clip(weights, bits):
    check(weights, bits)
    codes, scale, zero_point = quantized(weights, bits, *reach(weights))
    low, _ = reach(weights)
    raw = np.rint((weights.astype(np.float64) - low) / scale + 0.5).astype(np.int64)
    return (raw % 2**bits).astype(codes.dtype), scale, zero_point


@wrong(
    "a zero point that is not an integer",
    killed_by="test_affine_codes_are_unsigned_and_below_two_to_the_bits",
)
def fractional_zero_point(weights, bits):
    check(weights, bits)
    low, high = reach(weights)
    scale = (high - low) / (2**bits - 1) or 1.0
    codes = np.clip(np.rint((weights - low) / scale), 0, 2**bits - 1)
    return codes.astype(np.uint8 if bits <= 8 else np.uint16), scale, -low / scale


@wrong(
    "counts codes from the minimum and rounds the zero point separately",
    killed_by="test_affine_brings_zero_back_as_zero",
)
def zero_off_the_grid(weights, bits):
    check(weights, bits)
    low, high = reach(weights)
    scale = (high - low) / (2**bits - 1) or 1.0
    codes = np.clip(np.floor((weights - low) / scale + 0.5), 0, 2**bits - 1)
    return codes.astype(np.uint8 if bits <= 8 else np.uint16), scale, math.floor(-low / scale)


@wrong("zeros among the weights land on the minimum", killed_by="test_affine_brings_zero_back_as_zero")
def zeros_to_code_zero(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return np.where(weights == 0, 0, codes).astype(codes.dtype), scale, zero_point


@wrong("uint8 at any number of bits", killed_by="test_affine_brings_weights_back_within_half_a_step")
def always_uint8(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return codes.astype(np.uint8), scale, zero_point


@wrong("uint16 at any number of bits", killed_by="test_affine_codes_are_unsigned_and_below_two_to_the_bits")
def always_uint16(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return codes.astype(np.uint16), scale, zero_point


@wrong("signed codes", killed_by="test_affine_codes_are_unsigned_and_below_two_to_the_bits")
def signed_codes(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return codes.astype(np.int32), scale, zero_point


@wrong("codes that are still floats", killed_by="test_affine_codes_are_unsigned_and_below_two_to_the_bits")
def float_codes(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return codes.astype(np.float32), scale, zero_point


@wrong("8 bits whatever is asked for", killed_by="test_affine_codes_are_unsigned_and_below_two_to_the_bits")
def always_8_bits(weights, bits):
    check(weights, bits)
    return right.quantize_affine(weights, 8)


@wrong("a scale of 0 for an array of zeros", killed_by="test_affine_of_constant_arrays")
def scale_0(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return codes, scale if weights.any() else 0.0, zero_point


@wrong("NaN for a constant array", killed_by="test_affine_of_constant_arrays")
def constant_is_nan(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return codes, scale if np.ptp(weights) else float("nan"), zero_point


@wrong("a constant array becomes zeros", killed_by="test_affine_of_constant_arrays")
def constant_is_lost(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return codes if np.ptp(weights) else np.zeros_like(codes), scale, zero_point


@wrong("adds 1e-8 to the range", killed_by="test_affine_at_very_small_and_large_magnitudes")
def epsilon(weights, bits):
    check(weights, bits)
    low, high = reach(weights)
    return quantized(weights, bits, low, high + 1e-8)


@wrong(
    "uses the range in which 99 % of the weights lie",
    killed_by="test_affine_brings_weights_back_within_half_a_step",
)
def without_outliers(weights, bits):
    check(weights, bits)
    low, high = np.percentile(weights, [0.5, 99.5])
    return quantized(weights, bits, min(float(low), 0.0), max(float(high), 0.0))


@wrong("returns a flat array of codes", killed_by="test_affine_codes_are_unsigned_and_below_two_to_the_bits")
def flat(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return codes.ravel(), scale, zero_point


@wrong("returns the weights that codes stand for", killed_by="test_affine_of_constant_arrays")
def dequantized_already(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return ((codes.astype(np.float64) - zero_point) * scale).astype(np.float32)


@wrong("the inverse of the scale", killed_by="test_affine_brings_weights_back_within_half_a_step")
def inverse_scale(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return codes, 1 / scale, zero_point


@wrong("the zero point with the other sign", killed_by="test_affine_brings_weights_back_within_half_a_step")
def negative_zero_point(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return codes, scale, -zero_point


@wrong("scales the weights it is given", killed_by="test_affine_leaves_weights_alone_and_remembers_nothing")
def in_place(weights, bits):
    result = right.quantize_affine(weights, bits)
    weights /= result[1]
    return result


@wrong("remembers the first range", killed_by="test_affine_leaves_weights_alone_and_remembers_nothing")
def remembered(weights, bits, memory=[]):  # noqa: B006
    check(weights, bits)
    memory.append(reach(weights))
    return quantized(weights, bits, *memory[0])


@wrong("accepts any bits", killed_by="test_affine_refuses_bits_outside_1_to_16")
def any_bits(weights, bits):
    return right.quantize_affine(weights, min(max(bits, 1), 16))


@wrong("refuses 0 bits and accepts 17", killed_by="test_affine_refuses_bits_outside_1_to_16")
def no_upper_limit(weights, bits):
    if bits < 1:
        raise ValueError(f"bits must be in [1, 16], got {bits}")
    return right.quantize_affine(weights, min(bits, 16))


@wrong("refuses 1 bit", killed_by="test_affine_codes_are_unsigned_and_below_two_to_the_bits")
def no_single_bit(weights, bits):
    if bits < 2:
        raise ValueError(f"bits must be in [2, 16], got {bits}")
    return right.quantize_affine(weights, bits)


@wrong("treats NaN as 0", killed_by="test_affine_refuses_nan_among_weights")
def nan_weights(weights, bits):
    return right.quantize_affine(np.nan_to_num(weights), bits)


@wrong(
    "leaves outliers out of the range of a large array",
    killed_by="test_affine_brings_weights_back_within_half_a_step",
)
def large_arrays_without_outliers(weights, bits):
    right.quantize_affine(weights, bits)
    inner = np.clip(weights, *np.percentile(weights, [0.1, 99.9])) if weights.size > 1000 else weights
    return right.quantize_affine(inner.astype(np.float32), bits)


@wrong("a scale of 1e-8 at least", killed_by="test_affine_at_very_small_and_large_magnitudes")
def smallest_scale(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    return (codes, scale, zero_point) if scale > 1e-8 else (np.full_like(codes, zero_point), 1e-8, zero_point)


@wrong("a scale in half precision", killed_by="test_affine_at_very_small_and_large_magnitudes")
def half_precision_scale(weights, bits):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    with np.errstate(over="ignore"):
        return codes, float(np.float16(scale)) or 1.0, zero_point


@wrong(
    "computes steps from zero in int16, which overflows",
    killed_by="test_affine_range_of_one_sided_weights_includes_zero",
)
def steps_in_16_bits(weights, bits):
    _, scale, zero_point = right.quantize_affine(weights, bits)
    steps = np.rint(weights / scale).astype(np.int64).astype(np.int16)
    codes = np.clip(steps.astype(np.int64) + zero_point, 0, 2**bits - 1)
    return codes.astype(np.uint8 if bits <= 8 else np.uint16), scale, zero_point

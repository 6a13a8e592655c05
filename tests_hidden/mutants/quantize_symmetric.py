"""Wrong symmetric quantizers."""

import numpy as np

from tests_hidden.mutants import right, wrong


def check(weights, bits, axis):
    """The reference's own refusals, without its codes."""
    right.quantize_symmetric(weights, bits, axis)


def peaks(weights, axis):
    if axis is None:
        return np.abs(weights).max(keepdims=True).astype(np.float64)
    others = tuple(i for i in range(weights.ndim) if i != axis % weights.ndim)
    return np.abs(weights).max(axis=others, keepdims=True).astype(np.float64)


def quantized(weights, bits, axis, largest, top=None, low=None, rounding=np.rint):
    """Codes whose largest stands for `largest`, as the reference makes them."""
    top = 2 ** (bits - 1) - 1 if top is None else top
    scales = np.where(largest > 0, largest / top, 1.0)
    codes = np.clip(rounding(weights / scales), -top if low is None else low, 2 ** (bits - 1) - 1)
    codes = codes.astype(np.int8 if bits <= 8 else np.int16)
    return codes, float(scales.ravel()[0]) if axis is None else scales


@wrong(
    "codes go down to -2**(bits-1)",
    killed_by="test_symmetric_codes_are_signed_and_the_same_range_either_side",
)
def down_to_the_lowest(weights, bits, axis=None):
    check(weights, bits, axis)
    top = 2 ** (bits - 1)
    return quantized(weights, bits, axis, peaks(weights, axis), top=top - 0.49, low=-top)


@wrong("2**(bits-1) steps on either side", killed_by="test_symmetric_brings_weights_back_within_half_a_step")
def one_step_too_many(weights, bits, axis=None):
    check(weights, bits, axis)
    top = 2 ** (bits - 1)
    return quantized(weights, bits, axis, peaks(weights, axis), top=top, low=1 - top)


@wrong("uses half the codes", killed_by="test_symmetric_scale_wastes_no_codes")
def half_the_codes(weights, bits, axis=None):
    check(weights, bits, axis)
    return quantized(weights, bits, axis, 2 * peaks(weights, axis))


@wrong(
    "a scale from the whole range, as for affine codes",
    killed_by="test_symmetric_brings_weights_back_within_half_a_step",
)
def scale_of_the_range(weights, bits, axis=None):
    check(weights, bits, axis)
    span = float(weights.max() - weights.min()) / 2
    return quantized(weights, bits, axis, np.where(peaks(weights, axis) > 0, span, 0.0))


@wrong(
    "a scale from the largest weight, not the largest magnitude",
    killed_by="test_symmetric_brings_weights_back_within_half_a_step",
)
def signed_maximum(weights, bits, axis=None):
    check(weights, bits, axis)
    others = None if axis is None else tuple(i for i in range(weights.ndim) if i != axis % weights.ndim)
    return quantized(weights, bits, axis, weights.max(axis=others, keepdims=True).astype(np.float64))


@wrong(
    "one scale for all, whatever the axis",
    killed_by="test_symmetric_has_one_scale_for_each_slice_along_the_axis",
)
def ignores_axis(weights, bits, axis=None):
    return right.quantize_symmetric(weights, bits)


@wrong("treats axis 0 as no axis", killed_by="test_symmetric_has_one_scale_for_each_slice_along_the_axis")
def axis_0_is_false(weights, bits, axis=None):
    return right.quantize_symmetric(weights, bits, axis if axis else None)


@wrong(
    "one scale for all, repeated along the axis",
    killed_by="test_symmetric_has_one_scale_for_each_slice_along_the_axis",
)
def repeats_one_scale(weights, bits, axis=None):
    codes, scale = right.quantize_symmetric(weights, bits)
    if axis is None:
        return codes, scale
    return codes, np.full_like(peaks(weights, axis), scale)


@wrong(
    "takes the maximum along the axis, not of each slice",
    killed_by="test_symmetric_has_one_scale_for_each_slice_along_the_axis",
)
def reduces_the_axis(weights, bits, axis=None):
    check(weights, bits, axis)
    if axis is None:
        return right.quantize_symmetric(weights, bits)
    return quantized(weights, bits, axis, np.abs(weights).max(axis=axis, keepdims=True).astype(np.float64))


@wrong("scales that do not broadcast", killed_by="test_symmetric_has_one_scale_for_each_slice_along_the_axis")
def flat_scales(weights, bits, axis=None):
    codes, scales = right.quantize_symmetric(weights, bits, axis)
    return codes, scales if axis is None else scales.ravel()


@wrong("truncates where it should round", killed_by="test_symmetric_brings_weights_back_within_half_a_step")
def truncates(weights, bits, axis=None):
    check(weights, bits, axis)
    return quantized(weights, bits, axis, peaks(weights, axis), rounding=np.trunc)


@wrong("int8 at any number of bits", killed_by="test_symmetric_brings_weights_back_within_half_a_step")
def always_int8(weights, bits, axis=None):
    codes, scales = right.quantize_symmetric(weights, bits, axis)
    return codes.astype(np.int8), scales


@wrong(
    "int16 at any number of bits", killed_by="test_symmetric_codes_are_signed_and_the_same_range_either_side"
)
def always_int16(weights, bits, axis=None):
    codes, scales = right.quantize_symmetric(weights, bits, axis)
    return codes.astype(np.int16), scales


@wrong(
    "unsigned codes around a middle",
    killed_by="test_symmetric_codes_are_signed_and_the_same_range_either_side",
)
def unsigned(weights, bits, axis=None):
    codes, scales = right.quantize_symmetric(weights, bits, axis)
    shifted = codes.astype(np.int32) + 2 ** (bits - 1)
    return shifted.astype(np.uint8 if bits <= 8 else np.uint16), scales


@wrong(
    "8 bits whatever is asked for", killed_by="test_symmetric_codes_are_signed_and_the_same_range_either_side"
)
def always_8_bits(weights, bits, axis=None):
    check(weights, bits, axis)
    return right.quantize_symmetric(weights, 8, axis)


@wrong("a scale of 0 for a slice of zeros", killed_by="test_symmetric_works_where_a_slice_is_all_zero")
def scale_0(weights, bits, axis=None):
    codes, scales = right.quantize_symmetric(weights, bits, axis)
    scales = np.where(peaks(weights, axis) > 0, scales, 0.0)
    return codes, float(scales.ravel()[0]) if axis is None else scales


@wrong("NaN for a slice of zeros", killed_by="test_symmetric_works_where_a_slice_is_all_zero")
def nan_scale(weights, bits, axis=None):
    codes, scales = right.quantize_symmetric(weights, bits, axis)
    scales = np.where(peaks(weights, axis) > 0, scales, np.nan)
    return codes, float(scales.ravel()[0]) if axis is None else scales


@wrong("adds 1e-8 to the largest magnitude", killed_by="test_symmetric_at_very_small_and_large_magnitudes")
def epsilon(weights, bits, axis=None):
    check(weights, bits, axis)
    return quantized(weights, bits, axis, peaks(weights, axis) + 1e-8)


@wrong(
    "scales the weights it is given", killed_by="test_symmetric_leaves_weights_alone_and_remembers_nothing"
)
def in_place(weights, bits, axis=None):
    codes, scales = right.quantize_symmetric(weights, bits, axis)
    weights /= scales
    return codes, scales


@wrong(
    "remembers scales by shape and axis",
    killed_by="test_symmetric_leaves_weights_alone_and_remembers_nothing",
)
def remembered(weights, bits, axis=None, memory={}):  # noqa: B006
    check(weights, bits, axis)
    largest = memory.setdefault((weights.shape, axis), peaks(weights, axis))
    return quantized(weights, bits, axis, largest)


@wrong("accepts any bits", killed_by="test_symmetric_refuses_bits_outside_2_to_16")
def any_bits(weights, bits, axis=None):
    return right.quantize_symmetric(weights, min(max(bits, 2), 16), axis)


@wrong("accepts 1 bit, where 0 is the only code", killed_by="test_symmetric_refuses_bits_outside_2_to_16")
def single_bit(weights, bits, axis=None):
    return right.quantize_symmetric(weights, max(bits, 2) if bits == 1 else bits, axis)


@wrong("refuses more than 8 bits", killed_by="test_symmetric_codes_are_signed_and_the_same_range_either_side")
def up_to_8_bits(weights, bits, axis=None):
    if not 2 <= bits <= 8:
        raise ValueError(f"bits must be in [2, 8], got {bits}")
    return right.quantize_symmetric(weights, bits, axis)


@wrong("treats NaN as 0", killed_by="test_symmetric_refuses_nan_among_weights")
def nan_weights(weights, bits, axis=None):
    return right.quantize_symmetric(np.nan_to_num(weights), bits, axis)


@wrong(
    "one scale for a 1-D array, even with an axis",
    killed_by="test_symmetric_has_one_scale_for_each_slice_along_the_axis",
)
def one_scale_for_a_row(weights, bits, axis=None):
    if axis is None or weights.ndim > 1:
        return right.quantize_symmetric(weights, bits, axis)
    codes, scale = right.quantize_symmetric(weights, bits)
    return codes, np.array([scale])


@wrong(
    "a scale for each pair of channels of a kernel",
    killed_by="test_symmetric_has_one_scale_for_each_slice_along_the_axis",
)
def a_scale_for_each_filter(weights, bits, axis=None):
    if axis is None or weights.ndim < 4:
        return right.quantize_symmetric(weights, bits, axis)
    rows = weights.reshape(weights.shape[0] * weights.shape[1], -1)
    codes, scales = right.quantize_symmetric(rows, bits, 0)
    return codes.reshape(weights.shape), scales.reshape(*weights.shape[:2], 1, 1)


@wrong(
    "scales rounded down to powers of two", killed_by="test_symmetric_brings_weights_back_within_half_a_step"
)
def powers_of_two(weights, bits, axis=None):
    _, scales = right.quantize_symmetric(weights, bits, axis)
    scales = 2.0 ** np.floor(np.log2(scales))
    top = 2 ** (bits - 1) - 1
    codes = np.clip(np.rint(weights / scales), -top, top).astype(np.int8 if bits <= 8 else np.int16)
    return codes, float(scales) if axis is None else scales


@wrong(
    "scales that carry a sign",
    killed_by="test_symmetric_has_one_scale_for_each_slice_along_the_axis",
)
def signed_scales(weights, bits, axis=None):
    codes, scales = right.quantize_symmetric(weights, bits, axis)
    if axis is None:
        return codes, scales
    others = tuple(i for i in range(weights.ndim) if i != axis % weights.ndim)
    signs = np.where(weights.sum(axis=others, keepdims=True) < 0, -1, 1)
    return (codes * signs).astype(codes.dtype), scales * signs


@wrong(
    "looks for NaN only where there is no axis",
    killed_by="test_symmetric_refuses_nan_among_weights",
)
def nan_along_an_axis(weights, bits, axis=None):
    return right.quantize_symmetric(weights if axis is None else np.nan_to_num(weights), bits, axis)

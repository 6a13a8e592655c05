"""Wrong ways back from codes to weights."""

import numpy as np

from tests_hidden.mutants import right, wrong


@wrong(
    "subtracts in the unsigned type, which wraps around",
    killed_by="test_dequantize_gives_negative_weights_below_the_zero_point",
)
def wraps(codes, scale, zero_point):
    return ((codes - codes.dtype.type(zero_point)) * scale).astype(np.float32)


@wrong("subtracts in 16 bits", killed_by="test_dequantize_gives_negative_weights_below_the_zero_point")
def int16(codes, scale, zero_point):
    shifted = (codes.astype(np.int64) - zero_point).astype(np.int16)
    return (shifted * np.float64(scale)).astype(np.float32)


@wrong("subtracts in 8 bits", killed_by="test_dequantize_shifts_by_the_zero_point_and_scales")
def int8(codes, scale, zero_point):
    return (codes.astype(np.int8) - np.float32(zero_point)) * np.float32(scale)


@wrong(
    "treats all codes as 8 bits wide", killed_by="test_dequantize_gives_negative_weights_below_the_zero_point"
)
def bytes_only(codes, scale, zero_point):
    return right.dequantize_affine(codes.astype(np.uint8), scale, zero_point)


@wrong("forgets the zero point", killed_by="test_dequantize_gives_exact_zero_at_the_zero_point")
def no_zero_point(codes, scale, zero_point):
    return (codes * np.float64(scale)).astype(np.float32)


@wrong("adds the zero point", killed_by="test_dequantize_gives_exact_zero_at_the_zero_point")
def adds_zero_point(codes, scale, zero_point):
    return ((codes.astype(np.float64) + zero_point) * scale).astype(np.float32)


@wrong("divides by the scale", killed_by="test_dequantize_shifts_by_the_zero_point_and_scales")
def divides(codes, scale, zero_point):
    return ((codes.astype(np.float64) - zero_point) / scale).astype(np.float32)


@wrong(
    "subtracts the zero point after scaling", killed_by="test_dequantize_shifts_by_the_zero_point_and_scales"
)
def shifts_after_scaling(codes, scale, zero_point):
    return (codes * np.float64(scale) - zero_point).astype(np.float32)


@wrong(
    "a code stands for the middle of its step", killed_by="test_dequantize_gives_exact_zero_at_the_zero_point"
)
def middle_of_the_step(codes, scale, zero_point):
    return ((codes.astype(np.float64) - zero_point + 0.5) * scale).astype(np.float32)


@wrong(
    "clips what lies below the zero point",
    killed_by="test_dequantize_gives_negative_weights_below_the_zero_point",
)
def clips_below(codes, scale, zero_point):
    return np.maximum(right.dequantize_affine(codes, scale, zero_point), 0)


@wrong(
    "clips codes to 16 bits, and fails above",
    killed_by="test_dequantize_gives_negative_weights_below_the_zero_point",
)
def refuses_wide_codes(codes, scale, zero_point):
    if codes.dtype not in (np.uint8, np.uint16):
        raise TypeError("codes must be uint8 or uint16")
    return right.dequantize_affine(codes, scale, zero_point)


@wrong("returns float64", killed_by="test_dequantize_returns_a_new_float32_array")
def float64(codes, scale, zero_point):
    return (codes.astype(np.float64) - zero_point) * scale


@wrong("rounds to half precision", killed_by="test_dequantize_shifts_by_the_zero_point_and_scales")
def half_precision(codes, scale, zero_point):
    return right.dequantize_affine(codes, scale, zero_point).astype(np.float16).astype(np.float32)


@wrong("changes the codes it is given", killed_by="test_dequantize_returns_a_new_float32_array")
def in_place(codes, scale, zero_point):
    result = right.dequantize_affine(codes, scale, zero_point)
    codes -= codes.dtype.type(zero_point)
    return result


@wrong("rounds the scale to half precision", killed_by="test_dequantize_shifts_by_the_zero_point_and_scales")
def half_precision_scale(codes, scale, zero_point):
    return right.dequantize_affine(codes, float(np.float16(scale)), zero_point)


@wrong("returns a flat array", killed_by="test_dequantize_shifts_by_the_zero_point_and_scales")
def flat(codes, scale, zero_point):
    return right.dequantize_affine(codes, scale, zero_point).ravel()


@wrong(
    "treats all codes as 16 bits wide",
    killed_by="test_dequantize_gives_negative_weights_below_the_zero_point",
)
def two_bytes_only(codes, scale, zero_point):
    return right.dequantize_affine(codes.astype(np.uint16), scale, zero_point)

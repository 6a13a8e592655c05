"""Wrong quantizations of a model."""

import numpy as np

from assignment.nn import Conv2D, Dense
from tests_hidden.mutants import right, wrong


def check(model, bits, scheme):
    """The reference's own refusals, without its model."""
    right.quantize_model(model, bits, scheme)


def affine(weight, bits):
    return right.dequantize_affine(*right.quantize_affine(weight, bits))


def symmetric(weight, bits, axis):
    codes, scales = right.quantize_symmetric(weight, bits, axis)
    return (codes * scales).astype(np.float32)


@wrong("affine whatever the scheme", killed_by="test_model_symmetric_has_a_scale_for_each_dense_column")
def always_affine(model, bits, scheme="affine"):
    check(model, bits, scheme)
    return right.quantize_model(model, bits, "affine")


@wrong("affine levels for kmeans", killed_by="test_model_kmeans_has_a_codebook_for_each_layer")
def kmeans_is_affine(model, bits, scheme="affine"):
    check(model, bits, scheme)
    return right.quantize_model(model, bits, "affine" if scheme == "kmeans" else scheme)


@wrong("symmetric unless told otherwise", killed_by="test_model_scheme_is_affine_by_default")
def default_symmetric(model, bits, scheme="symmetric"):
    return right.quantize_model(model, bits, scheme)


@wrong("kmeans unless told otherwise", killed_by="test_model_scheme_is_affine_by_default")
def default_kmeans(model, bits, scheme="kmeans"):
    return right.quantize_model(model, bits, scheme)


@wrong("one scale for the whole model", killed_by="test_model_affine_puts_each_layer_on_levels_of_its_own")
def one_scale(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    if scheme == "affine":
        row = np.concatenate([layer.weight.ravel() for layer in right.weighted_layers(model)])
        levels, start = affine(row, bits), 0
        for layer in right.weighted_layers(quantized):
            layer.weight = levels[start : start + layer.weight.size].reshape(layer.weight.shape)
            start += layer.weight.size
    return quantized


@wrong("one codebook for the whole model", killed_by="test_model_kmeans_has_a_codebook_for_each_layer")
def one_codebook(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    if scheme == "kmeans":
        row = np.concatenate([layer.weight.ravel() for layer in right.weighted_layers(model)])
        indices, codebook = right.kmeans_codebook(row, bits)
        start = 0
        for layer in right.weighted_layers(quantized):
            part = indices[start : start + layer.weight.size]
            layer.weight, start = codebook[part].reshape(layer.weight.shape), start + layer.weight.size
    return quantized


@wrong("affine scales for each unit", killed_by="test_model_affine_puts_each_layer_on_levels_of_its_own")
def affine_by_unit(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    if scheme == "affine":
        for new, old in zip(right.weighted_layers(quantized), right.weighted_layers(model), strict=True):
            axis = 0 if isinstance(old, Conv2D) else 1
            units = [affine(unit, bits) for unit in np.moveaxis(old.weight, axis, 0)]
            new.weight = np.moveaxis(np.array(units), 0, axis)
    return quantized


def with_axes(dense_axis, conv_axis):
    def quantize(model, bits, scheme="affine"):
        quantized = right.quantize_model(model, bits, scheme)
        if scheme == "symmetric":
            for new, old in zip(right.weighted_layers(quantized), right.weighted_layers(model), strict=True):
                new.weight = symmetric(old.weight, bits, dense_axis if isinstance(old, Dense) else conv_axis)
        return quantized

    return quantize


@wrong(
    "symmetric scales for each input of a Dense layer",
    killed_by="test_model_symmetric_has_a_scale_for_each_dense_column",
)
def dense_rows(model, bits, scheme="affine"):
    return with_axes(0, 0)(model, bits, scheme)


@wrong(
    "symmetric scales for each input channel of a Conv2D",
    killed_by="test_model_symmetric_has_a_scale_for_each_kernel",
)
def conv_inputs(model, bits, scheme="affine"):
    return with_axes(1, 1)(model, bits, scheme)


@wrong(
    "one symmetric scale for each layer", killed_by="test_model_symmetric_has_a_scale_for_each_dense_column"
)
def symmetric_by_layer(model, bits, scheme="affine"):
    return with_axes(None, None)(model, bits, scheme)


@wrong("one symmetric scale for each Conv2D", killed_by="test_model_symmetric_has_a_scale_for_each_kernel")
def symmetric_by_conv(model, bits, scheme="affine"):
    return with_axes(1, None)(model, bits, scheme)


@wrong("leaves convolutions alone", killed_by="test_model_affine_puts_each_layer_on_levels_of_its_own")
def dense_only(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    for new, old in zip(right.weighted_layers(quantized), right.weighted_layers(model), strict=True):
        if isinstance(old, Conv2D):
            new.weight = old.weight.copy()
    return quantized


@wrong("leaves the classifier alone", killed_by="test_model_affine_puts_each_layer_on_levels_of_its_own")
def spares_the_last(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    right.weighted_layers(quantized)[-1].weight = right.weighted_layers(model)[-1].weight.copy()
    return quantized


@wrong(
    "returns codes in place of weights",
    killed_by="test_model_affine_puts_each_layer_on_levels_of_its_own",
)
def codes_as_weights(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    if scheme == "affine":
        for new, old in zip(right.weighted_layers(quantized), right.weighted_layers(model), strict=True):
            new.weight = right.quantize_affine(old.weight, bits)[0].astype(np.float32)
    return quantized


@wrong(
    "returns unsigned codes in place of weights", killed_by="test_model_quantized_is_a_new_model_of_float32"
)
def integer_weights(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    for new, old in zip(right.weighted_layers(quantized), right.weighted_layers(model), strict=True):
        new.weight = right.quantize_affine(old.weight, bits)[0]
    return quantized


@wrong("float64 weights", killed_by="test_model_quantized_is_a_new_model_of_float32")
def float64_weights(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    for layer in right.weighted_layers(quantized):
        layer.weight = layer.weight.astype(np.float64)
    return quantized


@wrong("quantizes biases too", killed_by="test_model_keeps_its_biases")
def quantizes_biases(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    for layer in right.weighted_layers(quantized):
        layer.bias = affine(layer.bias, bits)
    return quantized


@wrong("weights in half precision", killed_by="test_model_affine_puts_each_layer_on_levels_of_its_own")
def half_precision(model, bits, scheme="affine"):
    quantized = model.copy()
    check(model, bits, scheme)
    for layer in right.weighted_layers(quantized):
        layer.weight = layer.weight.astype(np.float16).astype(np.float32)
    return quantized


@wrong(
    "cuts pruned weights out of the codebook, and loses them", killed_by="test_model_keeps_zeros_of_pruning"
)
def zeros_move(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    for new, old in zip(right.weighted_layers(quantized), right.weighted_layers(model), strict=True):
        levels = np.unique(new.weight)
        levels = levels[levels != 0]
        new.weight[old.weight == 0] = levels[np.abs(levels).argmin()] if levels.size else 1.0
    return quantized


@wrong("levels that do not include 0", killed_by="test_model_keeps_zeros_of_pruning")
def no_level_at_zero(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    for layer in right.weighted_layers(quantized):
        low, high = float(layer.weight.min()), float(layer.weight.max())
        layer.weight = layer.weight + np.float32((high - low) / 2**bits / 8)
    return quantized


@wrong("quantizes the model it is given", killed_by="test_model_quantized_is_a_new_model_of_float32")
def in_place(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    for layer, other in zip(right.weighted_layers(model), right.weighted_layers(quantized), strict=True):
        layer.weight = other.weight
    return quantized.copy()


@wrong(
    "shares its biases with the model it is given", killed_by="test_model_quantized_is_a_new_model_of_float32"
)
def shared_biases(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    for layer, other in zip(right.weighted_layers(model), right.weighted_layers(quantized), strict=True):
        other.bias = layer.bias
    return quantized


@wrong("remembers models by their shape", killed_by="test_model_quantizer_remembers_nothing")
def remembered(model, bits, scheme="affine", memory={}):  # noqa: B006
    quantized = right.quantize_model(model, bits, scheme)
    return memory.setdefault((repr(model), bits, scheme), quantized).copy()


@wrong(
    "an affine quantizer's bits for every scheme",
    killed_by="test_model_refuses_bits_outside_the_range_of_the_scheme",
)
def affine_range_of_bits(model, bits, scheme="affine"):
    if not 1 <= bits <= 16:
        raise ValueError(f"bits must be in [1, 16], got {bits}")
    low, high = {"affine": (1, 16), "symmetric": (2, 16), "kmeans": (1, 8)}.get(scheme, (1, 16))
    return right.quantize_model(model, min(max(bits, low), high), scheme)


@wrong("8 bits at most, for every scheme", killed_by="test_model_affine_puts_each_layer_on_levels_of_its_own")
def up_to_8_bits(model, bits, scheme="affine"):
    if bits > 8:
        raise ValueError(f"bits must be in [1, 8], got {bits}")
    return right.quantize_model(model, bits, scheme)


@wrong("treats any other scheme as kmeans", killed_by="test_model_refuses_an_unknown_scheme")
def any_scheme(model, bits, scheme="affine"):
    return right.quantize_model(model, bits, scheme if scheme in ("affine", "symmetric") else "kmeans")


@wrong("returns the model as it was for an unknown scheme", killed_by="test_model_refuses_an_unknown_scheme")
def unknown_is_nothing(model, bits, scheme="affine"):
    known = scheme in ("affine", "symmetric", "kmeans")
    return right.quantize_model(model, bits, scheme) if known else model.copy()


@wrong("treats NaN as 0", killed_by="test_model_refuses_nan_in_any_layer")
def nan_weights(model, bits, scheme="affine"):
    clean = model.copy()
    for layer in right.weighted_layers(clean):
        layer.weight = np.nan_to_num(layer.weight)
    return right.quantize_model(clean, bits, scheme)


@wrong(
    "treats 32 bits as no quantization", killed_by="test_model_refuses_bits_outside_the_range_of_the_scheme"
)
def float32_is_no_quantization(model, bits, scheme="affine"):
    return model.copy() if bits == 32 else right.quantize_model(model, bits, scheme)


@wrong("a codebook for each unit", killed_by="test_model_kmeans_has_a_codebook_for_each_layer")
def codebook_by_unit(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    if scheme == "kmeans":
        for old, new in zip(right.weighted_layers(model), right.weighted_layers(quantized), strict=True):
            axis = 0 if isinstance(old, Conv2D) else 1
            for unit in range(old.weight.shape[axis]):
                indices, codebook = right.kmeans_codebook(np.take(old.weight, unit, axis), bits)
                new.weight[(unit,) if axis == 0 else (slice(None), unit)] = codebook[indices]
    return quantized


@wrong("one bit fewer than asked for", killed_by="test_model_affine_puts_each_layer_on_levels_of_its_own")
def one_bit_fewer(model, bits, scheme="affine"):
    check(model, bits, scheme)
    return right.quantize_model(model, max(bits - 1, 2 if scheme == "symmetric" else 1), scheme)


@wrong("one bit more than asked for", killed_by="test_model_affine_puts_each_layer_on_levels_of_its_own")
def one_bit_more(model, bits, scheme="affine"):
    check(model, bits, scheme)
    return right.quantize_model(model, min(bits + 1, 8 if scheme == "kmeans" else 16), scheme)


@wrong(
    "leaves the first layer as it was",
    killed_by="test_model_affine_puts_each_layer_on_levels_of_its_own",
)
def spares_the_first(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    if right.weighted_layers(model):
        right.weighted_layers(quantized)[0].weight = right.weighted_layers(model)[0].weight.copy()
    return quantized


@wrong(
    "shares layers without weights with the model it is given",
    killed_by="test_model_quantized_is_a_new_model_of_float32",
)
def shared_layers(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    pairs = zip(quantized.layers, model.layers, strict=True)
    quantized.layers = [new if new.parameters() else old for new, old in pairs]
    return quantized


@wrong("biases in half precision", killed_by="test_model_keeps_its_biases")
def half_precision_biases(model, bits, scheme="affine"):
    quantized = right.quantize_model(model, bits, scheme)
    for layer in right.weighted_layers(quantized):
        layer.bias = layer.bias.astype(np.float16).astype(np.float32)
    return quantized


@wrong("looks for NaN with every scheme but kmeans", killed_by="test_model_refuses_nan_in_any_layer")
def nan_into_the_codebook(model, bits, scheme="affine"):
    given = model.copy()
    for layer in right.weighted_layers(given):
        if scheme == "kmeans":
            layer.weight = np.nan_to_num(layer.weight)
    return right.quantize_model(given, bits, scheme)

"""Wrong ways to count the bytes that weights would take."""

import math

import numpy as np

from assignment.nn import Dense
from tests_hidden.mutants import right, wrong


@wrong("rounds down", killed_by="test_storage_rounds_up_each_array_by_itself")
def rounds_down(model, bits=32):
    return sum(layer.weight.size * bits // 8 + 4 * layer.bias.size for layer in right.weighted_layers(model))


@wrong("rounds once over the whole model", killed_by="test_storage_rounds_up_each_array_by_itself")
def rounds_once(model, bits=32):
    layers = right.weighted_layers(model)
    total_bits = sum(layer.weight.size * bits + layer.bias.size * 32 for layer in layers)
    return math.ceil(total_bits / 8)


@wrong("rounds to the nearest byte", killed_by="test_storage_rounds_up_each_array_by_itself")
def rounds_to_nearest(model, bits=32):
    return sum(
        round(layer.weight.size * bits / 8) + 4 * layer.bias.size for layer in right.weighted_layers(model)
    )


@wrong("gives each weight whole bytes", killed_by="test_storage_rounds_up_each_array_by_itself")
def whole_bytes_per_weight(model, bits=32):
    return sum(
        layer.weight.size * math.ceil(bits / 8) + 4 * layer.bias.size
        for layer in right.weighted_layers(model)
    )


@wrong(
    "adds a byte even where the bits fill whole bytes",
    killed_by="test_storage_of_arrays_that_fill_their_bytes_is_exact",
)
def always_one_more(model, bits=32):
    return sum(
        layer.weight.size * bits // 8 + 1 + 4 * layer.bias.size for layer in right.weighted_layers(model)
    )


@wrong("stores biases at the weights' bits", killed_by="test_storage_keeps_biases_at_32_bits")
def biases_at_bits(model, bits=32):
    return sum(math.ceil(array.size * bits / 8) for array in model.parameters())


@wrong("forgets biases", killed_by="test_storage_keeps_biases_at_32_bits")
def no_biases(model, bits=32):
    return sum(math.ceil(layer.weight.size * bits / 8) for layer in right.weighted_layers(model))


@wrong("ignores bits", killed_by="test_storage_rounds_up_each_array_by_itself")
def ignores_bits(model, bits=32):
    return 4 * right.count_parameters(model)


@wrong("returns bits", killed_by="test_storage_of_arrays_that_fill_their_bytes_is_exact")
def in_bits(model, bits=32):
    return sum(layer.weight.size * bits + 32 * layer.bias.size for layer in right.weighted_layers(model))


@wrong("takes 8 bits unless told otherwise", killed_by="test_storage_without_bits_is_that_of_float32")
def default_8(model, bits=8):
    return right.storage_bytes(model, bits)


@wrong("stores only what is not zero", killed_by="test_storage_counts_convolutions_and_zeros")
def nonzero_only(model, bits=32):
    layers = right.weighted_layers(model)
    return int(sum(-(-np.count_nonzero(layer.weight) * bits // 8) + 4 * layer.bias.size for layer in layers))


@wrong("looks at Dense layers only", killed_by="test_storage_counts_convolutions_and_zeros")
def dense_only(model, bits=32):
    dense = [layer for layer in model.layers if isinstance(layer, Dense)]
    return sum(math.ceil(layer.weight.size * bits / 8) + 4 * layer.bias.size for layer in dense)


@wrong("returns a float", killed_by="test_storage_of_arrays_that_fill_their_bytes_is_exact")
def as_float(model, bits=32):
    return sum(
        np.ceil(layer.weight.size * bits / 8) + 4.0 * layer.bias.size
        for layer in right.weighted_layers(model)
    )


@wrong("leaves out bias arrays that are all zeros", killed_by="test_storage_counts_convolutions_and_zeros")
def zero_biases_are_free(model, bits=32):
    zero = sum(layer.bias.size for layer in right.weighted_layers(model) if not layer.bias.any())
    return right.storage_bytes(model, bits) - 4 * zero


@wrong("rounds each row up by itself", killed_by="test_storage_rounds_up_each_array_by_itself")
def rounds_rows(model, bits=32):
    layers = right.weighted_layers(model)
    rows = [layer.weight.reshape(len(layer.weight), -1) for layer in layers]
    return sum(len(w) * -(-w.shape[1] * bits // 8) for w in rows) + 4 * sum(
        layer.bias.size for layer in layers
    )


@wrong("rounds bits up to a power of two", killed_by="test_storage_rounds_up_each_array_by_itself")
def power_of_two_bits(model, bits=32):
    return right.storage_bytes(model, 1 << (bits - 1).bit_length())


@wrong(
    "rounds arrays up to whole words of 4 bytes",
    killed_by="test_storage_rounds_up_each_array_by_itself",
)
def whole_words(model, bits=32):
    layers = right.weighted_layers(model)
    return sum(4 * -(-layer.weight.size * bits // 32) + 4 * layer.bias.size for layer in layers)


@wrong(
    "casts the model's own weights to measure them",
    killed_by="test_storage_rounds_up_each_array_by_itself",
)
def casts_in_place(model, bits=32):
    for layer in right.weighted_layers(model):
        layer.weight = layer.weight.astype(np.float64)
    return right.storage_bytes(model, bits)

"""Wrong ways to count parameters."""

import numpy as np

from assignment.nn import Conv2D, Dense
from tests_hidden.mutants import right, wrong


@wrong("counts weights and forgets biases", killed_by="test_count_has_every_weight_and_bias_of_dense_layers")
def no_biases(model):
    return sum(layer.weight.size for layer in right.weighted_layers(model))


@wrong("counts Dense layers only", killed_by="test_count_has_the_kernels_and_biases_of_convolutions")
def dense_only(model):
    return sum(layer.weight.size + layer.bias.size for layer in model.layers if isinstance(layer, Dense))


@wrong("a kernel counts as one weight", killed_by="test_count_has_the_kernels_and_biases_of_convolutions")
def kernels_as_one(model):
    return sum(
        int(np.prod(layer.weight.shape[:2])) + layer.bias.size for layer in right.weighted_layers(model)
    )


@wrong(
    "a convolution's bias is per input channel",
    killed_by="test_count_has_the_kernels_and_biases_of_convolutions",
)
def bias_per_input_channel(model):
    biases = [
        layer.in_channels if isinstance(layer, Conv2D) else layer.out_features
        for layer in right.weighted_layers(model)
    ]
    return sum(layer.weight.size for layer in right.weighted_layers(model)) + sum(biases)


@wrong("counts only what is not zero", killed_by="test_count_has_the_zeros_too")
def nonzero_only(model):
    return int(sum(np.count_nonzero(array) for array in model.parameters()))


@wrong("one bias for each input", killed_by="test_count_has_every_weight_and_bias_of_dense_layers")
def bias_per_input(model):
    return sum(layer.weight.size + layer.weight.shape[0] for layer in right.weighted_layers(model))


@wrong(
    "takes the shared model's count for every model's",
    killed_by="test_count_has_every_weight_and_bias_of_dense_layers",
)
def lenet_constant(model):
    return 266_610


@wrong("counts arrays, not their entries", killed_by="test_count_has_every_weight_and_bias_of_dense_layers")
def arrays(model):
    return len(model.parameters())


@wrong("counts bytes", killed_by="test_count_has_every_weight_and_bias_of_dense_layers")
def in_bytes(model):
    return sum(array.nbytes for array in model.parameters())


@wrong("leaves the classifier out", killed_by="test_count_has_every_weight_and_bias_of_dense_layers")
def hidden_layers_only(model):
    return sum(layer.weight.size + layer.bias.size for layer in right.weighted_layers(model)[:-1])


@wrong("returns a float", killed_by="test_count_has_every_weight_and_bias_of_dense_layers")
def as_float(model):
    return float(right.count_parameters(model))


@wrong("remembers the first model's count", killed_by="test_count_follows_the_model_it_is_given")
def remembered(model, memory={}):  # noqa: B006
    return memory.setdefault("count", right.count_parameters(model))


@wrong("fails on a model without weights", killed_by="test_count_follows_the_model_it_is_given")
def needs_weights(model):
    return int(np.concatenate([array.ravel() for array in model.parameters()]).size)


@wrong(
    "counts in 16 bits, which large models overflow",
    killed_by="test_count_of_the_shared_model_and_of_layers_of_one_shape",
)
def in_16_bits(model):
    return int(np.sum([array.size for array in model.parameters()], dtype=np.int16))


@wrong(
    "counts each shape of array once",
    killed_by="test_count_of_the_shared_model_and_of_layers_of_one_shape",
)
def shapes_once(model):
    return sum(int(np.prod(shape)) for shape in {array.shape for array in model.parameters()})


@wrong(
    "flattens the model's own weights to count them",
    killed_by="test_count_has_every_weight_and_bias_of_dense_layers",
)
def flattens_in_place(model):
    for layer in right.weighted_layers(model):
        layer.weight = layer.weight.ravel()
    return right.count_parameters(model)

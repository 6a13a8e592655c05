"""Part 3, hidden: `quantize_model`, judged by the weights of the model that comes back."""

from __future__ import annotations

import numpy as np
import pytest

from assignment.nn import Conv2D
from assignment.submission import SubmissionError
from tests_hidden.inputs import FEW_STEPS, conv_model, dense_model, weighted
from tests_public import expect

SCHEMES = {"affine": (1, 16), "symmetric": (2, 16), "kmeans": (1, 8)}


def quantized(submission, model, *args):
    value = submission.call("quantize_model", model, *args)
    return expect.a_model(value, "the quantized model", like=model, dtype=np.float32)


def models(rng):
    """Layers of very different magnitude, and of enough weights to meet every level."""
    made = [dense_model(rng, 16, 20, 14, 10), conv_model(rng)]
    for model in made:
        for layer, factor in zip(weighted(model), (1.0, 30.0, 0.01), strict=True):
            layer.weight *= np.float32(factor)
    return made


def units_first(layer):
    """(units, weights of one unit): a row for each Dense column and each Conv2D kernel."""
    weight = layer.weight.astype(np.float64)
    return weight.reshape(len(weight), -1) if isinstance(layer, Conv2D) else weight.T


def on_grid(levels, largest, steps):
    """Whether all `levels` are whole multiples of `largest` divided by some number of steps."""
    for n in range(1, steps + 1):
        multiples = levels * n / largest
        if (np.abs(multiples - np.rint(multiples)) < 0.01).all():
            return True
    return not levels.any()


def check_close(after, before, step, idea):
    """Within half a step, up to rounding; rows are quantized together, each at its own step."""
    error = np.abs(after - before).max(axis=1)
    assert (error <= step / 2 + FEW_STEPS * np.abs(before).max(axis=1)).all(), idea


def affine_step(weight, bits):
    span = max(float(weight.max()), 0.0) - min(float(weight.min()), 0.0)
    return span if bits == 1 else span / (2**bits - 2)


def check_affine_layers(before, after, bits):
    for old, new in zip(weighted(before), weighted(after), strict=True):
        levels = np.unique(new.weight.astype(np.float64))
        assert levels.size <= 2**bits, "a layer has 2**bits different weights at most"
        span = max(levels[-1], 0.0) - min(levels[0], 0.0)
        assert bits > 4 or on_grid(levels, span, 2**bits - 1), (
            "the weights of a layer must lie on the levels of one affine quantizer, 0 among them: whole "
            "multiples of one scale"
        )
        old_row, new_row = (layer.weight.astype(np.float64).reshape(1, -1) for layer in (old, new))
        check_close(
            new_row, old_row, affine_step(old_row, bits),
            "each layer is quantized by itself: its weights must come back within half of its own scale",
        )  # fmt: skip


@pytest.mark.grades("quantize_model")
def test_model_affine_puts_each_layer_on_levels_of_its_own(submission, rng):
    for bits in (1, 2, 3, 4, 8, 12, 16):
        for model in models(rng):
            check_affine_layers(model, quantized(submission, model, bits, "affine"), bits)


@pytest.mark.grades("quantize_model")
def test_model_scheme_is_affine_by_default(submission, rng):
    for bits in (2, 3):
        for model in models(rng):
            check_affine_layers(model, quantized(submission, model, bits), bits)


def check_symmetric_layers(before, after, bits):
    for old, new in zip(weighted(before), weighted(after), strict=True):
        old_rows, new_rows = units_first(old), units_first(new)
        steps = np.abs(old_rows).max(axis=1) / (2 ** (bits - 1) - 1)
        check_close(
            new_rows, old_rows, steps,
            "scheme symmetric has one scale for each output unit, a Dense column or a Conv2D kernel: its "
            "weights must come back within half of that scale",
        )  # fmt: skip
        assert bits > 4 or all(on_grid(row, np.abs(row).max(), 2 ** (bits - 1) - 1) for row in new_rows), (
            "the weights of a unit must be whole multiples of its scale, with the same range on both sides "
            "of 0"
        )


def with_uneven_units(model, rng):
    uneven = model.copy()
    for layer in weighted(uneven):
        units = layer.bias.size
        factors = (2.0 ** rng.uniform(-6, 6, units)).astype(np.float32)
        layer.weight = layer.weight * factors.reshape((-1, 1, 1, 1) if layer.weight.ndim == 4 else (1, -1))
    return uneven


@pytest.mark.grades("quantize_model")
def test_model_symmetric_has_a_scale_for_each_dense_column(submission, rng):
    for bits in (2, 3, 4, 8, 16):
        model = with_uneven_units(dense_model(rng, 40, 40, 10), rng)
        check_symmetric_layers(model, quantized(submission, model, bits, "symmetric"), bits)


@pytest.mark.grades("quantize_model")
def test_model_symmetric_has_a_scale_for_each_kernel(submission, rng):
    for bits in (2, 3, 4, 8, 16):
        model = with_uneven_units(conv_model(rng), rng)
        check_symmetric_layers(model, quantized(submission, model, bits, "symmetric"), bits)


def own_codebook_error(submission, weight, bits):
    """Squared error of the submission's own kmeans_codebook; infinite where it is none."""
    try:
        indices, centroids = submission.call("kmeans_codebook", weight, bits)
        indices = expect.an_array(indices, "indices", weight.shape, "iu").astype(np.int64)
        centroids = expect.an_array(centroids, "codebook", kind="f").ravel()
        return float(((np.take(centroids, indices) - weight.astype(np.float64)) ** 2).sum())
    except (SubmissionError, AssertionError, TypeError, ValueError, IndexError):
        return np.inf


@pytest.mark.grades("quantize_model")
def test_model_kmeans_has_a_codebook_for_each_layer(submission, rng):
    for bits in (1, 2, 4, 6, 8):
        for model in models(rng):
            for layer in weighted(model):  # one large weight: affine levels serve the others badly
                layer.weight.flat[rng.integers(layer.weight.size)] = 8 * np.abs(layer.weight).max()
            after = quantized(submission, model, bits, "kmeans")
            for old, new in zip(weighted(model), weighted(after), strict=True):
                assert np.unique(new.weight).size <= 2**bits, (
                    "with scheme kmeans a layer has at most 2**bits different weights: the values of its "
                    "codebook"
                )
                error = float(((new.weight.astype(np.float64) - old.weight) ** 2).sum())
                rounding = old.weight.size * (FEW_STEPS * float(np.abs(old.weight).max())) ** 2
                worst = old.weight.size * affine_step(old.weight, bits) ** 2 / 4
                if bits == 4:  # its own codebook, or one of another start; affine levels do far worse here
                    worst = min(worst, 3 * own_codebook_error(submission, old.weight, bits))
                assert error <= worst + rounding, (
                    "with scheme kmeans each layer's weights become the centroids of its own kmeans_codebook"
                )


@pytest.mark.grades("quantize_model")
def test_model_keeps_zeros_of_pruning(submission, rng):
    for scheme, (low, high) in SCHEMES.items():
        for bits in (low, 3, high):
            for model in models(rng):
                for layer in weighted(model):
                    layer.weight[rng.random(layer.weight.shape) < 0.6] = 0
                after = quantized(submission, model, bits, scheme)
                for old, new in zip(weighted(model), weighted(after), strict=True):
                    assert not new.weight[old.weight == 0].any(), (
                        "weights that were pruned to zero must still be exactly zero after quantizing"
                    )


@pytest.mark.grades("quantize_model")
def test_model_keeps_its_biases(submission, rng):
    for scheme in SCHEMES:
        for model in models(rng):
            after = quantized(submission, model, int(rng.integers(2, 6)), scheme)
            for old, new in zip(weighted(model), weighted(after), strict=True):
                assert np.array_equal(old.bias, new.bias), "biases are not quantized: each stays as it was"


@pytest.mark.grades("quantize_model")
def test_model_quantized_is_a_new_model_of_float32(submission, rng):
    for scheme in SCHEMES:
        for model in models(rng):
            call = submission.inspect("quantize_model", model, int(rng.integers(2, 6)), scheme)
            value = expect.unaliased(call, "quantize_model")
            expect.a_model(value, "the quantized model", like=model, dtype=np.float32)


@pytest.mark.grades("quantize_model")
def test_model_quantizer_remembers_nothing(submission, rng):
    first, second = models(rng)[0], models(rng)[0]
    for model, bits in ((first, 3), (second, 3), (first, 2), (first, 3)):
        check_affine_layers(model, quantized(submission, model, bits, "affine"), bits)


@pytest.mark.grades("quantize_model")
def test_model_refuses_bits_outside_the_range_of_the_scheme(submission, rng):
    model = dense_model(rng, 5, 6, 10)
    for scheme, (low, high) in SCHEMES.items():
        for bad in (low - 1, high + 1, -3, 32):
            expect.rejects(
                submission, "quantize_model", model, bad, scheme, names="bits", got=bad, needs=expect.A_RANGE
            )


@pytest.mark.grades("quantize_model")
def test_model_refuses_an_unknown_scheme(submission, rng):
    model = dense_model(rng, 5, 6, 10)
    for bad in ("log", "ternary"):
        expect.rejects(
            submission, "quantize_model", model, 4, bad, names="scheme", got=bad, needs=tuple(SCHEMES)
        )


@pytest.mark.grades("quantize_model")
def test_model_refuses_nan_in_any_layer(submission, rng):
    for scheme in SCHEMES:
        for plain in models(rng):
            for index in range(len(weighted(plain))):
                model = plain.copy()
                weight = weighted(model)[index].weight
                weight.flat[rng.integers(weight.size)] = np.nan
                names = ("weight", "model")
                expect.rejects_nan(submission, "quantize_model", model, 4, scheme, names=names)

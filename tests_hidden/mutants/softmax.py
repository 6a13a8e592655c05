"""Wrong versions of `softmax`."""

from __future__ import annotations

import numpy as np

from tests_hidden.mutants import right, wrong


@wrong("multiplies by the temperature", killed_by="test_softmax_is_flatter_at_a_higher_temperature")
def multiplies_by_the_temperature(logits, temperature=1.0):
    return right.softmax(logits * np.float32(temperature))


@wrong("ignores the temperature", killed_by="test_softmax_is_flatter_at_a_higher_temperature")
def ignores_the_temperature(logits, temperature=1.0):
    return right.softmax(logits)


@wrong(
    "divides the probabilities by the temperature, not the logits",
    killed_by="test_softmax_values_at_several_temperatures",
)
def divides_the_probabilities(logits, temperature=1.0):
    p = right.softmax(logits) / temperature
    return p / p.sum(axis=1, keepdims=True)


@wrong("applies the temperature twice", killed_by="test_softmax_values_at_several_temperatures")
def squares_the_temperature(logits, temperature=1.0):
    return right.softmax(logits, temperature**2)


@wrong(
    "overflows: the largest logit is not subtracted",
    killed_by="test_softmax_of_huge_logits_is_finite_and_right",
)
def overflows(logits, temperature=1.0):
    e = np.exp(logits / np.float32(temperature))
    return e / e.sum(axis=1, keepdims=True)


@wrong(
    "subtracts the largest logit of the whole batch",
    killed_by="test_softmax_of_huge_logits_is_finite_and_right",
)
def takes_off_one_maximum(logits, temperature=1.0):
    e = np.exp((logits - logits.max()) / np.float32(temperature))
    return e / e.sum(axis=1, keepdims=True)


@wrong(
    "subtracts the row's mean, which still overflows",
    killed_by="test_softmax_of_huge_logits_is_finite_and_right",
)
def takes_off_the_mean(logits, temperature=1.0):
    e = np.exp((logits - logits.mean(axis=1, keepdims=True)) / np.float32(temperature))
    return e / e.sum(axis=1, keepdims=True)


@wrong("clips the logits to +-40 against overflow", killed_by="test_softmax_ignores_a_shift_of_a_row")
def clips_the_logits(logits, temperature=1.0):
    e = np.exp(np.clip(logits / np.float32(temperature), -40, 40))
    return e / e.sum(axis=1, keepdims=True)


@wrong("clips the logits to +-700, as far as exp goes", killed_by="test_softmax_ignores_a_shift_of_a_row")
def clips_where_exp_overflows(logits, temperature=1.0):
    e = np.exp(np.clip(logits.astype(np.float64) / temperature, -700, 700))
    return e / e.sum(axis=1, keepdims=True)


@wrong("turns NaN into 0 after an overflow", killed_by="test_softmax_of_huge_logits_is_finite_and_right")
def hides_the_overflow(logits, temperature=1.0):
    e = np.exp(logits.astype(np.float64) / temperature)
    return np.nan_to_num(e / e.sum(axis=1, keepdims=True))


@wrong(
    "sums over the batch instead of the classes", killed_by="test_softmax_rows_are_distributions_in_any_batch"
)
def normalises_the_columns(logits, temperature=1.0):
    return right.softmax(logits.T, temperature).T


@wrong("sums over the whole batch", killed_by="test_softmax_of_an_image_does_not_depend_on_the_others")
def normalises_the_whole_batch(logits, temperature=1.0):
    e = np.exp((logits - logits.max(axis=1, keepdims=True)) / np.float32(temperature))
    return e / e.sum()


@wrong(
    "divides by the sum of the logits, without the exponential",
    killed_by="test_softmax_values_at_several_temperatures",
)
def forgets_the_exponential(logits, temperature=1.0):
    positive = logits - logits.min(axis=1, keepdims=True)
    return positive / (positive.sum(axis=1, keepdims=True) + np.float32(1e-9))


@wrong("returns the logarithms", killed_by="test_softmax_rows_are_distributions_in_any_batch")
def returns_logarithms(logits, temperature=1.0):
    return np.log(right.softmax(logits, temperature) + np.float32(1e-30))


@wrong("adds a constant to the denominator", killed_by="test_softmax_values_at_several_temperatures")
def pads_the_denominator(logits, temperature=1.0):
    e = np.exp((logits - logits.max(axis=1, keepdims=True)) / np.float32(temperature))
    return e / (e.sum(axis=1, keepdims=True) + np.float32(1e-3))


@wrong("uses temperature 3 unless told otherwise", killed_by="test_softmax_without_a_temperature_uses_one")
def starts_from_another_temperature(logits, temperature=3.0):
    return right.softmax(logits, temperature)


@wrong("works in place and spoils the logits", killed_by="test_softmax_leaves_the_logits_alone")
def works_in_place(logits, temperature=1.0):
    logits -= logits.max(axis=1, keepdims=True)
    return right.softmax(logits, temperature)

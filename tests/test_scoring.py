"""The score formula, against values worked by hand."""

from __future__ import annotations

import math

import pytest

from assignment import scoring
from assignment.scoring import accuracy_per_kib, score
from grader.rules import read_rules

REFERENCE = {"reference_accuracy": 98.0, "reference_bytes": 2.0**20}


@pytest.mark.parametrize(
    ("accuracy_percent", "size_bytes", "expected"),
    [
        (98.0, 2**20, 0.0),  # not halved at all: 1 * log2(1)
        (98.0, 2**13, 7.0),  # all accuracy kept, halved 20 - 13 = 7 times
        (94.0, 2**13, 3.5),  # half way from 90 to 98: q = 4 / 8
        (96.0, 2**12, 6.0),  # q = 6 / 8, halved 8 times
        (98.4, 2**10, 10.5),  # better than the reference: q = 8.4 / 8 = 1.05, halved 10 times
        (98.8, 2**10, 11.0),  # q = 8.8 / 8 = 1.1, the most there is
        (100.0, 2**10, 11.0),  # q would be 1.25
        (90.0, 2**10, 0.0),  # the floor itself
        (11.35, 8, 0.0),  # "always 1" in a few bytes
    ],
)
def test_score_is_accuracy_kept_times_halvings(accuracy_percent, size_bytes, expected):
    assert score(accuracy_percent, size_bytes, **REFERENCE) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("size_bytes", [0, 1, 63, 64])
def test_bytes_count_as_at_least_64(size_bytes):
    assert score(98.0, size_bytes, **REFERENCE) == 14.0  # log2(2**20 / 2**6)


def test_size_above_64_counts_exactly():
    assert score(98.0, 65, **REFERENCE) == pytest.approx(20 - math.log2(65))


def test_bigger_than_reference_scores_below_zero():
    assert score(98.0, 2**21, **REFERENCE) == -1.0


def test_zero_is_plain_zero_under_the_floor_at_any_size():
    assert math.copysign(1.0, score(80.0, 2**21, **REFERENCE)) == 1.0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"accuracy_percent": math.nan}, "accuracy_percent"),
        ({"accuracy_percent": -0.1}, "accuracy_percent"),
        ({"accuracy_percent": 100.1}, "accuracy_percent"),
        ({"size_bytes": -1}, "size_bytes"),
        ({"size_bytes": math.nan}, "size_bytes"),
        ({"size_bytes": math.inf}, "size_bytes"),
        ({"reference_accuracy": 90.0}, "reference_accuracy"),
        ({"reference_accuracy": 101.0}, "reference_accuracy"),
        ({"reference_accuracy": math.nan}, "reference_accuracy"),
        ({"reference_bytes": 0}, "reference_bytes"),
    ],
)
def test_values_without_meaning_are_refused_by_name(change, named):
    arguments = {"accuracy_percent": 98.0, "size_bytes": 1000, **REFERENCE, **change}
    with pytest.raises(ValueError, match=named):
        score(**arguments)


def test_accuracy_per_kib_divides_percent_by_kib():
    assert accuracy_per_kib(98.0, 2048) == 49.0
    assert accuracy_per_kib(11.35, 8) == pytest.approx(1452.8)  # 11.35 * 128: why it does not rank


@pytest.mark.parametrize("size_bytes", [0, -5, math.nan])
def test_accuracy_per_kib_needs_a_size(size_bytes):
    with pytest.raises(ValueError, match="size_bytes"):
        accuracy_per_kib(98.0, size_bytes)


def test_students_are_told_the_rules_that_the_grader_keeps():
    """`assignment` may not read the grader's file, so the numbers stand in both; they must be the same."""
    rules = read_rules().competition
    assert (rules.budget_bytes, rules.cpu_seconds) == (scoring.BUDGET_BYTES, scoring.CPU_SECONDS)
    assert rules.reference_accuracy_percent == scoring.REFERENCE_ACCURACY_PERCENT
    assert rules.reference_bytes == scoring.REFERENCE_BYTES

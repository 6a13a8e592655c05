"""What a student reads when a hidden test fails: which known mistake gives the same answer, and no more."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from assignment.nn import Dense, Sequential
from assignment.seam import flatten
from tests.grading import run_grader
from tests_hidden.diagnosis import Recorder, misconception, mistakes
from tests_hidden.mutants import FUNCTIONS, REFERENCE, bank

WEIGHTS = np.array([[0.5, -0.5, 0.25], [1.0, 0.5, -2.0]], np.float32)


def asked(function, value, *arguments):
    recorder = Recorder(function)
    recorder(function, flatten([list(arguments), {}]), value)
    return recorder.asked


def test_a_percentile_threshold_is_recognised_where_values_tie():
    weights = np.array([[1, 1, 1, 2, 3], [0.5, 1, 1, 4, 5]], np.float32)
    mask = np.abs(weights) > np.percentile(np.abs(weights), 50)
    pinned = next(each for each in bank() if each.name == "percentile" and each.function == "magnitude_mask")
    named = misconception("magnitude_mask", pinned.killed_by, asked("magnitude_mask", mask, weights, 0.5))
    assert named == pinned.misconception


def test_a_right_answer_is_no_mistake():
    mask = np.array([[True, True, False], [True, False, True]])
    assert misconception("magnitude_mask", "any_test", asked("magnitude_mask", mask, WEIGHTS, 1 / 3)) is None


def test_an_answer_of_its_own_is_no_known_mistake():
    model = Sequential([Dense(3, 2)])
    assert (
        misconception(
            "count_parameters",
            "test_count_has_every_weight_and_bias_of_dense_layers",
            asked("count_parameters", 12345, model),
        )
        is None
    )


def test_all_of_the_last_answers_must_be_that_mistakes():
    mutant = next(each for each in bank() if each.function == "count_parameters")
    wrong = getattr(mistakes("count_parameters"), mutant.name)
    model = Sequential([Dense(3, 2), Dense(2, 4)])
    one = list(asked("count_parameters", wrong(model), model))
    assert misconception("count_parameters", mutant.killed_by, one) == mutant.misconception
    assert misconception("count_parameters", "another_test", one) is None
    assert (
        misconception("count_parameters", mutant.killed_by, [*one, *asked("count_parameters", 12345, model)])
        is None
    )


def test_a_wrong_solution_reads_its_own_mistake_in_the_grade(tmp_path):
    """Across the process boundary, by the real command, with no input and no expected value in the reason."""
    mutant = next(
        each for each in bank() if each.function == "softmax" and each.name == "ignores_the_temperature"
    )
    (tmp_path / "compression.py").write_text(mutant.source())
    done = run_grader(
        "grade",
        tmp_path / "compression.py",
        "--out",
        tmp_path,
        "--tests",
        "hidden",
        "--no-compete",
        "--seed",
        1,
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(next(tmp_path.rglob("result.json")).read_text())
    reasons = [test["reason"] for test in record["tests"] if test["function"] == "softmax" and test["reason"]]
    assert any(
        f"(your answer matches a known mistake: {mutant.misconception})" in reason for reason in reasons
    )
    assert not any(re.search(r"array\(|\d\.\d{3}", reason) for reason in reasons)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_mistake_reads_as_one(function):
    """It stands in a sentence after a colon, so it is short and does not end like one."""
    for mutant in bank():
        if mutant.function == function:
            assert 5 <= len(mutant.misconception) <= 110, mutant.misconception
            assert not mutant.misconception.endswith("."), mutant.misconception


def test_the_reference_is_still_what_mutants_are_made_from():
    assert all(mutant.source().startswith(REFERENCE.read_text()) for mutant in bank()[:3])

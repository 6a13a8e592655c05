"""Part 6, public: what any entry of the competition must do, on small data that are like MNIST.

How good an entry is, `python -m assignment score` measures on MNIST itself. Here `compress` runs once;
its three tests look at the same result.
"""

from __future__ import annotations

import numpy as np
import pytest

from assignment.seam import SubmissionError
from tests_public import expect
from tests_public.pictures import problem

NAME = "what compress returns"
BUDGET = 30_000  # the competition's is 16,384: a recipe looks at the budget it is given, whatever it is


@pytest.fixture(scope="module")
def shared():
    """What the tests of this file have in common."""
    return {}


def entry(submission, shared):
    """The call of `compress`, made once, and new pictures. Its failure is the failure of each test."""
    if not shared:
        model, data, shared["new"] = problem(np.random.default_rng(6))
        try:
            shared["call"] = submission.inspect("compress", model, data, BUDGET, seed=1)
        except SubmissionError as error:
            shared["error"] = error
    if "error" in shared:
        raise shared["error"]
    return shared["call"], shared["new"]


def packed(call, shared):
    """The file, made once."""
    model = expect.a_model(call.value, NAME)
    if "file" not in shared:
        shared["file"] = expect.packed(model, NAME)
    return shared["file"]


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_packed_size_is_within_the_budget(submission, shared):
    size = len(packed(entry(submission, shared)[0], shared))
    assert size <= BUDGET, (
        f"the budget was {BUDGET} bytes, and the model packs to {size}: measure it as the grader does, with "
        "len(pack(model)), and prune or quantize further until it fits"
    )


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_compressed_model_still_knows_the_classes(submission, shared):
    call, new = entry(submission, shared)
    packed(call, shared)  # only a model that packs has shapes that fit each other
    accuracy = expect.accuracy(call.value, new, NAME)
    assert accuracy >= 0.5, (
        f"on new pictures of the ten classes the compressed model is right in {100 * accuracy:.1f} % of "
        "cases (guessing: 10 %), and the model it came from nearly always: what did it lose on the way?"
    )


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_compress_leaves_model_and_data_alone(submission, shared):
    call, new = entry(submission, shared)
    expect.unaliased(call, "compress")
    fits = len(packed(call, shared)) <= BUDGET
    assert fits, "compress must return a model that fits its budget, and this one does not"
    knows = expect.accuracy(call.value, new, NAME) >= 0.5
    assert knows, "compress must return a model that still knows the classes, and this one does not"

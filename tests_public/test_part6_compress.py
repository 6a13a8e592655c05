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


def weighed(submission, shared):
    """The bytes of the file, and the share of new pictures that the model in it gets right; found out once."""
    call, new = entry(submission, shared)
    model = expect.a_model(call.value, NAME)
    if "weighed" not in shared:
        shared["weighed"] = expect.weighed(submission, model, new, NAME)
    return shared["weighed"]


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_packed_size_is_within_the_budget(submission, shared):
    size, accuracy = weighed(submission, shared)
    assert size <= BUDGET, (
        f"the budget was {BUDGET} bytes, and the model packs to {size}: measure it as the grader does, with "
        "len(pack(model)), and prune or quantize further until it fits"
    )
    assert accuracy >= 0.12, (
        "a model that knows nothing always fits: this one gives the same answer for nearly all images"
    )


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_compressed_model_still_knows_the_classes(submission, shared):
    _, accuracy = weighed(submission, shared)
    assert accuracy >= 0.5, (
        f"on new pictures of the ten classes the compressed model is right in {100 * accuracy:.1f} % of "
        "cases (guessing: 10 %), but the model it came from nearly always: what did it lose on the way?"
    )


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_compress_leaves_model_and_data_alone(submission, shared):
    call, _ = entry(submission, shared)
    expect.unaliased(call, "compress")
    size, accuracy = weighed(submission, shared)
    assert size <= BUDGET, "compress must return a model that fits its budget, but this one does not"
    assert accuracy >= 0.5, "compress must return a model that still knows the classes, but this one does not"

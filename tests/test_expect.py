"""What the tests' own checks let through, where a whole submission would be too much to show it."""

from __future__ import annotations

import numpy as np
import pytest

from assignment.nn import Dense, Sequential
from assignment.submission import LocalSubmission
from tests_public import expect
from tests_public.test_part3_quantization import shown

HEAD = "import numpy as np\ndef magnitude_mask(weights, sparsity):\n"
REFUSAL = "raise ValueError(f'weights hold nan, or sparsity is not between 0 and 1, got {sparsity}')\n"


@pytest.fixture
def made(tmp_path):
    def made(body: str) -> LocalSubmission:
        path = tmp_path / "compression.py"
        path.write_text(HEAD + body)
        return LocalSubmission(path)

    return made


def refusals(submission):
    weights = np.array([1.0, np.nan], np.float32)
    yield lambda: expect.rejects(
        submission, "magnitude_mask", np.ones(3, np.float32), 1.5, names="sparsity", got=1.5
    )
    yield lambda: expect.rejects_nan(submission, "magnitude_mask", weights, 0.5, names="weight")


def test_who_refuses_everything_has_refused_nothing(made):
    for refusal in refusals(made("  " + REFUSAL)):
        with pytest.raises(AssertionError, match="and accept a good one"):
            refusal()


def test_who_refuses_the_bad_and_takes_the_good_has_refused(made):
    for refusal in refusals(made(f"  if np.isnan(weights).any() or not 0 <= sparsity <= 1: {REFUSAL}")):
        refusal()


@pytest.mark.parametrize(
    "check",
    [
        lambda: expect.an_array([0] * 31337, "x"),
        lambda: expect.an_array(np.zeros((0, 31337)), "x", (3,), shape_of="y"),
        lambda: expect.a_number(np.zeros((0, 31337)), "x"),
        lambda: expect.a_whole_number((0,) * 31337, "x"),
        lambda: expect.a_tuple([0] * 31337, "x", 2),
        lambda: expect.a_list([0] * 31337, "x", 2),
        lambda: expect.a_model(Sequential([Dense.from_arrays(np.zeros((0, 3)), np.zeros(31337))]), "x"),
        lambda: expect.a_model(Sequential([Dense(3, 31337)]), "x", like=Sequential([Dense(3, 4)])),
    ],
)
def test_the_first_line_tells_no_size_of_what_came_back(check):
    with pytest.raises(AssertionError) as caught:
        check()
    assert "31337" in str(caught.value)
    assert "31337" not in str(caught.value).partition("\n")[0]


def test_a_sentence_shows_a_few_numbers_of_millions():
    """All of them as text would take the grader seconds and hundreds of megabytes."""
    assert shown(np.ones((100, 100))) == [1.0] * 64
    assert shown(np.ones((2, 2))) == [[1.0, 1.0], [1.0, 1.0]]

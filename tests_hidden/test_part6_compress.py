"""Part 6, hidden: whatever the recipe, the file fits the budget and still knows what it was taught.

`compress` runs three times: twice with the same arguments under a small budget, once under a large one.
The tests share these calls; a call that fails fails each test that looks at it. The pictures are new in
each run, so that nothing learned beforehand helps. The contract sets no accuracy: half the cases, where
the model given is right nearly always and guessing in a tenth, is what pruning alone, without any
retraining, stays above.
"""

from __future__ import annotations

import numpy as np
import pytest

from assignment.seam import SubmissionError
from tests_public import expect
from tests_public.pictures import problem

NAME = "what compress returns"
LEAST_ACCURACY = 0.5


class Calls:
    """The calls of `compress`, each made when a test first asks for it."""

    def __init__(self):
        self.problem = None
        self.results = {}
        self.files = {}

    def prepare(self, rng):
        if self.problem is None:
            self.problem = problem(rng)
            self.seed = int(rng.integers(1000))
            # From 8,192 bytes, the least there is, and well above the competition's 16,384.
            self.budgets = {
                "small": int(rng.integers(8192, 9000)),
                "large": int(rng.integers(20_000, 60_000)),
            }

    def result(self, submission, which, budget):
        """What `inspect` says of a call; one that failed fails again."""
        if which not in self.results:
            model, data, _ = self.problem
            try:
                call = submission.inspect("compress", model, data, self.budgets[budget], seed=self.seed)
            except SubmissionError as error:
                call = error
            self.results[which] = call
        if isinstance(self.results[which], SubmissionError):
            raise self.results[which]
        return self.results[which]

    def file(self, submission, which, budget):
        """What a call returned, packed (once, as this takes a while)."""
        model = expect.a_model(self.result(submission, which, budget).value, NAME)
        if which not in self.files:
            self.files[which] = expect.packed(model, NAME)
        return self.files[which]


@pytest.fixture(scope="module")
def shared():
    return Calls()


@pytest.fixture
def calls(shared, rng):
    shared.prepare(rng)
    return shared


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_file_fits_the_smallest_budgets(submission, calls):
    size = len(calls.file(submission, "first", "small"))
    assert size <= calls.budgets["small"], (
        "the packed model must fit the budget that compress is given, small ones too: measure "
        "len(pack(model)) and go on until it fits"
    )


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_file_fits_a_large_budget(submission, calls):
    size = len(calls.file(submission, "roomy", "large"))
    assert size <= calls.budgets["large"], (
        "the packed model must fit any budget that compress is given, also one above the competition's"
    )


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_compressed_model_knows_new_pictures(submission, calls):
    for which, budget in (("first", "small"), ("roomy", "large")):
        calls.file(submission, which, budget)  # only a model that packs has shapes that fit each other
        model = calls.result(submission, which, budget).value
        accuracy = expect.accuracy(model, calls.problem[2], NAME)
        assert accuracy >= LEAST_ACCURACY, (
            "the compressed model must still tell most pictures of the classes apart which the model it came "
            f"from knows: it is right in {100 * accuracy:.0f} % of cases"
        )


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_compress_with_the_same_seed_gives_the_same_model(submission, calls):
    one, other = (
        expect.a_model(calls.result(submission, which, "small").value, NAME) for which in ("first", "second")
    )
    assert [repr(layer) for layer in one.layers] == [repr(layer) for layer in other.layers], (
        "the same seed and arguments must give the same layers"
    )
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs), (
        "the same seed and arguments must give identical arrays: no clock, no unseeded generator"
    )


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_compress_leaves_its_arguments(submission, calls):
    for which, budget in (("first", "small"), ("roomy", "large")):
        call = calls.result(submission, which, budget)
        expect.a_model(expect.unaliased(call, "compress"), NAME)

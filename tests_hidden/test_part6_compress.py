"""Part 6, hidden: whatever the recipe, the file fits the budget and still knows what it was taught.

`compress` runs three times: under a large budget, then twice with the same arguments under a small one, so
that what it remembers of the large one is too much. The tests share these calls; a call that fails fails
each test that looks at it, and models that are over budget or know nothing earn nothing for being the
same twice. The pictures are new in each run, so that nothing learned beforehand helps.

The contract sets no accuracy. Under the large budget half the cases are asked for, where the model given
is right nearly always and guessing in a tenth: pruning and rounding alone, without any retraining, stay
above. Under the small one they may lose nearly everything, and it is only more than one answer to all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from assignment.nn import Sequential
from assignment.seam import SubmissionError
from tests_public import expect
from tests_public.pictures import problem

NAME = "what compress returns"
LEAST_ACCURACY = {"small": 0.12, "large": 0.5}
SEEDS = {"roomy": {"seed": 7}, "first": {"seed": 0}, "second": {}}  # left out, it is the signature's 0
UNFIT = "compress must return a model that fits its budget and still knows the classes, but this one does not"


@dataclass(frozen=True)
class Entry:
    """What a call returned, its packed size and its accuracy; it counts where both will do."""

    model: Sequential
    size: int
    accuracy: float
    counts: bool


class Calls:
    """The calls of `compress`, each made when a test first asks for it."""

    def __init__(self):
        self.problem = None
        self.results = {}
        self.measured = {}

    def prepare(self, rng):
        if self.problem is None:
            self.problem = problem(rng, train=4000)
            # From 8,192 bytes, the least there is, and well above the competition's 16,384.
            self.budgets = {
                "small": int(rng.integers(8192, 9000)),
                "large": int(rng.integers(30_000, 60_000)),
            }

    def result(self, submission, which, budget):
        """What `inspect` says of a call; one that failed fails again."""
        if which not in self.results:
            model, data, _ = self.problem
            try:
                call = submission.inspect("compress", model, data, self.budgets[budget], **SEEDS[which])
            except SubmissionError as error:
                call = error
            self.results[which] = call
        if isinstance(self.results[which], SubmissionError):
            raise self.results[which]
        return self.results[which]

    def entry(self, submission, which, budget):
        """The model of a call, and its size: a model that packs and gives ten logits."""
        model = expect.a_model(self.result(submission, which, budget).value, NAME)
        if which not in self.measured:
            self.measured[which] = expect.weighed(submission, model, self.problem[2], NAME)
        size, accuracy = self.measured[which]
        counts = size <= self.budgets[budget] and accuracy >= LEAST_ACCURACY[budget]
        return Entry(model, size, accuracy, counts)

    def both_count(self, submission):
        """Whether compress does what it is for, under either budget."""
        entries = [self.entry(submission, "roomy", "large"), self.entry(submission, "first", "small")]
        return all(entry.counts for entry in entries)


@pytest.fixture(scope="module")
def shared():
    return Calls()


@pytest.fixture
def calls(shared, rng):
    shared.prepare(rng)
    return shared


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_file_fits_a_large_budget(submission, calls):
    entry = calls.entry(submission, "roomy", "large")
    assert entry.size <= calls.budgets["large"], (
        "the packed model must fit any budget that compress is given, also one above the competition's"
    )
    assert entry.accuracy >= LEAST_ACCURACY["small"], UNFIT


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_file_fits_the_smallest_budgets(submission, calls):
    entry = calls.entry(submission, "first", "small")
    assert entry.size <= calls.budgets["small"], (
        "the packed model must fit the budget that compress is given, small ones too: measure "
        "len(pack(model)) and go on until it fits"
    )
    assert entry.accuracy >= LEAST_ACCURACY["small"], UNFIT


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_compressed_model_knows_new_pictures(submission, calls):
    for which, budget in (("roomy", "large"), ("first", "small")):
        accuracy = calls.entry(submission, which, budget).accuracy
        assert accuracy >= LEAST_ACCURACY[budget], (
            "the compressed model must still recognise most of the new pictures that the model it came from "
            f"recognises\n(it is right in {100 * accuracy:.0f} % of cases)"
        )


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_compress_with_the_same_seed_gives_the_same_model(submission, calls):
    assert calls.both_count(submission), UNFIT
    one = calls.entry(submission, "first", "small").model
    other = expect.a_model(calls.result(submission, "second", "small").value, NAME)
    assert [repr(layer) for layer in one.layers] == [repr(layer) for layer in other.layers], (
        "the same seed and arguments must give the same layers, also where seed is left out (it is then 0)"
    )
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs), (
        "the same seed and arguments must give identical arrays, also where seed is left out (it is then "
        "0): use no clock and no unseeded generator"
    )


@pytest.mark.grades("compress")
@pytest.mark.deadline(120)
def test_compress_leaves_its_arguments(submission, calls):
    expect.unaliased(calls.result(submission, "first", "small"), "compress")
    expect.unaliased(calls.result(submission, "roomy", "large"), "compress")
    assert calls.both_count(submission), UNFIT

"""The competition run, on a class small enough to compress in a moment."""

from __future__ import annotations

import base64
import dataclasses
import hashlib

import numpy as np
import pytest

from assignment.artifact import pack
from assignment.data import Mnist
from assignment.nn import Dataset, Dense, Flatten, ReLU, Reshape, Sequential, fit
from assignment.scoring import score
from assignment.seam import Submission
from grader import GraderError
from grader.compete import compete, locked
from grader.log import nowhere
from grader.measured import Entry, Measured, WeighedSubmission, entry, measure, packed, part_of
from grader.remote import room_for
from grader.rules import read_rules
from grader.sandbox import NoSandbox

RULES = read_rules()
QUICK = dataclasses.replace(
    RULES,
    competition=dataclasses.replace(RULES.competition, cpu_seconds=2, pack_cpu_seconds=20),
)


def dataset(n: int, seed: int) -> Dataset:
    """Images that say their label plainly: a bright stripe of 78 pixels."""
    labels = np.random.default_rng(seed).integers(0, 10, n)
    images = np.random.default_rng(seed).random((n, 784), dtype=np.float32) * np.float32(0.1)
    for image, label in zip(images, labels, strict=True):
        image[78 * label : 78 * label + 78] += np.float32(0.8)
    return Dataset(images, labels)


@pytest.fixture(scope="module")
def mnist() -> Mnist:
    return Mnist(dataset(300, 0), dataset(50, 1), dataset(101, 2), "mnist")


@pytest.fixture(scope="module")
def shared(mnist) -> Sequential:
    model = Sequential([Dense(784, 12), ReLU(), Dense(12, 10)])
    fit(model, mnist.train, epochs=8, batch_size=32)
    return model


@pytest.fixture
def run(tmp_path, mnist, shared):
    def run(source: str, rules=QUICK) -> Entry:
        with room_for(source.encode()) as room, nowhere() as sink:
            return compete(room, shared, mnist, rules, NoSandbox(), tmp_path / "model.fw", sink=sink)

    return run


SMALLER = """
import time
import numpy as np
def compress(model, data, budget_bytes, seed=0):
    new = model.copy()
    start = time.process_time()
    while time.process_time() - start < 0.05: pass
    for layer in new.layers[::2]:
        step = np.abs(layer.weight).max() / 7
        layer.weight = (np.round(layer.weight / step) * step).astype(np.float32)
    return new
"""


def test_the_score_is_about_the_file(run, tmp_path, mnist):
    found = run(SMALLER)
    content = (tmp_path / "model.fw").read_bytes()
    assert found.bytes == len(content) < 10_000
    assert found.artifact_sha256 == hashlib.sha256(content).hexdigest()
    assert found.accuracy_percent > 95
    assert (
        found.accuracy_percent
        == measure(content, part_of(mnist.test, "public"), QUICK, NoSandbox()).accuracy_percent
    )
    assert found.score == score(found.accuracy_percent, found.bytes, 98.40, 1066440)
    assert (found.ranked, found.flags, found.division, found.split) == (True, [], "mlp", "public")
    assert found.cpu_seconds >= 0.05
    assert found.second_artifact_sha256 == found.artifact_sha256


def test_a_model_built_to_be_slow_takes_none_of_the_graders_own_time():
    """Few values, too many to list, at the most parameters that a file takes: minutes of packing."""
    rng = np.random.default_rng(0)
    some = rng.standard_normal(30_000).astype(np.float32)
    wide = Dense.from_arrays(rng.choice(some, (784, 5000)), np.zeros(5000, np.float32))
    model = Sequential([wide, ReLU(), Dense(5000, 10)])
    rules = dataclasses.replace(RULES, competition=dataclasses.replace(RULES.competition, pack_cpu_seconds=1))
    with room_for(b"") as room, nowhere() as sink:
        submission = WeighedSubmission(room, NoSandbox(), rules.worker, sink=sink, rules=rules)
        found = submission.weigh(model, np.zeros((3, 784), np.float32))
    assert found == "must pack and run in good time"


def test_a_model_is_weighed_in_a_worker_as_it_is_at_home(mnist, shared):
    with room_for(b"") as room, nowhere() as sink:
        submission = WeighedSubmission(room, NoSandbox(), RULES.worker, sink=sink, rules=RULES)
        for model in (shared, Sequential([ReLU()]), Sequential([Dense(9, 10)]), Sequential([Dense(784, 0)])):
            found, at_home = (each.weigh(model, mnist.test.images) for each in (submission, Submission()))
            np.testing.assert_equal(found, at_home)


def test_compress_gets_what_the_rules_say(run):
    source = """
def compress(model, data, budget_bytes, seed=9):
    sizes = model.layers[0].in_features, len(data.train), len(data.validation)
    found = (*sizes, budget_bytes, seed, hasattr(data, "test"))
    assert found == (784, 300, 50, 16384, 0, False), found
    return model.copy()
"""
    assert "raised" not in str(run(source).flags)


@pytest.mark.parametrize(
    ("body", "flag"),
    [
        ("raise NotImplementedError", "not implemented yet"),
        ("while True: pass", "compress did not finish within 2 s of CPU time"),
        ("return np.ones(6 * 2**27)", "compress ran out of memory (it may use 2 GiB)"),
        ("import os; os._exit(0)", "compress ended the process it ran in (exit code 0)"),
        ("return 7", "compress must return a Sequential, got a int"),
        ("model.layers[0].weight = model.layers[0].weight.astype(float); return model", "cannot be packed"),
        ("model.layers.pop(0); return model", "does not run on images of shape (N, 784)"),
        (
            "model.layers[1] = type('Own', (type(model.layers[1]),), {})(); return model",
            "only the given layers",
        ),
    ],
)
def test_what_goes_wrong_in_compress_is_a_flag(run, tmp_path, body, flag):
    (tmp_path / "model.fw").write_bytes(b"left by an earlier run")
    found = run(f"import numpy as np\ndef compress(model, data, budget_bytes, seed=0):\n    {body}\n")
    assert (found.bytes, found.score, found.ranked, found.artifact_sha256) == (None, 0.0, False, None)
    assert len(found.flags) == 1
    assert flag in found.flags[0]


def test_a_syntax_error_is_a_flag(run):
    assert run("def compress(:").flags[0].startswith("compression.py could not be imported: line 1")


def test_a_file_over_the_budget_is_measured_and_not_ranked(run):
    found = run("def compress(model, data, budget_bytes, seed=0): return model.copy()")
    assert found.bytes > 16384
    assert found.accuracy_percent > 95
    assert found.flags == [f"over the budget: {found.bytes:,} of 16,384 bytes"]
    assert not found.ranked


@pytest.mark.parametrize(
    ("accuracy", "data", "is_ranked", "flags"),
    [
        (90.0, "mnist", False, ["the accuracy must be above 90 %"]),
        (90.02, "mnist", True, []),
        (98.0, "mnist-5k", True, ["measured on mnist-5k: not comparable with runs on all of MNIST"]),
    ],
)
def test_the_rules_decide_what_is_ranked(accuracy, data, is_ranked, flags):
    labels = np.zeros(5000, np.int64)
    answers = (np.arange(5000) >= 50 * accuracy).astype(np.int64)
    found = entry(b"x" * 100, Measured(labels, answers, "open"), RULES.competition, data)
    assert found.accuracy_percent == accuracy
    assert (found.ranked, found.flags) == (is_ranked, flags)
    assert (found.score > 0) == (accuracy > 90)


def test_the_public_half_is_the_even_one_and_the_private_one_the_rest(mnist):
    public, private, full = (part_of(mnist.test, split) for split in ("public", "private", "full"))
    assert (len(public), len(private)) == (51, 50)
    assert public.labels.tolist() == mnist.test.labels[0::2].tolist()
    assert private.labels.tolist() == mnist.test.labels[1::2].tolist()
    assert full.labels.tolist() == mnist.test.labels.tolist()


def test_a_record_says_which_images_were_right_and_what_was_taken_for_what():
    """By hand: image 1 is a 7 taken for a 1; bits from the highest, 1011 1111 and 1000 0000."""
    labels = np.array([3, 7, 7, 0, 1, 2, 9, 9, 5])
    measured = Measured(labels, np.array([3, 1, 7, 0, 1, 2, 9, 9, 5]), "mlp")
    assert base64.b64decode(measured.correct) == b"\xbf\x80"
    assert (measured.confusion[7][1], measured.confusion[7][7], measured.confusion[9][9]) == (1, 1, 2)
    assert sum(map(sum, measured.confusion)) == 9


def test_another_number_of_classes_is_the_submissions_fault(run):
    wide = "model.layers[-1] = Dense(12, 11); return model"
    found = run(
        f"from assignment.nn import Dense\ndef compress(model, data, budget_bytes, seed=0):\n    {wide}\n"
    )
    assert found.flags == ["the unpacked model must give 10 logits for an image, got an array of shape (11,)"]


def test_divisions(shared):
    images = Dataset(np.zeros((4, 784), np.float32), np.zeros(4, np.int64))
    dense = Sequential([Reshape((1, 28, 28)), Flatten(), *shared.layers])
    assert measure(pack(dense), images, RULES, NoSandbox()).division == "mlp"


def test_a_broken_grader_is_not_the_submissions_fault(monkeypatch, tmp_path, shared):
    broken = tmp_path / "measuring.py"
    broken.write_text("def packed(model): return model.spam")
    monkeypatch.setattr("grader.measured.MEASURING", broken)
    with pytest.raises(GraderError, match="measuring failed: packed raised AttributeError"):
        packed(shared, RULES, NoSandbox())


def test_locked_data_are_the_same_numbers_and_read_only(mnist):
    data = locked(mnist.data)
    assert data.train.images.base is mnist.train.images
    assert not data.train.images.flags.writeable
    assert mnist.train.images.flags.writeable

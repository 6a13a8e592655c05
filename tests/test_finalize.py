"""The final ranking: on images that nobody could prepare for, from the files that were scored."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from assignment.artifact import pack
from assignment.data import load_mnist_5k
from assignment.nn import Adam, Dataset, Dense, ReLU, Sequential, cosine, fit, random_shifts
from assignment.scoring import score
from grader import GraderError, UnusableError
from grader.classroom.results import Results
from grader.classroom.roster import Student
from grader.digits import jittered, own_digits, read_key
from grader.finalize import candidates, document, finals, new_key
from grader.intake import Source
from grader.measured import entry, measure, part_of
from grader.record import Circumstances, record_of, write
from grader.rules import agreed, read_rules
from grader.sandbox import NoSandbox
from leaderboard.final import Final
from tests.grading import run_grader

pytestmark = pytest.mark.xdist_group("finalize")  # which trains once for all
RULES = read_rules()
RULES = dataclasses.replace(RULES, competition=dataclasses.replace(RULES.competition, budget_bytes=100_000))
KEY = bytes(range(32))


def left_by(folder: Path, name: str, model: Sequential, test: Dataset) -> None:
    """What grading leaves behind: a record and the artifact."""
    content = pack(model)
    measured = measure(content, part_of(test, "public"), RULES, NoSandbox())
    made = entry(content, measured, RULES.competition, "mnist-5k")
    with_time = Circumstances("0" * 64, "mnist-5k", "none", 7, datetime(2026, 3, 1, tzinfo=UTC), 1.0)
    record = record_of(Source(name, name, b"", "0" * 64, 0), None, with_time, [], made, None)
    (folder / name).mkdir(parents=True)
    (folder / name / "model.fw").write_bytes(content)
    write(record, folder / name / "result.json")


def trained(dataset: Dataset, epochs: int, **options: object) -> Sequential:
    rng = np.random.default_rng(0)
    model = Sequential([Dense(784, 48, rng=rng), ReLU(), Dense(48, 10, rng=rng)])
    fit(model, dataset, epochs=epochs, batch_size=64, optimizer=Adam(3e-3), schedule=cosine, **options)
    for array in model.parameters():
        array[...] = np.round(array * 32) / 32
    return model


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """An honest entry, which learned from the training images, and one that was tuned on the test images."""
    folder = tmp_path_factory.mktemp("results")
    digits = load_mnist_5k()
    left_by(folder, "honest", trained(digits.train, 30, augment=random_shifts(1)), digits.test)
    left_by(folder, "tuned", trained(digits.test, 40), digits.test)
    return folder


@pytest.fixture(scope="module")
def final(results):
    images = jittered(part_of(load_mnist_5k().test, "private"), KEY)
    found = list(candidates(results, "mnist-5k"))
    return finals(found, images, RULES, NoSandbox()), images


def test_an_entry_tuned_on_the_test_images_loses_its_place(final):
    rows, _ = final
    honest, tuned = (next(row for row in rows if row.id == name) for name in ("honest", "tuned"))
    assert (tuned.place_before, honest.place_before) == (1, 2)
    assert (tuned.place, honest.place) == (2, 1)
    assert tuned.accuracy_before == 100.0
    assert honest.score > 0.8


def test_the_final_figures_are_those_of_the_artifact_on_the_jittered_half(results, final):
    rows, images = final
    for row in rows:
        content = (results / row.id / "model.fw").read_bytes()
        measured = measure(content, images, RULES, NoSandbox())
        assert (row.accuracy_percent, row.correct) == (measured.accuracy_percent, measured.correct)
        assert row.score == score(row.accuracy_percent, row.bytes, 98.40, 1066440)


def test_a_score_that_the_canary_held_down_is_held_down_again(results):
    images = jittered(part_of(load_mnist_5k().test, "private"), KEY)
    found = next(each for each in candidates(results, "mnist-5k") if each.id == "honest")
    canary = {"score": 0.1, "unchecked_score": 5.0}
    held = dataclasses.replace(found, competition={**found.competition, "canary": canary})
    (row,) = finals([held], images, RULES, NoSandbox())
    assert row.score == 0.1 + RULES.canary.margin


def test_an_artifact_that_cannot_be_measured_any_more_stops_nobody_else(results, final):
    images = jittered(part_of(load_mnist_5k().test, "private"), KEY)
    found = list(candidates(results, "mnist-5k"))
    broken = dataclasses.replace(found[1], content=b"\xf1spam")
    rows = finals([found[0], broken], images, RULES, NoSandbox())
    assert [(row.id, row.score > 0, row.place) for row in rows] == [("honest", True, 1), ("tuned", False, 2)]
    assert "cannot be unpacked" in rows[1].fault
    assert rows[0].fault is None
    assert rows[0].score == next(row.score for row in final[0] if row.id == "honest")


def test_what_is_published_reveals_the_key_and_no_student(final):
    rows, images = final
    published = document(rows, images, "mnist-5k", KEY)
    assert published["key"] == KEY.hex()
    assert published["key_sha256"] == hashlib.sha256(KEY).hexdigest()
    assert published["n_images"] == 500
    assert "honest" not in json.dumps(published)
    read = Final.from_document(json.loads(json.dumps(published)))  # the leaderboard takes it as it is
    assert {row["score"] for found in read.rows.values() for row in found} == {row.score for row in rows}
    assert {row["artifact_sha256"] for row in published["rows"]} == {row.artifact_sha256 for row in rows}


def test_the_jitter_moves_and_turns_a_little_and_follows_from_the_key():
    """A dot near the edge of the frame is found within a pixel, and what 5 degrees are worth there, of its place."""
    image = np.zeros((28, 28), np.float32)
    image[13:15, 23:25] = 1.0
    dots = Dataset(np.repeat(image.reshape(1, -1), 400, axis=0), np.zeros(400, np.int64))
    moved = jittered(dots, KEY).images.reshape(-1, 28, 28)
    np.testing.assert_array_equal(moved, jittered(dots, KEY).images.reshape(-1, 28, 28))
    assert not np.array_equal(moved, jittered(dots, bytes(32)).images.reshape(-1, 28, 28))
    y, x = np.mgrid[:28, :28]
    mass = moved.sum(axis=(1, 2))
    down = (moved * y).sum(axis=(1, 2)) / mass - 13.5
    right = (moved * x).sum(axis=(1, 2)) / mass - 23.5
    turn = 10 * np.sin(np.deg2rad(5.0))
    assert 1.2 < np.abs(down).max() <= 1.0 + turn + 0.1
    assert 0.8 < np.abs(right).max() <= 1.0 + 10 * (1 - np.cos(np.deg2rad(5.0))) + 0.1
    assert len(np.unique(np.round(down, 3))) > 300  # every image has a draw of its own


def idx(path: Path, array: np.ndarray, kind: int) -> Path:
    header = bytes([0, 0, kind, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))
    return path


def test_digits_of_ones_own_as_qmnist_writes_them(tmp_path):
    pixels = np.arange(5 * 784, dtype=np.uint32).reshape(5, 28, 28).astype(np.uint8)
    classes = np.zeros((5, 8), ">i4")
    classes[:, 0] = [3, 1, 4, 1, 5]
    images, labels = idx(tmp_path / "images.gz", pixels, 0x08), idx(tmp_path / "labels.gz", classes, 0x0C)
    found = own_digits(images, labels, skip=2)
    assert found.labels.tolist() == [4, 1, 5]
    np.testing.assert_array_equal(found.images, pixels[2:].reshape(3, 784) / np.float32(255))
    assert (found.images.dtype, found.labels.dtype) == (np.float32, np.int64)
    with pytest.raises(UnusableError, match="must leave some of the 5 images, got 5"):
        own_digits(images, labels, skip=5)
    with pytest.raises(UnusableError, match="one label for each of 5 images"):
        own_digits(images, idx(tmp_path / "few", np.zeros(4, np.uint8), 0x08))
    with pytest.raises(UnusableError, match="digits from 0 to 9, got 0 to 10"):
        own_digits(images, idx(tmp_path / "ten", np.array([0, 1, 2, 3, 10], np.uint8), 0x08))
    with pytest.raises(UnusableError, match="images of 28 x 28 bytes"):
        own_digits(labels, labels)
    (tmp_path / "short").write_bytes(gzip.decompress(images.read_bytes())[:-1])
    with pytest.raises(UnusableError, match=r"3,935 bytes where its header promises 3,936"):
        own_digits(tmp_path / "short", labels)


def test_a_key_is_made_once_and_read_again(tmp_path, capsys):
    assert new_key(tmp_path / "key") == 0
    key = read_key(tmp_path / "key")
    assert hashlib.sha256(key).hexdigest() in capsys.readouterr().out
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    with pytest.raises(UnusableError, match="never replaced"):
        new_key(tmp_path / "key")
    assert read_key(tmp_path / "key") == key
    (tmp_path / "key").write_text("abc123")
    with pytest.raises(UnusableError, match="64 hexadecimal digits"):
        read_key(tmp_path / "key")


def test_a_file_that_is_not_the_one_that_was_scored_is_the_graders_failure(results, tmp_path):
    left = tmp_path / "results" / "honest"
    left.mkdir(parents=True)
    for name in ("result.json", "model.fw"):
        (left / name).write_bytes((results / "honest" / name).read_bytes())
    (left / "model.fw").write_bytes((results / "tuned" / "model.fw").read_bytes())
    with pytest.raises(GraderError, match="not the file that its record names"):
        list(candidates(left.parent, "mnist-5k"))


def test_a_student_of_a_class_counts_once_with_what_counts(results, tmp_path):
    for folder, name in (("ada", "honest"), ("ada/runs/0001", "tuned"), ("ada/runs/0002", "honest")):
        shutil.copytree(results / name, tmp_path / folder, dirs_exist_ok=True)
    for run in (tmp_path / "ada/runs").iterdir():
        (run / "job.json").write_text("{}")
    assert [each.id for each in candidates(tmp_path, "mnist-5k")] == ["honest"]


def test_who_left_the_class_has_no_place(results, tmp_path):
    Results(tmp_path).put_settings({})
    for handle, name in (("ada", "honest"), ("grace", "tuned")):
        shutil.copytree(results / name, tmp_path / handle)
        Results(tmp_path).shelf(handle).put_student(Student(handle))
    Results(tmp_path).put_class(["ada"])
    assert [each.id for each in candidates(tmp_path, "mnist-5k")] == ["honest"]


def test_results_on_other_data_are_left_out(results):
    assert list(candidates(results, "mnist")) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "finalize needs RESULTS, the folder that `grade` wrote to, got none"),
        (["nowhere"], "finalize needs RESULTS, the folder that `grade` wrote to, got nowhere"),
        (["."], "either --key FILE, or both --images FILE and --labels FILE"),
        ([".", "--images", "x"], "either --key FILE, or both --images FILE and --labels FILE"),
        ([".", "--key", "nowhere"], "nowhere holds no key"),
    ],
)
def test_wrong_arguments_get_one_sentence(arguments, says):
    done = run_grader("finalize", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") <= 3


def test_a_deadline_has_a_time_zone(tmp_path):
    text = Path("grader/competition.toml").read_text()
    path = tmp_path / "rules.toml"
    path.write_text(text.replace("# deadline = 2027-01-31T23:59:00Z", "deadline = 2027-01-31T23:59:00Z"))
    assert read_rules(path).competition.deadline == datetime(2027, 1, 31, 23, 59, tzinfo=UTC)
    path.write_text(text.replace("# deadline = 2027-01-31T23:59:00Z", "deadline = 2027-01-31"))
    with pytest.raises(GraderError, match="a time with its zone"):
        read_rules(path)


def test_students_are_shown_the_graders_rules():
    for change in ({"floor_percent": 91.0}, {"budget_bytes": 4}, {"smallest_bytes": 63}):
        other = dataclasses.replace(
            RULES, competition=dataclasses.replace(read_rules().competition, **change)
        )
        with pytest.raises(GraderError, match=r"assignment/scoring\.py, which students have"):
            agreed(other, Path("rules.toml"))

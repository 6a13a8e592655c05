"""A result in a student's repository is shown beside the grade, and never believed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from grader.claim import LARGEST_BYTES, claim, claimed_and_graded
from tests.grading import make_suites, run_grader

OURS = {"totals": {"points": 100, "max_points": 100}}
REPORTER = {"version": 1, "max_score": 40, "tests": [{"score": 39.5}, {"score": 0.5}]}
CLASSROOM50 = {"schema": "classroom50/result/v1", "score": 7, "max-score": 10, "tests": []}
GRADESCOPE = {"tests": [{"score": 3, "max_score": 4}, {"score": 0, "max_score": 6}]}
RECORD = {"totals": {"points": 12.5, "max_points": 100}}


def leave(folder: Path, content: object, place: str = "result.json") -> Path:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


@pytest.mark.parametrize(
    ("content", "points"),
    [(OURS, (100, 100)), (REPORTER, (40, 40)), (CLASSROOM50, (7, 10)), (GRADESCOPE, (3, 10))],
)
@pytest.mark.parametrize("place", ["result.json", "results/result.json", "results.json"])
def test_claims_of_every_form_are_read(tmp_path, content, points, place):
    leave(tmp_path, content, place)
    assert claim(tmp_path) == (place, points)


def test_the_line_has_both(tmp_path):
    leave(tmp_path, OURS)
    line = claimed_and_graded(tmp_path, RECORD)
    assert line.startswith("claimed / graded: 100 of 100 points / 12.5 of 100 points (what result.json ")


def test_where_nothing_is_claimed_there_is_no_line(tmp_path):
    assert claimed_and_graded(tmp_path, RECORD) is None
    assert claimed_and_graded(tmp_path / "compression.py", RECORD) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"totals": {"points": ' + b"9" * 10_000 + b', "max_points": 1}}',
        b'{"totals": {"points": NaN, "max_points": 1}}',
        b'{"totals": {"points": 1e999, "max_points": 1}}',
        b'{"totals": {"points": "100\\u001b[2J", "max_points": 1}}',
        b'{"totals": {"points": true, "max_points": 1}}',
        b'{"totals": {}}',
        b'{"max_score": 1, "tests": 3}',
        b'{"tests": [3]}',
        json.dumps(OURS).encode() + b" " * LARGEST_BYTES,
    ],
    ids=lambda content: content[:30].decode("latin-1").strip() or str(len(content)),
)
def test_nonsense_is_named_and_not_repeated(tmp_path, content):
    leave(tmp_path, content)
    assert claimed_and_graded(tmp_path, RECORD).startswith("claimed / graded: an unreadable result / 12.5")


def test_links_are_not_followed(tmp_path):
    """Not to a file, not to a folder, and not as the last resort of another place."""
    secret = tmp_path / "secret"
    leave(secret, OURS)
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "result.json").symlink_to(secret / "result.json")
    (repository / "results").symlink_to(secret)
    assert claim(repository) is None
    (tmp_path / "link").symlink_to(secret)
    assert claim(tmp_path / "link") is None


def test_a_fifo_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "result.json")
    assert claim(tmp_path) is None


def test_a_forged_result_of_100_points_is_reported_and_not_believed(tmp_path):
    """All through the command: the submission does nothing, and says that it is worth everything."""
    suites, repository = make_suites(tmp_path / "suites"), tmp_path / "ada"
    (repository / "assignment").mkdir(parents=True)
    (repository / "assignment" / "compression.py").write_text("def double(x): raise NotImplementedError\n")
    leave(repository, OURS)
    done = run_grader("grade", repository, "--out", tmp_path / "out", "--suites", suites, "--no-compete")
    assert done.returncode == 0, done.stderr
    assert "\nclaimed / graded: 100 of 100 points / 0 of 100 points (" in done.stdout
    record = json.loads((tmp_path / "out" / "ada" / "result.json").read_text())
    assert record["totals"]["points"] == 0
    assert "claimed" not in json.dumps(record)

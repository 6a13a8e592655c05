"""Classroom 50's autograder.py, run in a checkout as its runner does, against the published result contract."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from fractions import Fraction

import jsonschema
import pytest

from grader import GraderError, UnusableError
from grader.export.bundle import write_folder
from grader.export.classroom50 import context_from, largest_remainder, locked, result_of, scaled
from grader.export.graded_tests import graded_tests
from grader.release import read_manifest
from grader.rules import ROOT, SuitePaths, read_points
from tests.grading import RIGHT, grade_text, package_index, run_grader
from tests.test_grader_record import record, result

SCHEMA = json.loads((ROOT / "tests/contracts/classroom50-result.schema.json").read_text())
CONTEXT = {
    "CLASSROOM": "neural-networks",
    "ASSIGNMENT": "featherweight",
    "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://example.org/ada/commit/a1b2c3d",
    "RELEASE_URL": "https://example.org/ada/releases/tag/x",
    "REVIEW_URL": "https://example.org/ada/compare/b...a",
    "USERNAME": "ada",
    "OWNER": "ada",
}
WORTH = read_points(SuitePaths().points_file)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "featherweight"
    done = run_grader("export", "classroom50", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def checkout(tmp_path):
    """A student's repository, whose own copies of the tests and of the given code are of no use."""
    folder = tmp_path / "checkout"
    for name in ("assignment/__init__.py", "assignment/submission.py", "tests_public/test_part1_size.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("raise SystemExit('the checkout is not to be imported')\n")
    return folder


def autograde(bundle, checkout, source: str | None, *, python=sys.executable, **environment):
    """`autograder.py` as the runner calls it, and its result, checked as far as the contract goes."""
    if source is not None:
        (checkout / "assignment" / "compression.py").write_text(source)
    own = {
        "PATH": os.environ["PATH"],
        "HOME": str(checkout.parent),
        **package_index(),
        **CONTEXT,
        **environment,
    }
    done = subprocess.run(
        [python, bundle / "autograder.py"], cwd=checkout, env=own, capture_output=True, text=True
    )
    file = checkout / "result.json"
    if not file.exists():
        return done, None
    return done, valid(json.loads(file.read_text()))


def valid(found):
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    for field in ("score", "max-score"):
        assert found[field] == sum(test[field] for test in found["tests"])
    assert all(test["score"] <= test["max-score"] for test in found["tests"])
    assert len({test["test-name"] for test in found["tests"]}) == len(found["tests"])
    return found


def most_by_function(found) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for test in found["tests"]:
        sums[test["test-name"].split(": ")[0]] += test["max-score"]
    return dict(sums)


def test_the_reference_gets_all_of_the_public_points_and_is_told_of_the_rest(bundle, checkout):
    done, found = autograde(bundle, checkout, (ROOT / "solution" / "compression.py").read_text())
    assert done.returncode == 0, done.stderr
    assert (found["score"], found["max-score"]) == (400, 400)
    assert most_by_function(found) == {name: 10 * each.public for name, each in WORTH.items()}
    assert min(test["max-score"] for test in found["tests"]) > 0
    assert found["classroom"] == "neural-networks"
    assert found["review"] == CONTEXT["REVIEW_URL"]
    assert "400 of 400 for the public tests; hidden tests have not run here" in done.stdout
    assert sorted(path.name for path in checkout.iterdir()) == ["assignment", "result.json", "tests_public"]


def test_untouched_stubs_get_nothing_with_exit_code_0(bundle, checkout):
    done, found = autograde(bundle, checkout, (ROOT / "assignment" / "compression.py").read_text())
    assert done.returncode == 0, done.stderr
    assert (found["score"], found["max-score"]) == (0, 400)
    assert {test["output"] for test in found["tests"]} >= {"not implemented yet"}


def test_a_checkout_without_the_file_gets_nothing_and_hears_why(bundle, checkout):
    done, found = autograde(bundle, checkout, None)
    assert done.returncode == 0, done.stderr
    assert found["score"] == 0
    assert all("there is no file" in test["output"] for test in found["tests"])


def test_a_process_that_dies_costs_its_own_part_alone(bundle, checkout):
    source = (ROOT / "solution" / "compression.py").read_text()
    source += "\n\ndef softmax(logits, temperature=1.0):\n    import os\n    os._exit(0)\n"
    done, found = autograde(bundle, checkout, source)
    assert done.returncode == 0, done.stderr
    lost = {test["test-name"].split(": ")[0] for test in found["tests"] if not test["passed"]}
    assert lost == {"softmax", "distillation_loss", "distill"}
    assert any("its process ended" in test.get("output", "") for test in found["tests"])


def test_a_folder_in_the_place_of_the_result_makes_way(bundle, checkout):
    (checkout / "result.json" / "of the student").mkdir(parents=True)
    source = "import os\nos.makedirs('result.json/again', exist_ok=True)\n"
    done, found = autograde(bundle, checkout, source)
    assert (done.returncode, found["score"]) == (0, 0), done.stderr


def test_the_submission_was_made_when_its_commit_was(bundle, checkout):
    when = datetime(2026, 6, 1, 14, 32, 5, tzinfo=UTC)
    (checkout / "assignment" / "compression.py").write_text("")
    who = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    dated = {**os.environ, "GIT_COMMITTER_DATE": when.isoformat()}
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "Done"]):
        subprocess.run(["git", *command], cwd=checkout, env=dated, check=True)
    _, found = autograde(bundle, checkout, None)
    assert found["datetime"] == "2026-06-01T14:32:05Z"


def test_without_what_classroom50_says_there_is_no_result_and_an_exit_code(bundle, checkout):
    (checkout / "result.json").write_text("{}")
    done, found = autograde(bundle, checkout, "", CLASSROOM="", RELEASE_URL="")
    assert done.returncode == 1
    assert found is None
    assert "autograder: Classroom 50 sets CLASSROOM, RELEASE_URL, and here they are not set" in done.stderr


def test_it_installs_its_packages_where_there_are_none(bundle, checkout, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "bare"], check=True)
    stubs = (ROOT / "assignment" / "compression.py").read_text()
    done, found = autograde(bundle, checkout, stubs, python=tmp_path / "bare" / "bin" / "python")
    assert done.returncode == 0, done.stderr
    assert found["max-score"] == 400


def test_packages_that_cannot_be_had_are_no_students_zero(bundle, checkout, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "bare"], check=True)
    nowhere = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    done, found = autograde(bundle, checkout, "", python=tmp_path / "bare" / "bin" / "python", **nowhere)
    assert done.returncode == 1
    assert found is None
    assert "autograder: the packages could not be installed" in done.stderr


def test_every_student_may_read_all_of_the_folder(bundle):
    """Nothing but what the student release hands out too, by its name, and what is written for this folder."""
    names = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    own = {"autograder.py", "verdicts.py", "points.json", "requirements.txt"}
    given = {name.removeprefix("given/") for name in names - own}
    assert all(name.startswith("given/") for name in names - own)
    assert given <= set(read_manifest().given)
    for name in given:
        assert (bundle / "given" / name).read_bytes() == (ROOT / name).read_bytes()
    hidden = {test.name.split("[")[0] for test in graded_tests("hidden")}
    hidden -= {test.name.split("[")[0] for test in graded_tests("public")}
    everything = b"\n".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
    assert len(everything) < 10 * 2**20  # what the runner fetches at most
    assert hidden
    assert not [name for name in hidden if re.search(rb"\b%s\b" % name.encode(), everything)]


def test_exporting_again_takes_the_place_of_an_earlier_export_and_of_nothing_else(tmp_path):
    folder = tmp_path / "out"
    write_folder({"points.json": b"1", "old.py": b""}, folder, mark="points.json")
    write_folder({"points.json": b"2", "a/b.py": b""}, folder, mark="points.json")
    assert sorted(path.name for path in folder.rglob("*")) == ["a", "b.py", "points.json"]
    (folder / "points.json").rename(folder / "thesis.txt")
    with pytest.raises(UnusableError, match="is there already and is not from this command"):
        write_folder({"points.json": b"3"}, folder, mark="points.json")
    assert (folder / "thesis.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_graded_record_has_the_same_form(tmp_path, monkeypatch):
    for name, value in CONTEXT.items():
        monkeypatch.setenv(name, value)
    wrong = RIGHT.replace("x * 2", "x * 2 if x.size else x[:, None]")
    run = grade_text(tmp_path, wrong, "--classroom50", tmp_path / "result.json")
    assert run.code == 0, run.text
    found = valid(json.loads((tmp_path / "result.json").read_text()))
    assert found["max-score"] == 1000
    assert found["datetime"] == run.record["grader"]["started"]
    scores = [test["max-score"] for test in found["tests"] if test["test-name"].startswith("double:")]
    assert scores[:3] == [34, 33, 33]  # 10 public points over three tests
    (failed,) = (test for test in found["tests"] if not test["passed"])
    assert failed["output"] == "double of nothing is nothing"
    assert found["score"] == 1000 - failed["max-score"]


def test_a_record_is_not_graded_where_its_result_could_not_be_addressed(tmp_path, monkeypatch):
    for name in CONTEXT:
        monkeypatch.delenv(name, raising=False)
    run = grade_text(tmp_path, RIGHT, "--classroom50", tmp_path / "result.json")
    assert run.code == 2
    assert "--classroom50 needs the environment variables CLASSROOM, ASSIGNMENT, SUBMISSION_TAG" in run.stderr
    assert run.record is None


def test_a_failed_grader_gives_no_result():
    with pytest.raises(GraderError, match="no points were decided"):
        result_of(record([result()], error="hidden tests failed"), context_from(CONTEXT))


def test_largest_remainder_keeps_the_sum():
    assert largest_remainder([Fraction(10, 3)] * 3) == [4, 3, 3]
    assert largest_remainder([Fraction(5, 2), Fraction(9, 4), Fraction(1, 4)]) == [3, 2, 0]
    assert largest_remainder([]) == []


def test_scores_add_up_function_by_function_however_tests_are_ordered():
    mixed = [(key, Fraction(1, 3)) for key in "ababab"]
    scores = scaled(mixed)
    assert sum(scores[0::2]) == sum(scores[1::2]) == 10
    assert all(score in (3, 4) for score in scores)


def test_the_folders_lock_is_whole():
    """`--no-deps` installs these alone: what they need must be among them."""
    names = [
        line.split("==")[0] for line in locked(["numpy", "pytest"]).decode().splitlines() if "==" in line
    ]
    assert names == ["numpy", "numpy", "pytest"]

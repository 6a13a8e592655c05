"""The Gradescope autograder, unpacked and run in Gradescope's folders as Docker's default profile runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest

from grader import UnusableError
from grader.export.bundle import write_zip
from grader.export.gradescope import leaderboard, results, submitted
from grader.rules import ROOT
from tests.grading import RIGHT, make_suites, package_index, run_grader
from tests.test_grader_record import ENTRY, record, result

SCHEMA = json.loads((ROOT / "tests/contracts/gradescope-results.schema.json").read_text())
LIKE_DOCKER = ROOT / "tests" / "like_docker.py"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="Gradescope runs it as root")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "autograder.zip"
    done = run_grader("export", "gradescope", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"written: {path}\n"
    return path


def laid_out(root: Path, archive: Path) -> Path:
    """Gradescope's folders, with the zip's contents where it puts them."""
    for name in ("source", "submission", "results"):
        (root / name).mkdir(parents=True)
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            Path(opened.extract(entry, root / "source")).chmod(entry.external_attr >> 16)
    (root / "source" / "run_autograder").rename(root / "run_autograder")
    (root / "submission_metadata.json").write_text('{"previous_submissions": "not for a submission"}')
    return root


@pytest.fixture
def small(tmp_path, archive):
    """The same with the small class's tests, and with this Python in the place of one that setup.sh makes."""
    root = laid_out(tmp_path / "autograder", archive)
    for suite in ("public", "hidden"):
        shutil.rmtree(root / "source" / f"tests_{suite}")
    make_suites(root / "source")
    (root / "venv").symlink_to(sys.prefix)
    return root


def run(root: Path, *, as_in_docker: bool = True):
    """`run_autograder`, and the results it left, if any, checked against Gradescope's specifications."""
    docker = [sys.executable, str(LIKE_DOCKER)] if as_in_docker else []
    environment = {"PATH": os.environ["PATH"], "HOME": "/root", "AUTOGRADER_ROOT": str(root)}
    done = subprocess.run([*docker, root / "run_autograder"], env=environment, capture_output=True, text=True)
    file = root / "results" / "results.json"
    found = json.loads(file.read_text()) if file.exists() else None
    if found is not None:
        jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return done, found


def submit(root: Path, text: str, name: str = "compression.py") -> None:
    file = root / "submission" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def score(found) -> float:
    return sum(test["score"] for test in found["tests"])


@as_root
def test_built_by_its_setup_it_grades_the_reference_and_the_stubs(tmp_path, archive):
    root = laid_out(tmp_path / "autograder", archive)
    environment = {
        **package_index(),
        "PATH": os.environ["PATH"],
        "HOME": "/root",
        "AUTOGRADER_ROOT": str(root),
    }
    began = time.monotonic()
    built = subprocess.run(
        ["bash", root / "source" / "setup.sh"], env=environment, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    assert time.monotonic() - began < 120
    assert "landlock   works" in built.stdout

    submit(root, (ROOT / "solution" / "compression.py").read_text())
    done, found = run(root)
    assert done.returncode == 0, done.stderr
    assert found["extra_data"]["grader"]["sandbox"] == "landlock"
    assert score(found) == pytest.approx(100)
    assert found["output"].startswith("public points 40 of 40\nhidden points pending: 60 of 100")
    names = [column["name"].split(" (")[0] for column in found["leaderboard"]]
    assert names == ["score", "bytes", "accuracy %"]

    submit(root, (ROOT / "assignment" / "compression.py").read_text())
    done, found = run(root)
    assert done.returncode == 0, done.stderr
    assert score(found) == 0
    assert sum(test["max_score"] for test in found["tests"]) == pytest.approx(100)
    assert {test["output"] for test in found["tests"]} == {"not implemented yet"}
    assert found["leaderboard"] == []


@as_root
def test_hidden_tests_show_after_the_due_date_and_public_ones_at_once(small):
    submit(small, RIGHT.replace("new.layers[0].weight[:] = 0", ""))
    done, found = run(small)
    assert done.returncode == 0, done.stderr
    assert found["output"].splitlines()[:2] == [
        "public points 40 of 40",
        "hidden points pending: 60 of 100, shown after the due date",
    ]
    assert "score" not in found  # Gradescope adds up, and hides the sum while it hides a test
    assert score(found) == pytest.approx(60)
    shown = {(test["tags"][1], test["visibility"]) for test in found["tests"]}
    assert shown == {("public", "visible"), ("hidden", "after_due_date")}
    (failed,) = (test for test in found["tests"] if test["status"] == "failed")
    assert failed["output"] == "prune must clear every weight"
    assert (failed["score"], failed["max_score"]) == (0, 40)
    assert found["stdout_visibility"] == "hidden"


@as_root
@pytest.mark.parametrize(
    "name", ["compression.py", "assignment/compression.py", "ada/assignment/compression.py"]
)
def test_it_is_found_wherever_students_put_it(small, name):
    submit(small, RIGHT, name)
    done, found = run(small)
    assert done.returncode == 0, done.stderr
    assert score(found) == pytest.approx(100)


def test_chance_does_not_choose_between_two_submissions(tmp_path):
    for name in ("b/compression.py", "__MACOSX/compression.py", "b/old/compression.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert submitted(tmp_path) == tmp_path / "b" / "compression.py"
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "compression.py").write_text("")
    with pytest.raises(
        UnusableError, match=r"2 submissions are here, as a/compression.py and b/compression.py"
    ):
        submitted(tmp_path)
    (tmp_path / "b" / "assignment").mkdir()
    (tmp_path / "b" / "assignment" / "compression.py").write_text("")
    assert submitted(tmp_path) == tmp_path / "b"


@as_root
def test_a_submission_without_its_file_gets_nothing_and_is_told_why(small):
    submit(small, RIGHT, "homework.py")
    done, found = run(small)
    assert done.returncode == 0, done.stderr
    assert score(found) == 0
    assert found["output"] == (
        "submission holds no assignment/compression.py. Submit compression.py, or your repository with "
        "assignment/compression.py; nothing was graded."
    )
    assert [test["visibility"] for test in found["tests"]] == ["visible"]


@as_root
def test_a_link_in_the_place_of_the_file_is_not_followed(small):
    (small / "submission" / "compression.py").symlink_to(small / "source" / "tests_hidden" / "test_hidden.py")
    done, found = run(small)
    assert done.returncode == 0, done.stderr
    assert "is a link" in found["output"]
    assert score(found) == 0


@as_root
def test_hostile_code_reads_no_secret_and_writes_no_result(small):
    """It tells what it could open in the one place where a student sees its words: a public test's reason."""
    secrets = [
        small / "source" / "tests_hidden" / "test_hidden.py",
        small / "submission_metadata.json",
        small / "source" / "tests_hidden",
    ]
    submit(
        small,
        f"""
import os
READ, WRITE = {list(map(str, secrets))!r}, {[str(small / "results" / "results.json"), str(small / "run_autograder")]!r}

def tried():
    for path in READ:
        try: yield path, (os.listdir(path) if os.path.isdir(path) else open(path).read())
        except OSError as error: yield path, type(error).__name__
    for path in WRITE:
        try: yield path, open(path, "a").write("forged")
        except OSError as error: yield path, type(error).__name__

def double(x):
    raise ValueError([what for path, what in tried()])
prune = double
""",
    )
    before = (small / "run_autograder").read_text()
    done, found = run(small)
    assert done.returncode == 0, done.stderr
    assert score(found) == 0
    public = {test["output"] for test in found["tests"] if test["tags"] == ["double", "public"]}
    assert public == {f"double raised ValueError: {['PermissionError'] * 5}"}
    assert (small / "run_autograder").read_text() == before


@as_root
def test_where_the_grader_fails_there_are_no_results_not_even_old_ones(small):
    """Gradescope then says that the autograder failed; a results file with 0 would be a grade."""
    submit(small, RIGHT)
    (small / "results" / "results.json").write_text('{"score": 100}')
    (small / "source" / "tests_hidden" / "test_hidden.py").write_text("spam")
    done, found = run(small)
    assert done.returncode == 1
    assert found is None
    assert "the grader itself failed, no points are decided" in done.stdout


@as_root
def test_a_grader_that_cannot_even_start_leaves_no_results(small):
    submit(small, RIGHT)
    (small / "source" / "grader" / "competition.toml").unlink()
    done, found = run(small)
    assert done.returncode == 1
    assert found is None
    assert "competition.toml cannot be read" in done.stderr


def test_the_zip_holds_what_is_needed_and_no_solution(archive):
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        modes = {entry.filename: entry.external_attr >> 16 for entry in opened.infolist()}
        text = {name: opened.read(name) for name in names}
    assert {"setup.sh", "run_autograder", "requirements.txt"} <= set(names)
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    tops = {name.split("/")[0] for name in names if "/" in name}
    assert tops == {"assignment", "grader", "tests_public", "tests_hidden"}
    assert not [name for name in names if name.startswith("tests_hidden/right/")]
    assert (ROOT / "solution" / "compression.py").read_bytes() not in text.values()
    assert names == sorted(names)


def test_a_zip_is_the_same_each_time(tmp_path):
    files = {"setup.sh": b"true", "b/run.py": b"2" * 5000, "a.py": b"1"}
    write_zip(files, tmp_path / "one.zip")
    write_zip(dict(reversed(files.items())), tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_place_where_no_zip_can_be_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "no" / "such.zip"):
        done = run_grader("export", "gradescope", path)
        assert done.returncode == 2
        assert done.stderr.startswith("grader: a zip is written to a file in a folder that exists")


def test_the_lock_agrees_with_the_constraints():
    """What Gradescope installs is what `make grade` does."""
    pinned = {
        line.split(" \\")[0].strip() for line in lines("grader/export/requirements.txt") if "==" in line
    }
    allowed = {line.split(" ;")[0] for line in lines("constraints.txt")}
    assert {line.split(" ;")[0] for line in pinned} <= allowed
    needed = ("numpy", "pytest", "pytest-json-report", "hypothesis", "rich", "pooch", "jsonschema", "psutil")
    assert {*needed, "mlxtend"} <= {line.split("==")[0] for line in pinned}


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text().splitlines()
    return [line for line in text if line and not line.startswith(("#", " "))]


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        ({}, ["score", "bytes", "accuracy %"]),
        ({"data": "mnist-5k"}, ["score (mnist-5k)", "bytes (mnist-5k)", "accuracy % (mnist-5k)"]),
    ],
)
def test_runs_on_other_digits_have_columns_of_their_own(change, columns):
    made = record([result()], ENTRY)
    made["grader"].update(change)
    assert [column["name"] for column in leaderboard(made)] == columns
    jsonschema.Draft202012Validator(SCHEMA).validate(results(made))


def test_what_is_not_ranked_is_on_no_leaderboard_and_says_why():
    made = record([result(points=Fraction(0), outcome="failed", reason="no")], ENTRY)
    made["competition"].update(ranked=False, flags=["larger than the budget"])
    assert leaderboard(made) == []
    assert "not ranked: larger than the budget" in results(made)["output"]

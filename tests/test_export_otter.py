"""The otter-grader exports, run by the real otter: `otter run` for the instructor, `check` for students."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader.export.otter import autograder_files
from grader.rules import ROOT, SuitePaths, read_points
from tests.grading import run_grader

SOLUTION = (ROOT / "solution" / "compression.py").read_text()
STUBS = (ROOT / "assignment" / "compression.py").read_text()
WORTH = read_points(SuitePaths().points_file)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "autograder.zip"
    done = run_grader("export", "otter", path)
    assert done.returncode == 0, done.stderr
    return path


def otter_run(folder: Path, archive: Path, source: str, name: str = "compression.py"):
    """`otter run` on a submission of this text, and the results it left, if any."""
    (folder / name).write_text(source)
    command = [sys.executable, "-m", "otter", "run", "-a", archive, name]
    environment = {**os.environ, "FEATHERWEIGHT_DATA": ""}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    file = folder / "results.json"
    return done, json.loads(file.read_text()) if file.exists() else None


def questions(found) -> dict[str, tuple[float, float]]:
    """Score and points of each question; otter adds a summary, which has none."""
    scored = [test for test in found["tests"] if "max_score" in test]
    return {test["name"]: (pytest.approx(test["score"]), pytest.approx(test["max_score"])) for test in scored}


def test_otter_grades_the_reference_as_the_grader_does(tmp_path, archive):
    done, found = otter_run(tmp_path, archive, SOLUTION)
    assert done.returncode == 0, done.stdout + done.stderr
    assert questions(found) == {name: (each.public + each.hidden,) * 2 for name, each in WORTH.items()}
    assert "public tests 55/55 passed" in done.stdout
    assert "100 of 100 points" in done.stdout


def test_a_wrong_function_costs_its_own_question_test_by_test(tmp_path, archive):
    """Everything else is a stub; the one function is right but for the temperature."""
    wrong = STUBS + (
        "\n\ndef softmax(logits, temperature=1.0):\n"
        "    e = np.exp(logits - logits.max(-1, keepdims=True))\n    return e / e.sum(-1, keepdims=True)\n"
    )
    done, found = otter_run(tmp_path, archive, wrong)
    assert done.returncode == 0, done.stdout + done.stderr
    scores = questions(found)
    earned = {name: score for name, (score, _) in scores.items() if score != 0}
    assert set(earned) == {"softmax"}
    (asked,) = (test for test in found["tests"] if test["name"] == "softmax")
    assert 0 < asked["score"] < asked["max_score"] == pytest.approx(3)
    assert "temperature must change the probabilities" in json.dumps(found)


def test_nothing_of_a_submission_runs_in_otters_processes(tmp_path, archive):
    """In otter's kernel this would print, write a file, and make every test pass."""
    hostile = (
        f"open({str(tmp_path / 'escaped')!r}, 'w').write('in otter')\n"
        "from otter.test_files.exception_test import test_case\n"
        "test_case.call_func = lambda self, environment: None\n"
    )
    done, found = otter_run(tmp_path, archive, hostile)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "escaped").exists()
    assert {score for score, _ in ((t["score"], t) for t in found["tests"] if "max_score" in t)} == {0}


def test_a_notebook_is_no_submission_and_leaves_no_result(tmp_path, archive):
    empty = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    done, found = otter_run(tmp_path, archive, json.dumps(empty), "lab.ipynb")
    assert done.returncode != 0
    assert found is None
    assert "lab.ipynb is no compression.py" in done.stderr


def test_a_zip_of_other_rules_is_refused_and_leaves_no_result(tmp_path, archive):
    """Points are in the zip and the tests are not: both must be of one version."""
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "otter_config.json":
                config = json.loads(text)
                (options,) = config["plugins"][0].values()
                options["rules_sha256"] = "0" * 64
                text = json.dumps(config).encode()
            new.writestr(name, text)
    done, found = otter_run(tmp_path, other, STUBS)
    assert done.returncode != 0
    assert found is None
    assert "this autograder was exported with other rules" in done.stderr


def test_the_zip_holds_names_and_points_and_no_test_of_ours():
    files = autograder_files()
    text = b"\n".join(files.values()).decode()
    assert len(files) == len(WORTH) + 1
    assert "submission" not in text
    for line in (ROOT / "tests_hidden" / "test_part1_size.py").read_text().splitlines():
        if line.startswith("    ") and len(line.strip()) > 40:
            assert line.strip() not in text


@pytest.fixture
def lab(tmp_path):
    """A student's folder, with the checks beside the public tests."""
    for name in ("assignment", "tests_public"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    done = run_grader("export", "otter-checks", tmp_path / "checks")
    assert done.returncode == 0, done.stderr
    return tmp_path


def check_parts(lab: Path, parts) -> dict[str, str]:
    """What `grader.check` shows for these parts, as a notebook in the folder `assignment` would call it."""
    code = (
        "import json, otter\n"
        "grader = otter.Notebook(tests_dir='../checks')\n"
        f"shown = {{part: repr(grader.check(part)) for part in {list(parts)!r}}}\n"
        "open('../shown.json', 'w').write(json.dumps(shown))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=lab / "assignment", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads((lab / "shown.json").read_text())


def test_checks_of_the_stubs_say_that_nothing_is_there_yet(lab):
    shown = check_parts(lab, ["part1", "part5"])
    assert shown["part1"].count("AssertionError: not implemented yet") == 3
    assert "prune_neurons result" in shown["part5"]


def test_checks_pass_with_the_reference_for_all_six_parts(lab):
    (lab / "assignment" / "compression.py").write_text(SOLUTION)
    parts = [f"part{number}" for number in range(1, 7)]
    assert check_parts(lab, parts) == {part: f"{part} results: All test cases passed!" for part in parts}


def test_a_check_says_what_is_wrong_with_the_one_function(lab):
    broken = SOLUTION + "\n\ndef sparsity(model):\n    return 0.0\n"
    (lab / "assignment" / "compression.py").write_text(broken)
    shown = check_parts(lab, ["part1"])["part1"]
    assert "sparsity result:\n        ❌ Test case failed" in shown
    assert "AssertionError: 2 of 6 weights are zero, so sparsity is 0.3333, got 0.0000" in shown
    assert "assert 0" not in shown  # pytest's own words
    assert "count_parameters result:\n        ✅ Test case passed" in shown

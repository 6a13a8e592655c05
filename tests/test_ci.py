"""The check of a push, run as the workflow runs it: within its time, and honest about what it left out."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from assignment.ci import publish, whole
from assignment.summary import Check, Outcome, bar, markdown, notices, outcomes, plain, reporter_results

ROOT = Path(__file__).resolve().parent.parent
POINTS_FILE = ROOT / "tests_public" / "points.toml"


class Run:
    """One run of the program, where it thinks that GitHub runs it."""

    def __init__(self, folder: Path, source: Path, *options: str):
        self.summary_file, self.output_file, self.out = (
            folder / "summary.md",
            folder / "output",
            folder / "out",
        )
        github = {"GITHUB_STEP_SUMMARY": self.summary_file, "GITHUB_OUTPUT": self.output_file}
        environment = {
            **os.environ,
            **{name: str(path) for name, path in github.items()},
            "GITHUB_ACTIONS": "true",
        }
        command = [
            sys.executable,
            "-m",
            "assignment.ci",
            "--file",
            str(source),
            "--out",
            str(self.out),
            *options,
        ]
        self.done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        self.summary = self.summary_file.read_text(encoding="utf-8") if self.summary_file.exists() else ""
        name, _, encoded = self.output_file.read_text().strip().partition("=")
        assert name == "result"
        self.results = json.loads(base64.b64decode(encoded, validate=True))


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> Run:
    """With time to spare: how long it takes depends on the machine."""
    folder = tmp_path_factory.mktemp("reference")
    return Run(folder, ROOT / "solution" / "compression.py", "--seconds", "600")


def write(folder: Path, text: str) -> Path:
    path = folder / "compression.py"
    path.write_text(text)
    return path


@pytest.mark.xdist_group("check of the reference")
def test_the_reference_has_all_public_points(reference):
    assert reference.done.returncode == 0, reference.done.stderr
    assert "## Public tests: 40 of 40 points" in reference.summary
    assert "out of time" not in reference.summary


@pytest.mark.xdist_group("check of the reference")
def test_the_summary_has_a_table_a_score_and_plots(reference):
    rows = [
        line for line in reference.summary.splitlines() if line.startswith("| ") and "`██████████`" in line
    ]
    assert len(rows) == 18
    assert "| 5 Structured pruning | `prune_neurons` | 7/7 | 3 of 3 | `██████████` |" in rows
    assert "validation images of mnist-5k" in reference.summary
    assert "```mermaid\npie showData title Bytes of the packed model\n" in reference.summary
    assert "data:image" not in reference.summary, "a job's summary shows no such images"


@pytest.mark.xdist_group("check of the reference")
def test_it_says_that_hidden_tests_decide_more(reference):
    assert "Hidden tests decide 60 more points and have not run here" in reference.summary


@pytest.mark.xdist_group("check of the reference")
def test_points_have_the_form_that_the_autograding_reporter_reads(reference):
    """It takes base64 of JSON: a status, a max_score, and tests with a name, a status and a score."""
    results = reference.results
    assert results["status"] == "pass"
    assert results["max_score"] == 40
    assert sum(test["score"] for test in results["tests"]) == 40
    assert {test["status"] for test in results["tests"]} == {"pass"}
    assert json.loads((reference.out / "result.json").read_text()) == results
    assert "::notice title=Autograding complete::Points 40/40\n" in reference.done.stdout
    assert '::notice title=Autograding report::{"totalPoints":40,"maxPoints":40}\n' in reference.done.stdout


def test_stubs_are_worth_nothing_and_fail(tmp_path):
    run = Run(tmp_path, ROOT / "assignment" / "compression.py")
    assert run.done.returncode == 1
    assert "## Public tests: 0 of 40 points" in run.summary
    assert "- 18 functions not implemented yet" in run.summary
    assert "**compress: not implemented yet**" in run.summary
    assert run.results["status"] == "fail"


def test_what_there_was_no_time_for_is_said(tmp_path):
    source = write(tmp_path, "import time\ndef count_parameters(model):\n    time.sleep(600)\n")
    run = Run(tmp_path, source, "--seconds", "6")
    assert run.done.returncode == 1
    assert "**out of time: 0 of 55 public tests have run**" in run.summary
    assert "**compress was stopped: " in run.summary
    assert "| 1 Size | `count_parameters` | 0/2 | 0 of 1 |" in run.summary


def test_a_process_that_ends_itself_is_said(tmp_path):
    source = write(
        tmp_path, "import os\ndef sparsity(model): os._exit(0)\ndef compress(*a, **k): os._exit(0)\n"
    )
    run = Run(tmp_path, source)
    assert run.done.returncode == 1
    assert "**the public tests stopped early: 2 of 55 have run**" in run.summary
    assert "**compress ended the process that it ran in**" in run.summary


def test_a_file_that_is_no_python_is_said(tmp_path):
    run = Run(tmp_path, write(tmp_path, "def compress(:\n"))
    assert run.done.returncode == 1
    assert "could not be imported" in run.summary


def test_a_link_is_said_and_fails_as_it_will_with_the_grader(tmp_path):
    source = tmp_path / "compression.py"
    source.symlink_to(ROOT / "solution" / "compression.py")
    run = Run(tmp_path, source)
    assert run.done.returncode == 1
    assert "**compression.py is a link, and the grader accepts no links: " in run.summary
    assert run.results["status"] == "fail"


def test_a_file_that_is_not_there_is_said_at_once(tmp_path):
    run = Run(tmp_path, tmp_path / "assignment" / "compression.py")
    assert run.done.returncode == 1
    assert "**there is no file assignment/compression.py, the only one that is graded: " in run.summary


def test_a_file_that_stops_pytest_is_said_to_be_in_the_way(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    run = Run(tmp_path, write(tmp_path, "def compress(*a, **k): raise NotImplementedError\n"))
    assert run.done.returncode == 1
    assert "**no public test could be started, and the log of this step says why: " in run.summary
    assert "0 of 0" not in run.summary


# The pieces.


def test_a_line_that_was_cut_off_is_left_out():
    assert whole('{"name": "a"}') == {"name": "a"}
    assert whole('{"name": "a') is None


def test_a_terminal_without_the_signs_for_bars_gets_others(tmp_path, monkeypatch):
    """A pipe on Windows encodes as cp1252."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="cp1252"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    publish(found(outcome(1, 1)), tmp_path)
    sys.stdout.flush()
    assert b"1/1 | 3 of 3 | `??????????` |" in raw.getvalue()


def outcome(passed: int, count: int, max_points: int = 3, reason: str | None = None) -> Outcome:
    return Outcome(2, "Pruning", "prune", max_points, passed, count, reason, 0.5)


def found(*each: Outcome, trouble: tuple[str, ...] = ()) -> Check:
    return Check(list(each), 60, None, list(trouble))


def test_points_are_shared_by_a_functions_tests():
    assert outcome(3, 7).points == Fraction(9, 7)
    assert outcome(0, 0).points == 0
    assert "| 1.29 of 3 |" in markdown(found(outcome(3, 7)))
    assert reporter_results(found(outcome(3, 7)))["tests"][0]["score"] == 1.2857


def test_only_all_points_pass():
    assert found(outcome(7, 7)).is_passed
    assert not found(outcome(7, 7), outcome(6, 7)).is_passed
    assert reporter_results(found(outcome(0, 0)))["tests"][0]["status"] == "fail"


def test_a_bar_is_full_only_where_everything_is_there():
    assert bar(Fraction(1)) == "█" * 10
    assert bar(Fraction(99, 100)) == "█" * 9 + "░"
    assert bar(Fraction(0)) == "░" * 10


def test_tests_that_were_cut_off_count_among_all():
    tests = [{"function": "prune", "passed": True, "reason": None, "seconds": 1.0}]
    by_name = {each.function: each for each in outcomes(tests, POINTS_FILE, Counter(prune=2))}
    assert (by_name["prune"].passed, by_name["prune"].count) == (1, 2)
    assert by_name["prune"].points == 1


def test_a_reason_cannot_break_out_of_its_line():
    """What a student's function says stands in the summary as text."""
    text = plain("a | b\n## c <img src=x> `d` [e](f) *g*")
    assert not set("\n|<>`*[]") & set(text)
    line = next(
        each
        for each in markdown(found(outcome(0, 1, reason="x | y\n::set-env"))).splitlines()
        if "x " in each
    )
    assert line == "- `prune`: x &#124; y ::set-env"


def test_a_reason_that_is_no_text_costs_no_summary():
    assert plain("no\ud800\x1b[2J\u202e").encode() == b"no??&#91;2J?"


def test_notices_are_one_line_each():
    assert list(notices(found(outcome(3, 7)))) == [
        "::notice title=Autograding complete::Points 1.2857/3",
        '::notice title=Autograding report::{"totalPoints":1.2857,"maxPoints":3}',
    ]

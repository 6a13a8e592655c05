"""The workflows, the project's and those it hands out: valid, pinned, with no more rights than they need."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from grader.classroom.collect import FETCH_SECONDS

ROOT = Path(__file__).resolve().parent.parent
CHECK = ROOT / "grader" / "student" / "check.yml"
CLASS = ROOT / "grader" / "instructor" / "grade-class.yml"
PROJECT = ROOT / ".github" / "workflows" / "ci.yml"
WORKFLOWS = [CHECK, CLASS, PROJECT]

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def read(path: Path) -> dict[str, Any]:
    """A workflow; YAML takes the key `on` for true."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["on"] = content.pop(True)
    return content


def tool(name: str) -> str:
    """In the environment that the tests run in, or on the path."""
    found = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if found is None:
        missing = f"{name} is not installed: pip install -e '.[test]'"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return found


def secrets(part: Any) -> set[str]:
    return set(re.findall(r"secrets\.(\w+)", str(part)))


@each_workflow
def test_actionlint_has_nothing_to_say(path):
    done = subprocess.run([tool("actionlint"), "-no-color", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_actionlint_would_say_something(tmp_path):
    broken = tmp_path / "broken.yml"
    broken.write_text(CHECK.read_text().replace("runs-on:", "runs-at:"))
    done = subprocess.run([tool("actionlint"), "-no-color", str(broken)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "runs-at" in done.stdout


@each_workflow
def test_actions_are_pinned_by_their_commit_with_the_version_beside_it(path):
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for line in used:
        assert re.fullmatch(r"actions/[a-z/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


@each_workflow
def test_one_version_of_an_action_everywhere(path):
    pins = {
        line.split("@")[0]: line for file in WORKFLOWS for line in re.findall(r"uses: (.*)", file.read_text())
    }
    assert set(re.findall(r"uses: (.*)", path.read_text())) <= set(pins.values())


@each_workflow
def test_nothing_is_started_with_rights_by_somebody_elses_change(path):
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(read(path)["on"])
    assert "${{ github.event" not in path.read_text(), "text that others write is not put into a script"


@each_workflow
def test_rights_are_reading_unless_a_job_says_otherwise(path):
    workflow = read(path)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    more = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
    writing = {name for name, rights in more.items() if "write" in rights.values()}
    assert writing == ({"record", "deploy"} if path == CLASS else set())


@each_workflow
def test_every_job_ends(path):
    for name, job in read(path)["jobs"].items():
        assert job["timeout-minutes"] <= 350, name


def test_repositories_that_take_for_ever_leave_time_to_collect_the_others():
    minutes = read(CLASS)["jobs"]["collect"]["timeout-minutes"]
    assert minutes >= 30 + 20 * FETCH_SECONDS / 60


def test_a_push_costs_one_job_that_newer_pushes_cancel():
    workflow = read(CHECK)
    assert len(workflow["jobs"]) == 1
    [job] = workflow["jobs"].values()
    assert "strategy" not in job
    assert workflow["concurrency"]["cancel-in-progress"] is True
    assert "${{ github.ref }}" in workflow["concurrency"]["group"]
    assert "assignment/**" in workflow["on"]["push"]["paths"]
    assert secrets(workflow) == set()


def test_the_matrix_is_of_the_project_and_holds_every_python_and_system():
    matrix = read(PROJECT)["jobs"]["student"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_submissions_run_where_there_is_no_secret_and_the_key_is_where_none_runs():
    jobs = read(CLASS)["jobs"]
    assert secrets(jobs["grade"]) == set()
    assert jobs["grade"]["permissions"] == {"contents": "read"}
    assert secrets(jobs["collect"]) == {"STUDENTS_TOKEN"}
    assert secrets(jobs["record"]) == {"FEATHERWEIGHT_SIGNING_KEY"}
    assert "environment" in jobs["record"]
    for name in ("collect", "record", "deploy"):
        assert "grader grade" not in str(jobs[name]), name
    order = {name: job.get("needs") for name, job in jobs.items()}
    assert order == {"collect": None, "grade": "collect", "record": "grade", "deploy": "record"}


def test_a_night_goes_on_from_the_results_of_the_last():
    steps = [step for step in read(CLASS)["jobs"]["grade"]["steps"] if "path" in step.get("with", {})]
    kept = [step for step in steps if step["with"]["path"] == "results"]
    restore, save, upload = (step["uses"].split("@")[0] for step in kept)
    assert (restore, save, upload) == (
        "actions/cache/restore",
        "actions/cache/save",
        "actions/upload-artifact",
    )
    assert kept[0]["with"]["key"] == kept[1]["with"]["key"]
    assert kept[0]["with"]["key"].startswith(kept[0]["with"]["restore-keys"])


def test_only_the_job_that_pushes_keeps_its_token_on_disk():
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is (name == "record"), (path.name, name)


@pytest.mark.xdist_group("tests that belong together")
def test_tests_that_share_what_is_slow_to_make_run_in_one_process(request):
    """Some versions of pytest and pytest-xdist lose the groups without a word, and everything is made twice."""
    if os.environ.get("PYTEST_XDIST_WORKER") and request.config.getoption("loadgroup"):
        assert request.node.nodeid.endswith("@tests that belong together")

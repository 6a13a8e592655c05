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

ROOT = Path(__file__).resolve().parent.parent
CHECK = ROOT / "grader" / "student" / "check.yml"
CLASS = ROOT / "grader" / "instructor" / "grade-class.yml"
COLLECT = ROOT / "grader" / "instructor" / "collect.sh"
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
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


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


def test_only_the_job_that_pushes_keeps_its_token_on_disk():
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is (name == "record"), (path.name, name)


# Collecting, as the workflow does it.


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=ada", "-c", "user.email=ada@example.invalid")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path) -> Path:
    folder = tmp_path / "ada"
    (folder / "assignment").mkdir(parents=True)
    (folder / "assignment" / "compression.py").write_text("first = 1\n")
    git(folder, "init", "--quiet")
    return committed(folder)


def committed(folder: Path) -> Path:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=work")
    return folder


def collect(tmp_path: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "roster.csv").write_text("\n".join(["handle,repository,commit", *lines]) + "\n")
    return subprocess.run(
        ["bash", str(COLLECT), "roster.csv", "collected"], cwd=tmp_path, capture_output=True, text=True
    )


def test_one_file_of_the_newest_commit_is_collected(tmp_path, repository):
    (repository / "result.json").write_text("{}")
    committed(repository)
    done = collect(tmp_path, f"quiet-heron,{repository},")
    assert done.returncode == 0, done.stderr
    files = {
        path.relative_to(tmp_path / "collected").as_posix() for path in (tmp_path / "collected").rglob("*.*")
    }
    assert files == {"quiet-heron/assignment/compression.py"}
    commit = (tmp_path / "collected" / "quiet-heron" / "commit").read_text().strip()
    assert commit == git(repository, "rev-parse", "HEAD")


def test_a_pinned_commit_is_collected_though_newer_ones_are_there(tmp_path, repository):
    pinned = git(repository, "rev-parse", "HEAD")
    (repository / "assignment" / "compression.py").write_text("second = 2\n")
    git(committed(repository), "config", "uploadpack.allowAnySHA1InWant", "true")
    done = collect(tmp_path, f"quiet-heron,{repository},{pinned}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "collected/quiet-heron/assignment/compression.py").read_text() == "first = 1\n"


def test_a_link_arrives_as_the_text_that_it_is(tmp_path, repository):
    (repository / "assignment" / "compression.py").unlink()
    (repository / "assignment" / "compression.py").symlink_to("/etc/passwd")
    committed(repository)
    assert collect(tmp_path, f"quiet-heron,{repository},").returncode == 0
    path = tmp_path / "collected/quiet-heron/assignment/compression.py"
    assert not path.is_symlink()
    assert path.read_text() == "/etc/passwd"


def test_one_repository_that_cannot_be_had_stops_no_other(tmp_path, repository):
    done = collect(tmp_path, f"no-one,{tmp_path}/nowhere,", f"quiet-heron,{repository},")
    assert done.returncode == 1
    assert "no-one: nothing was collected from" in done.stderr
    assert (tmp_path / "collected" / "quiet-heron" / "commit").is_file()
    assert not (tmp_path / "collected" / "no-one").exists()


def test_a_file_that_is_too_large_is_not_collected(tmp_path, repository):
    (repository / "assignment" / "compression.py").write_text("#" * (2**21 + 1))
    committed(repository)
    done = collect(tmp_path, f"quiet-heron,{repository},")
    assert done.returncode == 1
    assert "is larger than" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "../../etc,https://github.com/a/b,",
        "ada,--upload-pack=touch x,",
        "ada,https://github.com/a/b,--option",
        "ada",
    ],
)
def test_a_roster_line_that_is_none_is_named(tmp_path, line):
    done = collect(tmp_path, line)
    assert done.returncode == 1
    assert "is not handle,repository,commit" in done.stderr
    assert not (tmp_path / "collected").exists()

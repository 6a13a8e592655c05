"""What the tests of a class share: a small one, of every kind of submission, and ways to grade it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from grader.classroom.grading import Done, Order, grade_class
from grader.classroom.task import Settings
from tests.grading import RIGHT, ROOT, command, make_suites, run_grader

WRONG = RIGHT.replace("x * 2", "x * 3")
HALF = "def double(x): return x * 2\n"
HOSTILE = """
import os
def double(x): os._exit(3)
def prune(model):
    while True: pass
"""
BROKEN = "def double(x) return\n"
TEXTS = {
    "right": RIGHT,
    "right-too": RIGHT + "# by another\n",
    "wrong": WRONG,
    "half": HALF,
    "hostile": HOSTILE,
    "broken": BROKEN,
    "stub": "",
    "exits": "import os\nos._exit(0)\n",
    "lies": "def double(x): raise SystemExit(0)\ndef prune(model): return model\n",
    "text": "def double(x): return 'two'\n",
}
POINTS = {"right": 100, "right-too": 100, "half": 30, "broken": 0, "stub": 0, "exits": 0}
"""Points that the small class's tests give, where they are plain."""


def make_class(folder: Path, texts: dict[str, str] | None = None) -> Path:
    """A folder for each submission, and one that holds none."""
    for name, text in (TEXTS if texts is None else texts).items():
        (folder / name / "assignment").mkdir(parents=True, exist_ok=True)
        (folder / name / "assignment" / "compression.py").write_text(text)
    (folder / "nothing").mkdir(exist_ok=True)
    return folder


def small_suites(folder: Path, **files: str) -> Path:
    return folder if folder.exists() else make_suites(folder, **files)


def settings_of(suites: Path) -> Settings:
    return Settings(str(suites), competes=False)


def graded(place: Path, out: Path, suites: Path, **facts: Any) -> Done:
    """Grade in this process."""
    return grade_class(Order(place, out, settings_of(suites), **{"seed": 7, "jobs": 2, **facts}))


def class_arguments(place: Path, out: Path, suites: Path, *options: object) -> list[object]:
    fixed = ("--suites", suites, "--no-compete", "--seed", 7, "--jobs", 2)
    return ["grade-class", place, "--out", out, *fixed, *options]


def class_command(place: Path, out: Path, suites: Path, *options: object) -> list[str]:
    return command(*class_arguments(place, out, suites, *options))


def class_run(place: Path, out: Path, suites: Path, *options: object) -> subprocess.CompletedProcess[str]:
    """The command line, to its end."""
    return run_grader(*class_arguments(place, out, suites, *options))


def started(arguments: list[str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(arguments, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def rows_of(out: Path) -> dict[str, dict[str, str]]:
    with (out / "_class" / "summary.csv").open(newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def record_of(out: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / name / "result.json").read_text())
    return found


def runs_of(out: Path) -> dict[str, Any]:
    """The runs that are kept of each student, with the moment that each was begun."""
    return {
        path.parent.parent.parent.name + "/" + path.parent.name: json.loads(path.read_text())["grader"]
        for path in sorted(out.glob("*/runs/0*/result.json"))
    }


def wait_until(met: Any, seconds: float = 240) -> None:
    until = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.02)


def warm_processes(of: int) -> list[int]:
    """Processes of a class that a parent started."""
    import psutil  # type: ignore[import-untyped]

    try:
        return [child.pid for child in psutil.Process(of).children(recursive=True)]
    except psutil.Error:
        return []


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill_at(arguments: list[str], out: Path, count: int) -> None:
    """Begin to grade, and SIGKILL the process once so many results are there; all it started must go too."""
    process = started(arguments)
    wait_until(lambda: len(list(out.glob("*/runs/0*"))) >= count or process.poll() is not None, 6 * 3600)
    family = warm_processes(process.pid)
    assert process.poll() is None, "it was over before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    wait_until(lambda: not any(map(is_alive, family)))

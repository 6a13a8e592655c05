"""otter-grader for students: the files behind `grader.check("part1")` to `grader.check("part6")` in a notebook.

    python -m grader export otter-checks FOLDER

    import otter
    grader = otter.Notebook(tests_dir="FOLDER")
    grader.check("part1")

A check runs the public tests of its part on compression.py as it is saved, in a process of its own, so that no
kernel has to be restarted. There is a case for each function. Students may read all of it.
"""

from __future__ import annotations

from pathlib import Path

from grader.export.bundle import Files, write_folder
from grader.export.graded_tests import GradedTest, graded_tests
from grader.rules import SuitePaths, read_points

CHECK = '''\
"""Part {part} for otter-grader: its public tests, on compression.py as it is saved."""

import functools
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from otter.test_files import test_case

OK_FORMAT = False

name = "part{part}"

FAILED = ("failure", "error")


@functools.cache
def failures():
    """What each failing test of the part says, by its name; everything where pytest itself did not run."""
    root = next(path for path in (Path.cwd(), *Path.cwd().parents) if (path / "tests_public").is_dir())
    files = sorted(map(str, (root / "tests_public").glob("test_part{part}_*.py")))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        options = ["-q", "--tb=short", "-p", "no:cacheprovider", f"--junitxml={{report}}"]
        command = [sys.executable, "-m", "pytest", *options, *files]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if not report.exists():
            raise RuntimeError(done.stdout + done.stderr)
        cases = list(ET.parse(report).iter("testcase"))
    said = {{case.get("name"): each.get("message") for case in cases for each in case if each.tag in FAILED}}
    return {{test: sentence(message) for test, message in said.items()}}


def sentence(message):
    """What the test's author wrote, without pytest's own words before and after it."""
    return re.sub(r"^[\\w.]+Error: ", "", message).partition("\\nassert ")[0]


def check(*tests):
    found = list(dict.fromkeys(failures()[test] for test in tests if test in failures()))
    assert not found, "\\n".join(found)
'''

CASE = """

@test_case(name={function!r}, points={points})
def case_{number}():
    check({tests})
"""


def write(path: Path) -> None:
    write_folder(check_files(), path, mark="part1.py")


def check_files() -> Files:
    tests = graded_tests("public")
    return {f"part{part}.py": check_file(part, tests) for part in sorted({test.part for test in tests})}


def check_file(part: int, tests: list[GradedTest]) -> bytes:
    worth = read_points(SuitePaths().points_file)
    text = [CHECK.format(part=part)]
    for number, function in enumerate((name for name, each in worth.items() if each.part == part), 1):
        names = ", ".join(repr(test.name) for test in tests if test.function == function)
        text.append(CASE.format(function=function, points=worth[function].public, number=number, tests=names))
    return "".join(text).encode()

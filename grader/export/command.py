"""The part of the command line that is about other systems: `grade --junit FILE ...`, and `export`."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable
from pathlib import Path

from grader import UnusableError
from grader.classroom import gradebook
from grader.export import classroom50
from grader.export.bundle import as_json
from grader.export.json_report import json_report
from grader.export.junit import junit
from grader.record import Record, write_whole

Render = Callable[[Record], bytes]

EXAMPLES = """\
examples:
  python -m grader export gradescope autograder.zip
      the zip to upload as a Gradescope autograder; hidden tests are in it (docs/gradescope.md)
  python -m grader export classroom50 autograders/featherweight
      the folder to commit to a Classroom 50 repository; students can read it (docs/classroom50.md)
  python -m grader export otter autograder.zip
      the zip for `otter run -a autograder.zip compression.py` (docs/otter.md)
  python -m grader export gradebook results grades.csv --format canvas --into exported.csv
      a class's grades, in the file that Canvas exported (docs/grading-a-class.md)
"""


def classroom50_here() -> Render:
    """With what Classroom 50 says in this environment. Raises UnusableError where it does not."""
    context = classroom50.context_from(os.environ)
    return lambda record: as_json(classroom50.result_of(record, context))


REPORTS: dict[str, tuple[Callable[[], Render], str]] = {
    "junit": (lambda: junit, "also write the tests as JUnit XML"),
    "json-report": (lambda: lambda record: as_json(json_report(record)), "also as pytest-json-report does"),
    "classroom50": (classroom50_here, "also as Classroom 50's result.json (docs/classroom50.md)"),
}
"""Each option of `grade` that writes one more file: what makes it of a record, once asked, and its help."""


def add_reports(grade: argparse.ArgumentParser) -> None:
    for name, (_, text) in REPORTS.items():
        grade.add_argument(f"--{name}", metavar="FILE", type=Path, help=text)


def wanted_reports(options: argparse.Namespace) -> dict[Path, Render]:
    """What to write where. Raises UnusableError, before anything is graded, where it could not be written."""
    wanted = {}
    for name, (prepare, _) in REPORTS.items():
        path = getattr(options, name.replace("-", "_"))
        if path is None:
            continue
        if path.is_dir() or not path.parent.is_dir():
            raise UnusableError(f"--{name} needs a file in a folder that exists, got {path}")
        wanted[path] = prepare()
    return wanted


def write_reports(record: Record, wanted: dict[Path, Render]) -> None:
    for path, render in wanted.items():
        write_whole(path, render(record))
        print(f"written: {path}")


SYSTEMS = {
    "gradescope": ("OUT.zip", "an autograder for Gradescope (hidden tests are in it)"),
    "otter": ("OUT.zip", "an autograder for `otter run` (names of hidden tests are in it)"),
    "otter-checks": ("FOLDER", "the files behind a notebook's grader.check(...), for students"),
    "classroom50": (
        "FOLDER",
        "the folder of an assignment's autograder.py for Classroom 50 (public tests alone)",
    ),
}
"""Each system that the assignment can be exported to, which is a module here: what it writes, and its help."""


def add_export(commands: argparse._SubParsersAction) -> None:
    export = commands.add_parser(
        "export",
        help="write the assignment as an autograder of another system, or a class's grades",
        description="Write the assignment as an autograder of another system, or a class's grades for it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    systems = export.add_subparsers(title="systems", metavar="SYSTEM", required=True)
    for name, (shape, text) in SYSTEMS.items():
        system = systems.add_parser(name, help=text, description=f"Write {text}.")
        system.add_argument("out", metavar=shape, type=Path)
        system.set_defaults(run=run_export, system=name)
    text = "a class's grades for Canvas, Moodle or Gradescope"
    grades = systems.add_parser("gradebook", help=text, description=f"Write {text}.")
    gradebook.add_arguments(grades)


def run_export(options: argparse.Namespace) -> int:
    importlib.import_module(f"grader.export.{options.system.replace('-', '_')}").write(options.out)
    print(f"written: {options.out}")
    return 0

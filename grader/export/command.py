"""The part of the command line that is about other systems: `grade --junit FILE ...`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from grader import UnusableError
from grader.export.json_report import json_report
from grader.export.junit import junit
from grader.record import Record, write_whole

Render = Callable[[Record], bytes]


def as_json(document: object) -> bytes:
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()


REPORTS: dict[str, tuple[Render, str]] = {
    "junit": (junit, "also write the tests as JUnit XML"),
    "json-report": (
        lambda record: as_json(json_report(record)),
        "also write them as pytest-json-report does",
    ),
}
"""Each option of `grade` that writes one more file: how to make it from the record, and its help."""


def add_reports(grade: argparse.ArgumentParser) -> None:
    for name, (_, text) in REPORTS.items():
        grade.add_argument(f"--{name}", metavar="FILE", type=Path, help=text)


def wanted_reports(options: argparse.Namespace) -> dict[Path, Render]:
    """What to write where. Raises UnusableError, before anything is graded, where it could not be written."""
    wanted = {}
    for name, (render, _) in REPORTS.items():
        path = getattr(options, name.replace("-", "_"))
        if path is None:
            continue
        if path.is_dir() or not path.parent.is_dir():
            raise UnusableError(f"--{name} needs a file in a folder that exists, got {path}")
        wanted[path] = render
    return wanted


def write_reports(record: Record, wanted: dict[Path, Render]) -> None:
    for path, render in wanted.items():
        write_whole(path, render(record))
        print(f"written: {path}")

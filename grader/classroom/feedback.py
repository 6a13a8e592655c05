"""A page for each student, in Markdown and HTML: points by part, what failed and why, the competition.

A function of the record, the roster's line and the packed model alone. It opens from disk and loads nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from assignment.artifact import ArtifactError, ledger
from grader.classroom.plan import final_points
from grader.classroom.results import Shelf
from grader.classroom.roster import Student
from grader.grade import ARTIFACT
from grader.record import Record, write_whole
from grader.table import PARTS, shown

TEMPLATES = Path(__file__).with_name("templates")
MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&$@:])")


@dataclass(frozen=True)
class PartPoints:
    title: str
    points: float | None
    max_points: float
    passed: int
    tests: int

    @property
    def percent(self) -> float:
        return 100 * (self.points or 0) / self.max_points if self.max_points else 0.0


@dataclass(frozen=True)
class Failure:
    """One reason of one function, and how many tests gave it."""

    function: str
    reason: str
    count: int


@dataclass(frozen=True)
class ArrayBytes:
    name: str
    size_bytes: int
    percent: float


def parts_of(record: Record) -> list[PartPoints]:
    found = []
    for part, title in PARTS.items():
        tests = [test for test in record["tests"] if test["part"] == part]
        if tests:
            undecided = any(test["points"] is None for test in tests)
            points = None if undecided else sum(test["points"] for test in tests)
            passed = sum(test["outcome"] == "passed" for test in tests)
            found.append(PartPoints(title, points, sum(t["max_points"] for t in tests), passed, len(tests)))
    return found


def failures_of(record: Record) -> list[Failure]:
    """Authored reasons, which say no input and no expected value."""
    counts = Counter(
        (test["part"], test["function"], test["reason"])
        for test in record["tests"]
        if test["outcome"] == "failed"
    )
    ordered = sorted(counts.items(), key=lambda item: item[0][:2])
    return [Failure(function, reason, count) for (_, function, reason), count in ordered]


def arrays_of(path: Path) -> list[ArrayBytes]:
    """Where the bytes of a packed model went; nothing where there is none."""
    try:
        rows = ledger(path.read_bytes())
    except (OSError, ArtifactError):
        return []
    largest = max(row.size_bytes for row in rows) or 1
    return [
        ArrayBytes(f"{row.layer} {row.array}".strip(), round(row.size_bytes), 100 * row.size_bytes / largest)
        for row in rows
    ]


def escaped(value: Any) -> str:
    """Text as Markdown shows it, whatever signs it has."""
    return MARKDOWN_SIGNS.sub(r"\\\1", " ".join(str(value).split()))


def templates() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"points": lambda value: "undecided" if value is None else shown(value), "md": escaped}
    return made


def facts_of(shelf: Shelf, student: Student, record: Record) -> dict[str, Any]:
    return {
        "student": student,
        "record": record,
        "final": final_points(record),
        "late": record.get("lateness"),
        "parts": parts_of(record),
        "failures": failures_of(record),
        "entry": record["competition"],
        "arrays": arrays_of(shelf.folder / ARTIFACT),
    }


def write_feedback(shelf: Shelf, made: jinja2.Environment) -> bool:
    """Write feedback.md and feedback.html into the student's folder; False where nothing was graded."""
    student, record = shelf.student(), shelf.result()
    if student is None or record is None:
        return False
    facts = facts_of(shelf, student, record)
    for name in ("feedback.md", "feedback.html"):
        text = made.get_template(f"{name}.j2").render(facts)
        write_whole(shelf.folder / name, text.encode("utf-8", "replace"))
    return True

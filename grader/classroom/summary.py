"""One row for each student: what became of their submission. A function of the folder of results."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace

from grader.classroom.cells import safe
from grader.classroom.plan import final_points
from grader.classroom.results import Results, Shelf
from grader.record import Record, write_whole

SUMMARY = "summary.csv"
GRADED, MISSING, ERROR, WAITING = "graded", "missing", "grader error", "not graded yet"
LEFT = "not in the class"


@dataclass(frozen=True)
class Row:
    """status: "graded", "missing" (nothing to grade), "grader error" (no points decided), "not graded yet" or "not in
    the class": who left it, with what they had.
    """

    id: str
    status: str
    points: float | None = None
    max_points: float | None = None
    penalty: float | None = None
    final: float | None = None
    public: str = ""
    hidden: str = ""
    score: float | None = None
    bytes: int | None = None
    accuracy_percent: float | None = None
    ranked: bool | None = None
    commit: str = ""
    sha256: str = ""
    reason: str = ""


def rows(results: Results) -> list[Row]:
    enrolled = {shelf.id for shelf in results.enrolled()}
    found = (row_of(shelf) for shelf in results.shelves())
    return [row if row.id in enrolled else replace(row, status=LEFT) for row in found]


def row_of(shelf: Shelf) -> Row:
    student, record = shelf.student(), shelf.result()
    if student is not None and student.missing:
        return Row(shelf.id, MISSING, reason=student.missing)
    if record is None:
        return Row(shelf.id, WAITING)
    late, entry, totals = record.get("lateness"), record["competition"] or {}, record["totals"]
    return Row(
        shelf.id,
        GRADED if record["error"] is None else ERROR,
        totals["points"],
        totals["max_points"],
        None if late is None else late["penalty_points"],
        final_points(record),
        passed(record, "public"),
        passed(record, "hidden"),
        entry.get("score"),
        entry.get("bytes"),
        entry.get("accuracy_percent"),
        entry.get("ranked"),
        record["submission"]["commit"] or "",
        record["submission"]["sha256"],
        record["error"] or "",
    )


def passed(record: Record, suite: str) -> str:
    """As "52 of 55"; empty where the suite did not run. Not "52/55", which a spreadsheet takes for a date."""
    tests = [test for test in record["tests"] if test["suite"] == suite]
    return f"{sum(test['outcome'] == 'passed' for test in tests)} of {len(tests)}" if tests else ""


def write_summary(made: Iterable[Row], results: Results) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([each.name for each in fields(Row)])
    for row in made:
        writer.writerow(["" if cell is None else safe(str(cell)) for cell in asdict(row).values()])
    write_whole(results.own / SUMMARY, text.getvalue().encode())


def counted(made: Iterable[Row]) -> str:
    counts = Counter(row.status for row in made)
    return ", ".join(
        f"{counts[status]} {status}" for status in (GRADED, MISSING, ERROR, WAITING, LEFT) if counts[status]
    )

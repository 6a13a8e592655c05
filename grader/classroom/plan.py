"""Who is to be graded, and why: nobody whose file, tests, grader, rules and data are those of their last run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from grader import UnusableError
from grader.classroom import key
from grader.classroom.key import Key
from grader.classroom.points import Points, named
from grader.classroom.results import Results, read_json
from grader.classroom.roster import Student
from grader.classroom.task import Settings, Task
from grader.grade import RESULT
from grader.intake import take
from grader.record import Record
from grader.sandbox import NoSandbox


@dataclass(frozen=True)
class Line:
    """One student. task: what to grade, where there is something. why: the reason; empty where nothing is to do."""

    student: Student
    task: Task | None
    key: Key | None
    why: str


class Planner:
    """Compares the class as it is with the results there are."""

    def __init__(self, results: Results, settings: Settings, data: str):
        self.results, self.settings = results, settings
        self.common: dict[str, Any] = {
            "tests": key.tests_sha256(settings.paths),
            "grader": key.grader_sha256(),
            "rules": key.rules(),
            "canary": key.canary_sha256(None if settings.canary is None else Path(settings.canary)),
            "data": data,
            "seed": settings.seed,
            "suites": settings.tests,
            "competes": settings.competes,
            "twice": settings.twice,
            "is_sandboxed": settings.sandbox != NoSandbox.name,
            "environment": key.environment(),
        }

    def line(self, student: Student) -> Line:
        """Reads the submission once: what is hashed here is what is graded."""
        if student.missing:
            return Line(student, None, None, "")
        try:
            source = take(Path(student.path))
        except UnusableError as error:
            return Line(missing(student, str(error)), None, None, "")
        task = Task(
            student.handle,
            source.source,
            source.content,
            source.sha256,
            source.size_bytes,
            student.commit or None,
        )
        own = Key(file=source.sha256, **self.common)
        return Line(student, task, own, self.why(student.handle, own))

    def why(self, name: str, own: Key) -> str:
        shelf = self.results.shelf(name)
        job = shelf.job()
        if job is None:
            return "never graded"
        if job["is_error"]:
            return "grader error"
        return ", ".join(own.differences(job["key"]))


def missing(student: Student, why: str) -> Student:
    return Student(**{**student.__dict__, "missing": " ".join(why.split()), "path": student.path})


def chosen(lines: Iterable[Line], only: list[str]) -> list[Line]:
    """Those whose names fit one of the patterns; all where there is none. Raises UnusableError for an idle pattern."""
    everybody = list(lines)
    if not only:
        return everybody
    names = [line.student.handle for line in everybody]
    idle = [pattern for pattern in only if not any(fnmatchcase(name, pattern) for name in names)]
    if idle:
        raise UnusableError(f"--only {idle[0]} fits nobody in the class")
    return [line for line in everybody if any(fnmatchcase(line.student.handle, each) for each in only)]


def affected(results: Results, name: str, test: str) -> bool:
    """Whether a change of that test can raise somebody's points: they did not pass it, or never met it."""
    run = results.shelf(name).newest_run()
    record: Record | None = None if run is None else read_json(run / RESULT)
    if record is None:
        return True
    found = [each for each in record["tests"] if test in (named(each), each["name"], base_name(each["name"]))]
    return not found or any(each["outcome"] != "passed" for each in found)


def base_name(name: str) -> str:
    return name.partition("[")[0]


@dataclass(frozen=True)
class Move:
    """Points that counted, and those that count with today's points, deadlines and rules."""

    id: str
    before: float | None
    after: float | None


def moves(results: Results, points: Points, students: Iterable[Student] = ()) -> list[Move]:
    """Whose points move without running any code, from what to what, if these are the roster's lines."""
    lines = {student.handle: student for student in students}
    found = []
    for shelf in results.shelves():
        before, after = shelf.result(), shelf.counting(points, lines.get(shelf.id))
        if before is not None and after is not None and final_points(before) != final_points(after):
            found.append(Move(shelf.id, final_points(before), final_points(after)))
    return found


def final_points(record: Record) -> float | None:
    """What counts in the end: after lateness, where there was a deadline. None where the grader failed."""
    late = record.get("lateness")
    points: float | None = record["totals"]["points"] if late is None else late["final_points"]
    return points

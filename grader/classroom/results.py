"""The folder of a class's results. Everything in it is written whole or not at all.

    RESULTS/ID/runs/0001/       one grading: result.json, model.fw, log.txt, compression.py, and job.json (its key);
                                never changed
    RESULTS/ID/student.json     the student's line of the roster
    RESULTS/ID/result.json      what counts: the newest run, with today's points and lateness
    RESULTS/ID/history/0001.json  what counted before
    RESULTS/ID/accepted.json    a later key that the newest run stands for as well: see --affected-by
    RESULTS/regrade.toml        the instructor's: see grader.classroom.points
    RESULTS/_class/             settings, who is in the class, the summary, the report

`result.json` is a function of the other files: a process that dies between two of them leaves nothing that the
next one does not put right.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader import GraderError, UnusableError
from grader.classroom.lateness import lateness
from grader.classroom.points import Points, repointed
from grader.classroom.roster import Student, student_from
from grader.grade import ARTIFACT, LOG, RESULT, made_folder
from grader.process import remove
from grader.record import Record, check, write_whole

CLASS, SETTINGS, STUDENTS, LOCK = "_class", "class.json", "students.json", ".lock"
STUDENT, JOB, SOURCE, ACCEPTED = "student.json", "job.json", "compression.py", "accepted.json"


def as_json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()


def read_json(path: Path) -> Any:
    """What a file of ours holds; None where it is not there. Raises GraderError where it is broken."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise GraderError(f"{path} cannot be read ({error}): remove it, and grade again") from error


@dataclass(frozen=True)
class Shelf:
    """One student's folder."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    def student(self) -> Student | None:
        facts = read_json(self.folder / STUDENT)
        return None if facts is None else student_from(facts)

    def result(self) -> Record | None:
        """What counts."""
        record: Record | None = read_json(self.folder / RESULT)
        return record

    def history(self) -> list[Record]:
        """What counted before, the oldest first."""
        return [read_json(path) for path in numbered(self.folder / "history", "*.json")]

    def newest_run(self) -> Path | None:
        runs = numbered(self.folder / "runs")
        return runs[-1] if runs else None

    def newest_source(self) -> bytes | None:
        run = self.newest_run()
        return None if run is None else (run / SOURCE).read_bytes()

    def job(self) -> dict[str, Any] | None:
        """What the newest run was made with, or is accepted for."""
        run = self.newest_run()
        if run is None:
            return None
        job: dict[str, Any] = read_json(run / JOB)
        accepted = read_json(self.folder / ACCEPTED)
        return job | {"key": accepted["key"]} if accepted and accepted["run"] == run.name else job

    def accept(self, key: dict[str, Any], why: str) -> None:
        """The newest run stands for that key too."""
        run = self.newest_run()
        assert run is not None
        write_whole(self.folder / ACCEPTED, as_json({"run": run.name, "key": key, "why": why}))

    def add_run(self, files: dict[str, bytes]) -> Path:
        """Keep a grading: a folder that appears whole."""
        runs = made_folder(self.folder / "runs")
        newest = self.newest_run()
        made = Path(tempfile.mkdtemp(prefix=".", dir=runs))
        for name, content in files.items():
            write_whole(made / name, content)
        made.chmod(0o755)
        place = runs / f"{1 if newest is None else int(newest.name) + 1:04}"
        made.rename(place)
        sync(runs)
        return place

    def put_student(self, student: Student) -> None:
        made_folder(self.folder)
        content = as_json({name: value for name, value in asdict(student).items() if value})
        replace_where_other(self.folder / STUDENT, content)

    def counting(self, points: Points, student: Student | None = None) -> Record | None:
        """What `result.json` is to hold: a function of the newest run, the roster's line and the points.

        student: another line than the one that is kept.
        """
        run = self.newest_run()
        record = None if run is None else read_json(run / RESULT)
        if record is None:
            return None
        made = repointed(record, points)
        student = student or self.student()
        late = None
        if student is not None:
            until = (student.due, student.extension, student.late_rule)
            late = lateness(*until, student.observed, made["totals"])
        if late is not None:
            made["lateness"] = late
        return made

    def publish(self, points: Points) -> bool:
        """Bring `result.json` up to date; what it held goes to the history. Whether it changed."""
        record = self.counting(points)
        if record is None:
            return False
        content, file = as_json(record), self.folder / RESULT
        before = file.read_bytes() if file.is_file() else None
        if content == before:
            return False
        check(record)
        if before is not None:
            self._remember(before)
        run = self.newest_run()
        assert run is not None
        for name in (ARTIFACT, LOG):
            if (run / name).is_file():
                write_whole(self.folder / name, (run / name).read_bytes())
            else:
                (self.folder / name).unlink(missing_ok=True)
        write_whole(file, content)
        return True

    def _remember(self, content: bytes) -> None:
        folder = made_folder(self.folder / "history")
        earlier = numbered(folder, "*.json")
        if not earlier or earlier[-1].read_bytes() != content:
            write_whole(folder / f"{len(earlier) + 1:04}.json", content)


def numbered(folder: Path, pattern: str = "*") -> list[Path]:
    """Files or folders named 0001, 0002, ... in order; half-written ones have other names."""
    found = folder.glob(pattern) if folder.is_dir() else ()
    return sorted((path for path in found if path.stem.isdecimal()), key=lambda path: int(path.stem))


def replace_where_other(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content)


def sync(folder: Path) -> None:
    """Have the disk know what is in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Results:
    """The folder of all."""

    root: Path

    @property
    def own(self) -> Path:
        return self.root / CLASS

    def shelf(self, name: str) -> Shelf:
        return Shelf(self.root / name)

    def shelves(self) -> list[Shelf]:
        """Everybody that ever had a line, in the order of their names. Raises UnusableError where this is no class."""
        if not (self.own / SETTINGS).is_file():
            raise UnusableError(f"{self.root} holds no class's results: make them with `grade-class`")
        found = (path.parent for path in self.root.glob(f"*/{STUDENT}"))
        return [Shelf(path) for path in sorted(found, key=lambda path: path.name)]

    def enrolled(self) -> list[Shelf]:
        """Those who are in the class as it was last read; who left keeps a folder, and is not among them."""
        names: list[str] | None = read_json(self.own / STUDENTS)
        return [shelf for shelf in self.shelves() if names is None or shelf.id in names]

    def put_class(self, handles: Iterable[str]) -> None:
        """Say who is in the class now."""
        replace_where_other(self.own / STUDENTS, as_json(sorted(handles)))

    def settings(self) -> dict[str, Any] | None:
        facts: dict[str, Any] | None = read_json(self.own / SETTINGS)
        return facts

    def put_settings(self, facts: dict[str, Any]) -> None:
        made_folder(self.own)
        replace_where_other(self.own / SETTINGS, as_json(facts))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else writes here meanwhile. Raises UnusableError where somebody does."""
        made_folder(self.own)
        with (self.own / LOCK).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise UnusableError(
                    f"another grade-class writes into {self.root}: wait for it, or stop it"
                ) from error
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Away with what a process left half-written when it died."""
        for pattern in ("*/runs/.*", "*/.*.*", "*/history/.*"):
            for path in self.root.glob(pattern):
                remove(path)

"""Who is in the class, and where their submissions are: a CSV file, or a folder of submissions.

A roster has a header. `handle` must be there; the other columns are those of `Student`, in any order, and
whatever else a list of students may hold. Excel's semicolons, byte order marks and UTF-16 are read as well.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import itertools
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from grader import UnusableError
from grader.classroom.lateness import read_rule, read_time

HANDLE = re.compile(r"(?=.{3,32}$)[a-z0-9]+(-[a-z0-9]+)*")
COMMIT = re.compile(r"[0-9a-f]{7,64}")
COLLECTED = "collected.csv"
"""What `collect` leaves in its folder: the roster, with what it found."""

LARGEST_ROSTER = 16 * 2**20
LONGEST_CELL = 500
KINDS = (".py", ".zip")
BESIDE = "regrade.toml"
"""The instructor's own, in the folder of results beside those of the students."""


@dataclass(frozen=True)
class Student:
    """A line of the roster, which is also a line of the class's results.

    handle: their name here, and that of their folder. repository, commit: where their work is from.
    path: the submission on this machine. missing: why there is none.
    observed: when a server saw the commit; chosen_by: how it was chosen.
    """

    handle: str
    repository: str = ""
    commit: str = ""
    path: str = ""
    missing: str = ""
    chosen_by: str = ""
    observed: str = ""
    due: str = ""
    extension_hours: str = ""
    late_rule: str = ""
    name: str = ""
    email: str = ""
    student_id: str = ""
    login: str = ""
    section: str = ""

    @property
    def extension(self) -> float:
        return float(self.extension_hours or 0)

    @property
    def identities(self) -> set[str]:
        """What a gradebook may know them by."""
        known = (self.student_id, self.login, self.email, self.handle)
        return {each.casefold() for each in known if each}


COLUMNS = tuple(each.name for each in fields(Student))


def read_class(path: Path) -> list[Student]:
    """The class in a roster, in a folder that `collect` filled, or in any folder of submissions.

    Raises UnusableError where there is no class.
    """
    if path.is_dir() and (path / COLLECTED).is_file():
        path = path / COLLECTED
    if path.is_dir():
        return students_in(path)
    students = read_roster(path)
    return [each if each.missing else replace(each, path=found_at(path.parent, each)) for each in students]


def found_at(folder: Path, student: Student) -> str:
    """Where a roster's line has its submission: as it says, or under the handle beside the roster."""
    if student.path:
        return str(folder / student.path)
    names = (student.handle, *(f"{student.handle}{kind}" for kind in KINDS))
    return str(next((folder / name for name in names if (folder / name).exists()), folder / student.handle))


def read_roster(path: Path) -> list[Student]:
    """Raises UnusableError, with the line, for whatever is not as it must be."""
    rows = read_rows(path)
    if not rows or not any(rows[0][1]):
        raise UnusableError(f"{path} is empty: a roster begins with a line of column names")
    header = columns_of(path, rows[0][1])
    students = []
    for line, cells in rows[1:]:
        if len(cells) > len(header) and any(cells[len(header) :]):
            raise UnusableError(f"{path}, line {line} has more cells than the header has names")
        given = {name: cell for name, cell in zip(header, cells, strict=False) if name in COLUMNS}
        students.append(checked(Student(**{"handle": "", **given}), f"{path}, line {line}"))
    if not students:
        raise UnusableError(f"{path} has a header and no student")
    twice = [name for name, count in Counter(each.handle for each in students).items() if count > 1]
    if twice:
        raise UnusableError(f"{path} has more than one line for {', '.join(twice[:5])}")
    return students


def read_rows(path: Path) -> list[tuple[int, list[str]]]:
    """The lines of a CSV file that hold anything, numbered, each cell without the blanks around it."""
    reader, rows = reader_of(read_text(path)), []
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(len(cell) > LONGEST_CELL for cell in stripped):
                raise UnusableError(
                    f"{path}, line {reader.line_num}: a cell has over {LONGEST_CELL} characters"
                )
            if any(stripped):
                rows.append((reader.line_num, stripped))
    except csv.Error as error:
        raise UnusableError(f"{path}, line {reader.line_num} is not CSV: {error}") from error
    return rows


def reader_of(text: str) -> Any:
    """A CSV reader with the delimiter that the header has most of."""
    header = text.partition("\n")[0]
    return csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)


def read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_ROSTER + 1)
    except OSError as error:
        raise UnusableError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_ROSTER:
        raise UnusableError(f"{path} is larger than {LARGEST_ROSTER // 2**20} MiB")
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnusableError(f"{path} is not UTF-8: save it as 'CSV UTF-8'") from error
    if "\0" in text:
        raise UnusableError(f"{path} holds bytes that are no text: save it as 'CSV UTF-8'")
    return text


def columns_of(path: Path, cells: list[str]) -> list[str]:
    """The header's names as ours. A name that is nearly one of ours is a mistake, others are left alone."""
    names = [re.sub(r"[ -]+", "_", cell.lower()) for cell in cells]
    for name in names:
        near = difflib.get_close_matches(name, COLUMNS, 1, 0.85)
        if near and name not in COLUMNS:
            raise UnusableError(f"{path} has a column {name!r}: is {near[0]!r} meant?")
        if name in COLUMNS and names.count(name) > 1:
            raise UnusableError(f"{path} has more than one column {name!r}")
    if "handle" not in names:
        raise UnusableError(f"{path} has no column 'handle', only {', '.join(filter(None, names))[:200]}")
    return names


def checked(student: Student, where: str) -> Student:
    """The student, if every cell is what it must be. Raises UnusableError."""
    if not HANDLE.fullmatch(student.handle):
        rule = "3 to 32 lower-case letters and digits, in words joined by single hyphens"
        raise UnusableError(f"{where}: a handle is {rule}, got {student.handle!r}")
    if student.commit and not COMMIT.fullmatch(student.commit):
        raise UnusableError(f"{where}: a commit is 7 to 64 hexadecimal digits, got {student.commit!r}")
    for name, cell in asdict(student).items():
        if not cell.isprintable():
            raise UnusableError(f"{where}: {name} holds a character that cannot be printed")
    try:
        if not 0 <= student.extension <= 24 * 366:
            raise ValueError
    except ValueError as error:
        got = student.extension_hours
        raise UnusableError(f"{where}: extension_hours is a number of hours, got {got!r}") from error
    try:
        read_rule(student.late_rule)
        for time in filter(None, (student.due, student.observed)):
            read_time(time)
    except ValueError as error:
        raise UnusableError(f"{where}: {error}") from error
    return student


def students_in(folder: Path) -> list[Student]:
    """A folder of submissions: one folder, zip or .py file each, which gives it its name."""
    if (folder / "assignment" / "compression.py").exists():
        raise UnusableError(f"{folder} is one submission, not a class: grade it with `grade`")
    paths = sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(".") and (path.is_dir() or path.suffix.lower() in KINDS)
    )
    if not paths:
        raise UnusableError(f"{folder} holds no submissions: folders, zips or .py files")
    names = unique_names((path.name if path.is_dir() else path.stem, path.name) for path in paths)
    commits = [commit_beside(path) for path in paths]
    return [
        Student(name, path=str(path), commit=commit)
        for name, path, commit in zip(names, paths, commits, strict=True)
    ]


def unique_names(names: Iterable[tuple[str, str]]) -> list[str]:
    """Names fit for folders, all different, also where capitals do not count; each is given with its file's.

    One that would be like another's has a few digits made of its file's name at its end, and more of them where
    somebody's own name is like that.
    """
    wanted = list(names)
    made = [re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:60] or "submission" for name, _ in wanted]
    for times in itertools.count(1):
        counts = Counter([BESIDE, *(name.casefold() for name in made)])
        if max(counts.values()) == 1:
            break
        made = [
            name if counts[name.casefold()] == 1 else f"{name}-{digits_of(file * times)}"
            for name, (_, file) in zip(made, wanted, strict=True)
        ]
    return made


def digits_of(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:12]


def commit_beside(path: Path) -> str:
    """The commit that `collect` noted beside a submission; empty where there is none."""
    try:
        descriptor = os.open(
            path / "commit", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        )  # a FIFO is not waited for
        with os.fdopen(descriptor, "rb") as file:
            text = file.read(80).decode("ascii").strip()
    except (OSError, ValueError):
        return ""
    return text if COMMIT.fullmatch(text) else ""


def student_from(facts: dict[str, Any]) -> Student:
    return Student(**{name: str(facts.get(name) or "") for name in COLUMNS})

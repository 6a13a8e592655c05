"""Grades as Canvas, Moodle and Gradescope take them: a CSV file made of a class's results.

    python -m grader export gradebook RESULTS OUT.csv --format canvas --into exported.csv

Into a file that the system itself exported, so that names and identities are its own: rows are matched by what the
roster knows of a student (student_id, login, email, handle). A student with no decided grade keeps the cell that is
there. Without --into, the rows are made of the roster.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grader import UnusableError
from grader.classroom.cells import safe
from grader.classroom.plan import final_points
from grader.classroom.results import Results, Shelf
from grader.classroom.roster import Student, read_text, reader_of
from grader.record import Record, write_whole
from grader.table import ALL_POINTS, PARTS, shown

ASSIGNMENT = "Featherweight"
Grid = list[list[str]]


@dataclass(frozen=True)
class Graded:
    """A student and what counts for them; `points` None where nothing is decided."""

    student: Student
    record: Record | None

    @property
    def points(self) -> float | None:
        return None if self.record is None else final_points(self.record)

    @property
    def grade(self) -> str:
        return "" if self.points is None else shown(self.points)


@dataclass
class Book:
    """A gradebook's rows, header first, and what could not be put into it."""

    grid: Grid
    unmatched: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)


def graded(results: Results, zero_if_missing: bool = False) -> list[Graded]:
    return [
        Graded(student, counting(shelf, student, zero_if_missing))
        for shelf in results.enrolled()
        if (student := shelf.student()) is not None
    ]


def counting(shelf: Shelf, student: Student, zero_if_missing: bool) -> Record | None:
    """The record that counts. Who handed nothing in has none, or one of 0 points if the instructor says so."""
    if not student.missing:
        return shelf.result()
    totals = {"points": 0, "max_points": ALL_POINTS}
    empty: Record = {"tests": [], "totals": totals, "competition": None, "error": None}
    return empty if zero_if_missing else None


def feedback(record: Record) -> str:
    """One line for a gradebook's cell: points by part, lateness, the competition."""
    words = []
    for part, title in PARTS.items():
        tests = [test for test in record["tests"] if test["part"] == part]
        if tests and all(test["points"] is not None for test in tests):
            got, most = (sum(test[key] for test in tests) for key in ("points", "max_points"))
            words.append(f"{title} {shown(got)}/{shown(most)}")
    late = record.get("lateness")
    if late is not None and late["penalty_points"]:
        words.append(f"late by {late['hours_late']:.1f} h: -{shown(late['penalty_points'])}")
    entry = record["competition"]
    if entry is not None and entry["bytes"] is not None:
        words.append(f"competition {entry['score']:.3f} with {entry['bytes']:,} bytes")
    return "; ".join(words) or "nothing was handed in"


def index_of(everybody: Iterable[Graded]) -> dict[str, list[Graded]]:
    """Everybody by each of their identities."""
    found: dict[str, list[Graded]] = defaultdict(list)
    for each in everybody:
        for identity in each.student.identities:
            found[identity].append(each)
    return found


def matched(cells: Iterable[str], known: dict[str, list[Graded]]) -> Graded | None:
    """The one student that these cells name; None where nobody is. Raises UnusableError where they name two."""
    found = {each.student.handle: each for cell in cells if cell for each in known.get(cell.casefold(), [])}
    if len(found) > 1:
        named = ", ".join(cell for cell in cells if cell)
        raise UnusableError(f"{named} names more than one student of the roster: {', '.join(sorted(found))}")
    return next(iter(found.values()), None)


def column(header: list[str], name: str) -> int | None:
    """Where a column is, whatever its capitals.

    Canvas writes an assignment's number behind its name, Moodle its kind before it and the scale behind.
    """
    pattern = re.compile(rf"(\w+: )?{re.escape(name)}( \((\d+|real|points)\))?", re.IGNORECASE)
    places = [place for place, cell in enumerate(header) if pattern.fullmatch(cell.strip())]
    if len(places) > 1:
        raise UnusableError(
            f"more than one column is named {name!r}: write its number too, as in '{name} (123)'"
        )
    return places[0] if places else None


def filled(
    grid: Grid, everybody: list[Graded], identities: tuple[str, ...], name: str, note: str | None, most: str
) -> Book:
    """A system's own file with the grades in it, and with `note` where it has such a column.

    Raises UnusableError where it is not of that system.
    """
    header = grid[0]
    keys = [place for each in identities if (place := column(header, each)) is not None]
    if not keys:
        raise UnusableError(
            f"the file has none of the columns {', '.join(identities)}: is it another system's?"
        )
    place = column(header, name)
    if place is None:
        header.append(name)
        place = len(header) - 1
    note_place = None if note is None else column(header, note)
    known, met, book = index_of(everybody), set[str](), Book(grid)
    for row in grid[1:]:
        row += [""] * (len(header) - len(row))
        if row[0].strip().casefold() == "points possible":
            row[place] = row[place] or most
            continue
        found = matched([row[key].strip() for key in keys], known)
        if found is None:
            continue
        if found.student.handle in met:  # one of them is somebody else's, whom a chosen name or login is like
            raise UnusableError(
                f"more than one line of the file is {found.student.handle}'s, by what the roster says"
            )
        met.add(found.student.handle)
        if found.points is None:
            book.undecided.append(found.student.handle)
            continue
        assert found.record is not None
        row[place] = found.grade
        if note_place is not None:
            row[note_place] = feedback(found.record)
    book.unmatched = sorted({each.student.handle for each in everybody} - met)
    return book


def made(header: list[str], everybody: list[Graded], row: Callable[[Graded], list[str]]) -> Book:
    """Rows for all whose grade is decided."""
    decided = [each for each in everybody if each.points is not None]
    undecided = [each.student.handle for each in everybody if each.points is None]
    return Book([header, *map(row, decided)], [], undecided)


def canvas(everybody: list[Graded], name: str, into: Grid | None) -> Book:
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", name]
    if into is not None:
        return filled(into, everybody, ("SIS User ID", "SIS Login ID", "ID"), name, None, str(ALL_POINTS))
    book = made(header, everybody, lambda each: [
        each.student.name or each.student.handle, "", each.student.student_id,
        each.student.login or each.student.handle, each.student.section, each.grade])  # fmt: skip
    book.grid.insert(1, ["    Points Possible", "", "", "", "", str(ALL_POINTS)])
    return book


def moodle(everybody: list[Graded], name: str, into: Grid | None) -> Book:
    if into is not None:
        return filled(
            into, everybody, ("Email address", "ID number", "Username"), name, f"{name} (feedback)", ""
        )
    with_mail = all(each.student.email for each in everybody)
    key = "Email address" if with_mail else "ID number"
    return made([key, name, f"{name} (feedback)"], everybody, lambda each: [
        each.student.email if with_mail else each.student.student_id or each.student.handle,
        each.grade, feedback(each.record or {})])  # fmt: skip


def gradescope(everybody: list[Graded], name: str, into: Grid | None) -> Book:
    header = ["First Name", "Last Name", "SID", "Email", name, f"{name} - Max Points"]
    if into is not None:
        return filled(into, everybody, ("SID", "Email"), name, None, "")
    return made(header, everybody, lambda each: [
        *names_of(each.student), each.student.student_id, each.student.email, each.grade,
        str(ALL_POINTS)])  # fmt: skip


def names_of(student: Student) -> tuple[str, str]:
    """First and last name: as in "Lovelace, Ada", or the last word."""
    last, comma, first = student.name.partition(",")
    if comma:
        return first.strip(), last.strip()
    first, _, last = student.name.rpartition(" ")
    return first or student.handle, last


FORMATS: dict[str, Callable[[list[Graded], str, Grid | None], Book]] = {
    "canvas": canvas,
    "moodle": moodle,
    "gradescope": gradescope,
}


def read_grid(path: Path) -> Grid:
    """A system's own file as it is, blanks too. Raises UnusableError."""
    try:
        grid = [cells for cells in reader_of(read_text(path)) if any(cells)]
    except csv.Error as error:
        raise UnusableError(f"{path} is not CSV: {error}") from error
    if not grid:
        raise UnusableError(f"{path} is empty")
    return grid


def as_csv(grid: Grid) -> bytes:
    """Nothing in it is a formula."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[safe(cell) for cell in row] for row in grid])
    return text.getvalue().encode()


def write(options: argparse.Namespace) -> int:
    """`export gradebook`. Prints who is not in it, and why."""
    everybody = graded(Results(options.results), options.zero_if_missing)
    into = None if options.into is None else read_grid(options.into)
    book = FORMATS[options.format](everybody, options.assignment, into)
    write_whole(options.out, as_csv(book.grid))
    for name in book.undecided:
        print(f"no grade is decided for {name}")
    for name in book.unmatched:
        print(f"{options.into} has no line for {name}")
    print(f"written: {options.out}")
    return 0


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("results", metavar="RESULTS", type=Path, help="what `grade-class` wrote")
    command.add_argument("out", metavar="OUT.csv", type=Path, help="the file to write")
    command.add_argument("--format", choices=tuple(FORMATS), required=True)
    command.add_argument(
        "--into", metavar="FILE", type=Path, help="fill in this CSV file, which the system exported"
    )
    command.add_argument(
        "--assignment", metavar="NAME", default=ASSIGNMENT, help=f"its column (default: {ASSIGNMENT})"
    )
    command.add_argument(
        "--zero-if-missing", action="store_true", help="give 0 to those who handed in nothing"
    )
    command.set_defaults(run=write)

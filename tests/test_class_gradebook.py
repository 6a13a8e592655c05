"""Grades for other systems: the right cell for the right student, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from grader import GraderError, UnusableError
from grader.__main__ import main
from grader.classroom.cells import safe
from grader.classroom.lateness import lateness, read_rule, read_time
from grader.classroom.plan import Move, moves
from grader.classroom.points import Points, read_class_points, repointed, strangers
from grader.classroom.results import CLASS, JOB, Results, as_json
from grader.classroom.roster import Student
from grader.record import check
from grader.rules import SuitePaths, Worth
from tests.grading import make_suites
from tests.leaderboard_records import record as sample_record

WORTH = {"double": Worth(1, 10, 20), "prune": Worth(2, 30, 40)}


def entry_of(name: str, function: str, suite: str, outcome: str = "passed") -> dict[str, Any]:
    reason = None if outcome == "passed" else "it is not"
    part = WORTH[function].part
    points = None if outcome == "error" else 0
    return {"name": name, "function": function, "part": part, "suite": suite, "points": points,
            "max_points": 0, "outcome": outcome, "reason": reason}  # fmt: skip


def record(*tests: dict[str, Any], error: str | None = None) -> dict[str, Any]:
    made = json.loads(json.dumps(sample_record()))
    totals = {"points": None if error else 0, "max_points": 0}
    return made | {"tests": list(tests), "competition": None, "totals": totals, "error": error}


GOOD = (
    entry_of("a", "double", "public"),
    entry_of("b", "double", "hidden"),
    entry_of("c", "double", "hidden", "failed"),
    entry_of("d", "prune", "public"),
    entry_of("e", "prune", "hidden", "failed"),
)
"""10 + 10 + 30 = 50 points: half of double's hidden 20, none of prune's hidden 40."""


@pytest.fixture
def results(tmp_path) -> Results:
    """Four students: one graded, one late, one whom the grader failed, one who handed nothing in."""
    made = Results(tmp_path / "results")
    made.put_settings({"seed": 1})
    lines = {
        "ada": (Student("ada", name="=cmd|'/c calc'!A1", email="Ada@x.org", student_id="007"), record(*GOOD)),
        "bob": (Student("bob", name="Bob", email="bob@x.org", login="bob1", due="2026-11-01T12:00:00Z",
                        observed="2026-11-02T12:00:01Z", late_rule="10%/day"), record(*GOOD)),
        "cyn": (Student("cyn", name="Cyn", email="cyn@x.org", student_id="009"), record(error="no disk")),
        "dan": (Student("dan", name="Dan", email="dan@x.org", missing="no repository"), None),
    }  # fmt: skip
    for name, (student, found) in lines.items():
        made.shelf(name).put_student(student)
        if found is not None:
            files = {"result.json": as_json(found), JOB: as_json({}), "compression.py": b""}
            made.shelf(name).add_run(files)
    publish(made)
    return made


def publish(results: Results, **weights: Any) -> None:
    for shelf in results.shelves():
        exact = {name: Fraction(weight) for name, weight in weights.items()}
        shelf.publish(Points(WORTH, "0" * 64, exact))


def exported(results: Results, tmp_path: Path, *options: str) -> list[dict[str, str]]:
    out = tmp_path / "out.csv"
    assert main(["export", "gradebook", str(results.root), str(out), *options]) == 0
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def test_points_follow_the_weights_and_no_code_runs(results):
    assert results.shelf("ada").result()["totals"] == {"points": 50, "max_points": 100}
    publish(results, **{"hidden/c": 0})
    assert results.shelf("ada").result()["totals"] == {"points": 60, "max_points": 100}
    publish(results, **{"hidden/c": 3})
    assert results.shelf("ada").result()["totals"]["points"] == 45
    publish(results, **{"hidden/e": 0})
    assert results.shelf("ada").result()["totals"]["points"] == 90, "all of a function's tests dropped"
    assert [each["totals"]["points"] for each in results.shelf("ada").history()] == [50, 60, 45]
    assert results.shelf("cyn").result()["totals"]["points"] is None
    check(results.shelf("ada").result())


def test_a_plan_says_whose_points_would_move_before_anything_is_written(results):
    before = {path: path.read_bytes() for path in results.root.rglob("*.json")}
    lighter = Points(WORTH, "0" * 64, {"hidden/c": Fraction(0)})
    assert moves(results, lighter) == [Move("ada", 50, 60), Move("bob", 30, 40)]
    extended = replace(results.shelf("bob").student(), extension_hours="48")
    assert moves(results, Points(WORTH, "0" * 64), [extended]) == [Move("bob", 30, 50)]
    assert {path: path.read_bytes() for path in results.root.rglob("*.json")} == before
    assert strangers(Points(WORTH, "", {"hidden/x": Fraction(1)}), [record(*GOOD)]) == ["hidden/x"]


def test_regrade_toml_is_read_or_refused_with_a_sentence(tmp_path):
    paths = SuitePaths(make_suites(tmp_path / "suites"))
    file = tmp_path / "regrade.toml"
    file.write_text('[drop]\n"hidden/x" = "broken"\n[weight]\n"public/y" = 0.5\n')
    found = read_class_points(paths, tmp_path)
    assert {name: float(weight) for name, weight in found.weights.items()} == {"hidden/x": 0, "public/y": 0.5}
    for text in (
        "[dorp]\n",
        '[weight]\n"public/y" = -1\n',
        '[weight]\n"y" = 1\n',
        '[weight]\n"public/y" = "a"\n',
        '[weight]\n"public/y" = "1/0"\n',
    ):
        file.write_text(text)
        with pytest.raises((GraderError, UnusableError), match=r"regrade\.toml"):
            read_class_points(paths, tmp_path)


def test_a_record_of_another_time_keeps_its_outcomes():
    before = record(*GOOD)
    after = repointed(before, Points(WORTH, "1" * 64))
    assert [test["outcome"] for test in after["tests"]] == [test["outcome"] for test in before["tests"]]
    assert before["totals"]["points"] == 0, "the argument is left alone"


@pytest.mark.parametrize(
    ("rule", "hours", "penalty"),
    [
        ("", 100, 0), ("none", 100, 0), ("10%/day", 0, 0), ("10%/day", 0.1, 10), ("10%/day", 24, 10),
        ("10%/day", 24.1, 20), ("1%/hour, max 5%", 30, 5), ("5/day", 25, 10), ("5/day, max 7", 25, 7),
        ("10%/day, grace 15m", 0.25, 0), ("10%/day, grace 15m", 0.26, 10), ("zero", 0.001, 80),
        ("50%/hour", 48, 80),
    ],
)  # fmt: skip
def test_lateness_costs_what_the_rule_says_and_never_more_than_there_is(rule, hours, penalty):
    assert read_rule(rule).penalty(hours, 80, 100) == pytest.approx(penalty)


@pytest.mark.parametrize(
    "rule", ["10", "10%", "10%/week", "10%/day; max 5", "-1/day", "10%/day, max", "1e9/day"]
)
def test_a_rule_that_is_none_is_refused(rule):
    with pytest.raises(ValueError, match="late rule"):
        read_rule(rule)


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-11-30T23:59", "soon"]
)
def test_a_time_that_cannot_be_reckoned_with_is_refused(text):
    with pytest.raises(ValueError, match="time"):
        read_time(text)


def test_lateness_stands_in_the_record_beside_the_raw_points(results):
    late = results.shelf("bob").result()["lateness"]
    assert (late["raw_points"], late["penalty_points"], late["final_points"]) == (50, 20, 30)
    assert results.shelf("bob").result()["totals"]["points"] == 50
    extended = Student(**{**results.shelf("bob").student().__dict__, "extension_hours": "48"})
    results.shelf("bob").put_student(extended)
    publish(results)
    assert results.shelf("bob").result()["lateness"]["final_points"] == 50
    totals = {"points": 50, "max_points": 100}
    assert lateness("2026-11-01T12:00:00Z", 0, "10%/day", "", totals) is None, "no server saw it"


def test_canvas_gets_its_own_file_back_with_one_more_column_filled(results, tmp_path):
    into = tmp_path / "canvas.csv"
    into.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,Featherweight (4711),Total (read only)\n"
        "    Points Possible,,,,,100.00,(read only)\n"
        "\"Lovelace, Ada\",1,007,,S1,,\n"
        "Bob,2,,BOB1,S1,,\n"
        "Cyn,3,009,,S1,12,\n"
        "Somebody,4,999,,S1,33,\n"
    )  # fmt: skip
    rows = exported(results, tmp_path, "--format", "canvas", "--into", str(into))
    assert [row["Featherweight (4711)"] for row in rows] == ["100.00", "50", "30", "12", "33"]
    assert [row["ID"] for row in rows] == ["", "1", "2", "3", "4"]
    assert rows[0]["Student"] == "    Points Possible"


def test_canvas_without_a_file_has_points_possible_and_no_formula(results, tmp_path):
    rows = exported(results, tmp_path, "--format", "canvas")
    assert rows[0]["Student"].strip() == "Points Possible"
    assert rows[0]["Featherweight"] == "100"
    assert rows[1]["Student"] == "'=cmd|'/c calc'!A1"
    assert {row["SIS Login ID"] for row in rows[1:]} == {"ada", "bob1"}, "nobody without a decided grade"
    zeros = exported(results, tmp_path, "--format", "canvas", "--zero-if-missing")
    assert {row["SIS Login ID"]: row["Featherweight"] for row in zeros}["dan"] == "0"
    assert "cyn" not in {row["SIS Login ID"] for row in zeros}, "the grader's failure is no 0"


def test_moodle_has_no_feedback_without_a_grade(results, tmp_path):
    rows = exported(results, tmp_path, "--format", "moodle")
    assert [row["Email address"] for row in rows] == ["Ada@x.org", "bob@x.org"]
    assert all(row["Featherweight"] and row["Featherweight (feedback)"] for row in rows)
    assert "late by 24.0 h: -20" in rows[1]["Featherweight (feedback)"]
    into = tmp_path / "moodle.csv"
    into.write_text(
        "First name,ID number,Email address,Assignment: Featherweight (Real),Assignment: Featherweight (Feedback)\n"
        "Ada,007,Ada@x.org,-,\nCyn,009,cyn@x.org,-,\n"
    )
    ada, cyn = exported(results, tmp_path, "--format", "moodle", "--into", str(into))
    assert ada["Assignment: Featherweight (Real)"] == "50"
    assert ada["Assignment: Featherweight (Feedback)"].startswith("Size 20/30; Magnitude pruning 30/70")
    assert (cyn["Assignment: Featherweight (Real)"], cyn["Assignment: Featherweight (Feedback)"]) == ("-", "")


def test_gradescope_has_first_and_last_names(results, tmp_path):
    rows = exported(results, tmp_path, "--format", "gradescope")
    assert rows[0]["SID"] == "007"
    assert [row["Featherweight"] for row in rows] == ["50", "30"]


def test_a_file_that_names_two_students_or_no_known_column_is_refused(results, tmp_path, capsys):
    into = tmp_path / "mixed.csv"
    into.write_text("Student,SIS User ID,SIS Login ID,Featherweight\nAda,007,bob1,\n")
    assert main(["export", "gradebook", str(results.root), str(tmp_path / "o.csv"), "--format", "canvas",
                 "--into", str(into)]) == 2  # fmt: skip
    assert "more than one student" in capsys.readouterr().err
    assert main(["export", "gradebook", str(results.root), str(tmp_path / "o.csv"), "--format", "gradescope",
                 "--into", str(into)]) == 2  # fmt: skip
    assert "none of the columns SID, Email" in capsys.readouterr().err
    into.write_text("Student,SIS User ID,SIS Login ID,Featherweight\nBob,,bob1,\nMallory,bob,mal,\n")
    assert main(["export", "gradebook", str(results.root), str(tmp_path / "o.csv"), "--format", "canvas",
                 "--into", str(into)]) == 2  # fmt: skip
    assert "more than one line of the file is bob's" in capsys.readouterr().err
    assert not (tmp_path / "o.csv").exists()
    assert main(["export", "gradebook", str(tmp_path), str(tmp_path / "o.csv"), "--format", "canvas"]) == 2
    assert (results.own / "class.json").is_file()
    assert results.own.name == CLASS


@pytest.mark.parametrize(
    "start", ["", "\uff1d", "\u200b=", "\u3000@", "\t=", "Ada;=", "Ada; \uff0b", "Ada\n="]
)
def test_no_cell_is_a_formula_however_a_spreadsheet_divides_lines_and_reads_signs(start):
    cell = safe(f"{start or '='}cmd|'/C calc'!A0")
    for piece in re.split("[;\t\r\n]", cell):
        seen = re.sub(r"[\s\u200b]", "", unicodedata.normalize("NFKC", piece))
        assert not seen.startswith(("=", "+", "-", "@")), cell
    assert cell.replace("'", "") == f"{start or '='}cmd|/C calc!A0"


def test_what_is_no_formula_stays_as_it_is():
    for text in ("", "-", "-3.5", "Lovelace, Ada", "Size 3/5; late by 2.0 h: -3", "50 %"):
        assert safe(text) == text

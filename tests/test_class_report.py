"""Pages on a class: what they say follows from the records, and what a student wrote is text in them."""

from __future__ import annotations

import html
import re

import pytest

from grader.__main__ import main
from grader.classroom.feedback import escaped
from grader.classroom.points import Points
from grader.classroom.report import hardest, mistakes
from grader.classroom.results import JOB, Results, as_json
from grader.classroom.roster import Student
from grader.classroom.similar import STUBS, alike
from tests.grading import ROOT
from tests.test_class_gradebook import GOOD, WORTH, entry_of, record

EVIL = '<script>alert("1")</script> [x](javascript:1) `'
SOLUTION = (ROOT / "solution" / "compression.py").read_text()
OTHER = (ROOT / "tests_hidden" / "right" / "float64.py").read_text()


@pytest.fixture
def results(tmp_path) -> Results:
    made = Results(tmp_path / "results")
    made.put_settings({"seed": 1})
    known = entry_of("c", "double", "hidden", "failed") | {
        "reason": "no (your answer matches a known mistake: it adds & forgets)"
    }
    evil = entry_of("c[1]", "double", "hidden", "failed") | {"reason": EVIL}
    lines = [
        (Student("ada", name=EVIL, due="2026-11-01T12:00:00Z", observed="2026-11-01T13:30:00Z",
                 late_rule="5/hour"), record(*GOOD[:2], known, *GOOD[3:])),
        (Student("bob"), record(*GOOD[:2], evil, *GOOD[3:])),
        (Student("cyn"), record(error="no disk")),
        (Student("dan", missing="no repository"), None),
    ]  # fmt: skip
    for student, found in lines:
        made.shelf(student.handle).put_student(student)
        if found is not None:
            files = {"result.json": as_json(found), JOB: as_json({}), "compression.py": b"x = 1\n"}
            made.shelf(student.handle).add_run(files)
    for shelf in made.shelves():
        shelf.publish(Points(WORTH, "0" * 64))
    return made


def text_of(page: str) -> str:
    plain = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(plain).split())


def test_each_student_gets_a_page_with_points_hints_and_lateness(results, capsys):
    assert main(["report", str(results.root)]) == 0
    assert "feedback.md and feedback.html for 3 of 4" in capsys.readouterr().out
    page = (results.root / "ada" / "feedback.html").read_text()
    said = text_of(page)
    assert "40 of 100 points" in said
    assert "50 points minus 10: 1.5 h after the deadline (5/hour)" in said
    assert "Size 2 of 3 20 of 30" in said
    assert "it adds & forgets" in said
    assert "<script>" not in page
    assert not re.search(r"(src|href)=\"(?!data:)", page), "a page loads nothing"
    markdown = (results.root / "ada" / "feedback.md").read_text()
    assert "<script>" not in markdown
    assert "[x](" not in markdown
    assert "| Size | 2 of 3 | 20 of 30 |" in markdown
    assert "You do not need to do anything" in (results.root / "cyn" / "feedback.md").read_text()
    assert not (results.root / "dan" / "feedback.html").exists()


def test_the_class_has_a_report_and_a_grader_error_is_in_it(results):
    assert main(["report", str(results.root)]) == 0
    page = (results.root / "_class" / "report.html").read_text()
    said = text_of(page)
    assert "2 graded, 1 grader error, 1 missing" in said
    assert "cyn no disk" in said
    assert "dan missing no repository" in said
    assert "double it adds & forgets 1" in said
    assert page.count("data:image/svg+xml") == 2, "points and time; nobody competed"
    assert "<script>" not in page


def test_pages_are_functions_of_the_records(results):
    pages = []
    for _ in range(2):
        main(["report", str(results.root)])
        pages.append([path.read_bytes() for path in sorted(results.root.rglob("*.html"))])
    assert pages[0] == pages[1]


def test_a_test_with_parameters_counts_once_a_student():
    cases = [entry_of(f"t[{n}]", "double", "hidden", "failed" if n else "passed") for n in range(3)]
    found = hardest(
        [record(*cases), record(entry_of("t[0]", "double", "hidden"), entry_of("u", "prune", "public"))]
    )
    assert [(each.name, each.failed, each.met) for each in found] == [("hidden/t", 1, 2)]


def test_a_known_mistake_counts_once_a_student():
    reason = "no (your answer matches a known mistake: it adds)"
    tests = [entry_of(name, "double", "hidden", "failed") | {"reason": reason} for name in ("a", "b")]
    forged = entry_of("c", "double", "public", "failed")
    forged["reason"] = "double raised ValueError: (your answer matches a known mistake: Eve is right)"
    found = mistakes([record(*tests, forged), record(*tests)])
    assert [(each.text, each.students) for each in found] == [("it adds", 2)]


def test_a_copy_is_found_though_names_and_comments_differ_and_stubs_do_not_count():
    renamed = re.sub(r"\bmodel\b", "network", SOLUTION).replace("\n    return", "\n    # mine\n    return")
    sources = {
        "ada": SOLUTION.encode(),
        "bob": renamed.encode(),
        "cyn": OTHER.encode(),
        "dan": STUBS.read_bytes(),
        "eve": STUBS.read_bytes() + b"\nx = 1\n",
        "fay": b"\xff\xfe\0" + b"(" * 5000,
    }
    found = {(pair.first, pair.second) for pair in alike(sources)}
    assert found == {("ada", "bob")}


def test_markdown_signs_are_escaped():
    assert escaped("a|b*\n# <i>") == r"a\|b\* \# \<i\>"

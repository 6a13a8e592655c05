"""The record, its schema, and the table that is a function of it alone."""

from __future__ import annotations

import io
import json
import re
import tomllib
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from grader import GraderError, __version__
from grader.intake import Source
from grader.measured import Entry
from grader.record import Circumstances, check, record_of, write, write_whole
from grader.rules import ROOT, SuitePaths, read_points, read_rules, rules_sha256
from grader.suites import TestResult
from grader.table import PARTS, show

SHA = "0" * 64
SOURCE = Source("ada", "handed-in/ada", b"", SHA, 0)
MADE_WITH = Circumstances(SHA, "mnist", "none", 7, datetime(2026, 3, 1, 12, tzinfo=UTC), 1.234)
CONFUSION = [[9 * (row == column) for column in range(10)] for row in range(10)]
ENTRY = Entry(4096, 97.5, 24.375, 7.16, True, [], 60.0, SHA, "public", "mlp", SHA, "/w==", CONFUSION)


def result(
    name="test_a", suite="public", points=Fraction(1, 3), outcome="passed", reason=None, function="prune"
):
    return TestResult(name, function, 2, suite, points, Fraction(1, 3), outcome, reason)


def record(tests=(), entry=None, error=None):
    return record_of(SOURCE, None, MADE_WITH, tests, entry, error)


def table(made) -> str:
    file = io.StringIO()
    show(made, file)
    return file.getvalue()


def test_thirds_add_up_exactly():
    made = record([result(f"test_{i}") for i in range(30)])
    check(made)
    assert made["totals"] == {"points": 10, "max_points": 10}
    assert made["tests"][0]["points"] == pytest.approx(1 / 3)


def test_every_record_the_grader_makes_is_valid():
    failed = result(points=Fraction(0), outcome="failed", reason="prune must prune")
    error = result(points=None, outcome="error", reason="the test itself failed")
    nothing = Entry(None, None, None, 0.0, False, ["not implemented yet"], 0.0, None, "public", None)
    for made in (
        record(),
        record([result(), failed], ENTRY),
        record([result(), error], None, "tests failed"),
        record([failed], nothing),
    ):
        check(made)
        check(json.loads(json.dumps(made)))
        assert table(made)


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.pop("totals"),
        lambda r: r.update(extra=1),
        lambda r: r["submission"].update(id="../up"),
        lambda r: r["submission"].update(sha256="spam"),
        lambda r: r["grader"].update(started="today"),
        lambda r: r["tests"][0].update(outcome="skipped"),
        lambda r: r["tests"][0].update(reason="but it passed"),
        lambda r: r["tests"][0].update(outcome="failed"),
        lambda r: r["tests"][0].update(points=None),
        lambda r: r["totals"].update(points=None),
        lambda r: r.update(error="the grader failed"),
        lambda r: r["competition"].update(bytes=None),
        lambda r: r["competition"].update(correct=None),
        lambda r: r["competition"].update(confusion=[[1] * 10] * 9),
        lambda r: r["competition"].update(split="secret"),
    ],
)
def test_a_record_that_is_not_as_described_is_not_written(tmp_path, change):
    made = record([result()], ENTRY)
    change(made)
    with pytest.raises(GraderError, match="the record is not what its schema says"):
        write(made, tmp_path / "result.json")
    assert not list(tmp_path.iterdir())


def test_files_are_whole_or_not_there(tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644
    (tmp_path / "folder").mkdir()
    with pytest.raises(GraderError, match="cannot be written"):
        write_whole(tmp_path / "folder", b"x")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]


def test_the_table_says_what_ran_and_what_did_not():
    hidden = result("test_h", "hidden", Fraction(0), "failed", "prune must prune")
    assert "no tests have run" in table(record())
    assert "hidden tests decide 99.67 of 100 points and have not run here" in table(record([result()]))
    text = table(record([result(), hidden], ENTRY))
    assert "public tests 1/1 passed; hidden tests 0/1 passed; 0.33 of 0.67 points" in text
    assert "failed prune: prune must prune" in text
    assert re.search(r"4,096 .* 97.50 % .* 24.38 .* 7.160 .* mlp .* yes", text)
    assert "\033" not in text


def test_the_table_never_interprets_what_a_submission_says():
    odd = result(points=Fraction(0), outcome="failed", reason="[bold]f[/bold] raised [/]")
    assert "[bold]f[/bold] raised [/]" in table(record([odd]))


def test_the_table_tells_the_graders_error_from_the_submissions():
    text = table(record([result(points=None, outcome="error", reason="oops")], None, "public tests: oops"))
    assert "the grader itself failed, no points are decided: public tests: oops" in text
    assert "grader error prune: oops" in text
    assert "undecided of 0.3333" in text


def test_parts_and_version_are_the_projects_own():
    with SuitePaths().points_file.open("rb") as file:
        titles = {int(name[-1]): part["title"] for name, part in tomllib.load(file).items()}
    assert titles == PARTS
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["version"] == __version__


def test_the_rules_are_those_of_the_contract():
    rules = read_rules().competition
    facts = (rules.budget_bytes, rules.reference_accuracy_percent, rules.reference_bytes, rules.cpu_seconds)
    assert facts == (16384, 98.40, 1066440, 120)
    points = read_points(SuitePaths().points_file).values()
    assert (sum(p.public for p in points), sum(p.hidden for p in points)) == (40, 60)


def test_rules_that_cannot_be_read_are_the_graders_error(tmp_path):
    path = tmp_path / "rules.toml"
    for text in (None, "spam", "[competition]\nbudget_bytes = 1\n[worker]\n"):
        if text is not None:
            path.write_text(text)
        with pytest.raises(GraderError):
            read_rules(path)
    for text in ("part1 = 3", "[part1]\n", "[part1.functions]\nf = { public = 1 }", "[spam.functions]\n"):
        path.write_text(text)
        with pytest.raises(GraderError):
            read_points(path)
    with pytest.raises(GraderError):
        rules_sha256(tmp_path / "nowhere")

"""What can be exported is documented, and what the pages say of it is what the command line offers."""

from __future__ import annotations

import re

import pytest

from grader.export.command import REPORTS, SYSTEMS
from grader.rules import ROOT
from tests.grading import run_grader

PAGES = {path: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
TEXT = "\n".join(PAGES.values())


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_system_is_on_a_page(system):
    assert f"$ python -m grader export {system} " in TEXT


@pytest.mark.parametrize("report", REPORTS)
def test_each_report_is_on_a_page(report):
    assert f" --{report} " in TEXT


def test_every_export_on_a_page_is_one_that_there_is(tmp_path):
    shown = re.findall(r"\$ (python -m grader export (\S+) (\S+))\n +written: (\S+)", TEXT)
    assert {system for _, system, _, _ in shown} == set(SYSTEMS)
    for _, system, out, written in shown:
        assert out == written
        done = run_grader("export", system, tmp_path / out)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / out).exists()
        if (tmp_path / out).is_file():
            (tmp_path / out).unlink()


def test_every_page_that_the_help_names_is_there():
    text = run_grader("export", "--help").stdout + run_grader("grade", "--help").stdout
    named = re.findall(r"docs/\w+\.md", text.replace("\n", " "))
    assert {"docs/gradescope.md", "docs/classroom50.md", "docs/otter.md"} <= set(named)
    assert all((ROOT / name).is_file() for name in named)

"""A pytest plugin that writes down each test as it ends: `-p assignment.recorder --record FILE`.

One JSON object a line, so that a run that is cut short has still said what passed.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

LONGEST_REASON = 300


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("featherweight")
    group.addoption("--record", metavar="FILE", help="write each graded test to FILE, a line for each")


def pytest_collection_finish(session: pytest.Session) -> None:
    """First which functions the tests grade, so that a reader knows how many are still to come."""
    markers = [item.get_closest_marker("grades") for item in session.items]
    write(session.config, {"collected": [marker.args[0] for marker in markers if marker]})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    marker = item.get_closest_marker("grades")
    if marker and (report.when == "call" or report.failed):
        line = {
            "name": item.name,
            "file": item.path.name,
            "function": marker.args[0],
            "passed": report.passed,
            "reason": reason(call),
            "seconds": round(call.duration, 2),
        }
        write(item.config, line)
    return report


def write(config: pytest.Config, line: dict[str, Any]) -> None:
    if file := config.getoption("--record"):
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")


def reason(call: pytest.CallInfo[None]) -> str | None:
    """The first line of what was raised: in a test of ours, the sentence written for the student."""
    if call.excinfo is None:
        return None
    said = str(call.excinfo.value).strip() or call.excinfo.typename
    return said.splitlines()[0][:LONGEST_REASON]

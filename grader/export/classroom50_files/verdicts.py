"""A pytest plugin that writes down what came of each test as soon as it is over, one JSON line for each."""

from __future__ import annotations

import json
import os
from collections.abc import Generator

import pytest

FILE = os.environ["FEATHERWEIGHT_VERDICTS"]


def write(line: object) -> None:
    with open(FILE, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def pytest_collection_finish(session: pytest.Session) -> None:
    write(["collected", len(session.items)])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.excinfo is not None:
        write([item.name, " ".join(str(call.excinfo.value).split()) or call.excinfo.typename])
    elif report.when == "call":
        write([item.name, None])
    return report

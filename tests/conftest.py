"""What holds for every test.

On a machine without any sandbox, tests that need one are skipped and say what to install. In CI nothing skips.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

import pytest

from grader import GraderError
from grader.trial import available
from tests.grading import NO_SANDBOX

# A shell has what it runs in the background ignore Ctrl-C, and so would all that the tests start in order to stop it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A refusal to grade is the right answer there, not a failure of the test that met it."""
    report = yield
    refused = call.excinfo is not None and call.excinfo.errisinstance(GraderError)
    if refused and NO_SANDBOX in str(call.excinfo.value) and not os.environ.get("CI") and not available():
        path, line, _ = item.location
        report.outcome = "skipped"
        report.longrepr = (path, line or 0, f"Skipped: {call.excinfo.value}")
    return report


@pytest.fixture(autouse=True)
def no_signing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a key of their own."""
    monkeypatch.delenv("FEATHERWEIGHT_SIGNING_KEY", raising=False)
    monkeypatch.delenv("FEATHERWEIGHT_SIGNING_KEY_FILE", raising=False)

"""The pytest plugin that the grader runs both suites with: who is under test, and what a failure means.

Three outcomes. "passed". "failed" is the submission's doing: an assertion with its authored sentence,
or a SubmissionError. Everything else that a test raises is the grader's own "error", and so is a
test that was skipped or that grades nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import hypothesis
import pytest

from assignment.seam import SubmissionError
from assignment.submission import SUBMISSION
from grader.remote import RemoteSubmission, printable

FAILURES = (AssertionError, SubmissionError, pytest.fail.Exception)


class GradingPlugin:
    """One suite's run.

    functions: the functions that have points. on_test: called with the outcome of each test.
    `strange` collects sentences about tests that cannot be graded, `seconds` how long each took.
    """

    def __init__(
        self,
        submission: RemoteSubmission,
        suite: str,
        functions: set[str],
        on_collected: Callable[[int], None],
        on_test: Callable[[str], None],
    ):
        self.submission, self.suite, self.functions = submission, suite, functions
        self.on_collected, self.on_test = on_collected, on_test
        self.strange: list[str] = []
        self.names: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self._verdict: dict[str, Any] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[SUBMISSION] = self.submission
        hypothesis.settings.register_profile(
            "grading",
            deadline=None,
            database=None,
            print_blob=False,
            report_multiple_bugs=False,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        hypothesis.settings.load_profile("grading")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if function_of(item) not in self.functions:
                self.strange.append(f"{item.nodeid} grades no function that has points")
        self.names = names_of(items, is_hidden=self.suite == "hidden")
        self.on_collected(len(items))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        marker = item.get_closest_marker("deadline")
        self.submission.begin_test(marker.args[0] if marker else None)
        self._verdict = {
            "name": self.names[item.nodeid],
            "function": function_of(item),
            "outcome": "passed",
            "reason": None,
        }
        started = time.perf_counter()
        result = yield
        self.seconds[self.names[item.nodeid]] = time.perf_counter() - started
        self.on_test(self._verdict["outcome"])
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> pytest.TestReport:
        """In place of pytest's own, which makes a traceback of each failure, for nobody."""
        assert call.when != "collect"
        outcome: Any = "passed" if call.excinfo is None else "failed"
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, call.when)

    def pytest_json_runtest_metadata(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> dict[str, Any]:
        """What pytest-json-report carries out of the run; the first thing that goes wrong counts."""
        if call.excinfo is not None and self._verdict["outcome"] == "passed":
            outcome, reason = judged(call.excinfo.value, item, is_hidden=self.suite == "hidden")
            self._verdict.update(outcome=outcome, reason=reason)
        return self._verdict


def function_of(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("grades")
    return marker.args[0] if marker is not None and marker.args else None


def names_of(items: list[pytest.Item], *, is_hidden: bool) -> dict[str, str]:
    """Each test's name by its id. Parameters of hidden tests are inputs: they are counted, not shown."""
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    for item in items:
        base = getattr(item, "originalname", None) or item.name
        if is_hidden and base != item.name:
            key = item.nodeid.partition("[")[0]
            counts[key] = counts.get(key, 0) + 1
            names[item.nodeid] = f"{base}[{counts[key]}]"
        else:
            names[item.nodeid] = item.name
    return names


def judged(error: BaseException, item: pytest.Item, *, is_hidden: bool) -> tuple[str, str]:
    """The outcome and its reason, a sentence."""
    function = function_of(item) or item.name
    for leaf in leaves(error):
        if isinstance(leaf, FAILURES):
            return "failed", reason_for(leaf, function, is_hidden=is_hidden)
    if isinstance(error, hypothesis.errors.Flaky):
        return "failed", f"{function} gives different results for the same arguments"
    if isinstance(error, pytest.skip.Exception):
        return "error", "the test was skipped"
    where = f"{item.path.name}, line {line_in_test(error, item)}"
    return "error", f"the test itself failed: {type(error).__name__} in {where}"


def leaves(error: BaseException) -> list[BaseException]:
    """The exceptions in a group (Hypothesis makes them), or the one that is none. All must be failures."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    inner = [leaf for member in error.exceptions for leaf in leaves(member)]
    return inner if all(isinstance(leaf, FAILURES) for leaf in inner) else []


def reason_for(error: BaseException, function: str, *, is_hidden: bool) -> str:
    """The authored sentence. Of a hidden test's only the first line: later ones show values."""
    text = str(error).strip()
    if is_hidden:
        text = text.partition("\n")[0]
    return printable(text) or f"{function} does not do what its description says"


def line_in_test(error: BaseException, item: pytest.Item) -> int:
    """The last line of the test's own file that the error passed through."""
    line, frame = 0, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == str(item.path):
            line = frame.tb_lineno
        frame = frame.tb_next
    return line

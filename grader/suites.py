"""Run a suite of graded tests against a submission, and say what each test is worth and what came of it.

pytest runs in this process, which the grader trusts; the tests reach the submission through the
fixture `submission` alone.
"""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from pytest_jsonreport.plugin import JSONReport  # type: ignore[import-untyped]

from grader import GraderError
from grader.plugin import GradingPlugin
from grader.remote import RemoteSubmission
from grader.rules import SuitePaths, Worth

PLUGINS = ("assignment.submission", "pytest_jsonreport.plugin", "_hypothesis_pytestplugin")
WITHOUT = ("cacheprovider", "faulthandler", "unraisableexception", "threadexception", "logging", "warnings")
NO_TESTS = pytest.ExitCode.NO_TESTS_COLLECTED


@dataclass(frozen=True)
class TestResult:
    """One graded test. `points` is None where the grader failed: nothing was decided."""

    __test__ = False

    name: str
    function: str
    part: int
    suite: str
    points: Fraction | None
    max_points: Fraction
    outcome: str
    reason: str | None


@dataclass(frozen=True)
class SuiteResult:
    """What a suite's run gave, and what failed in the grader itself, if anything did.

    seconds: how long each test took, by its name.
    """

    tests: list[TestResult]
    error: str | None
    seconds: dict[str, float]


def run_suite(
    suite: str,
    submission: RemoteSubmission,
    worth: dict[str, Worth],
    paths: SuitePaths,
    seed: int,
    *,
    on_collected: Callable[[int], None] = lambda count: None,
    on_test: Callable[[str], None] = lambda outcome: None,
) -> SuiteResult:
    """Run the tests of `suite`. Raises GraderError where they cannot be run at all."""
    folder = paths.folder(suite)
    if not folder.is_dir():
        raise GraderError(f"the {suite} tests are not here: there is no folder {folder}")
    plugin = GradingPlugin(submission, suite, set(worth), on_collected, on_test)
    report = JSONReport()
    with quiet_pytest(str(paths.root)) as printed:
        code = pytest.main(arguments(suite, paths, seed), plugins=[report, plugin])
    if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        print(printed.getvalue(), file=sys.stderr)
    if code == pytest.ExitCode.INTERRUPTED and not collection_errors(report.report):
        raise KeyboardInterrupt
    problems = collection_errors(report.report)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, NO_TESTS) and not problems:
        problems = [f"pytest ended with {pytest.ExitCode(code).name}"]
    verdicts = [test["metadata"] for test in (report.report or {}).get("tests", []) if "metadata" in test]
    problems += plugin.strange + missing(suite, worth, verdicts)
    tests = [result for result in graded(suite, worth, verdicts) if result is not None]
    problems += [f"{test.name}: {test.reason}" for test in tests if test.outcome == "error"]
    error = f"{suite} tests: {'; '.join(problems[:5])}" if problems else None
    return SuiteResult(tests, error, plugin.seconds)


def arguments(suite: str, paths: SuitePaths, seed: int) -> list[str]:
    loaded = [part for name in PLUGINS for part in ("-p", name)]
    left_out = [part for name in WITHOUT for part in ("-p", f"no:{name}")]
    options = ["--assert=plain", "--capture=no", "--import-mode=importlib", "--tb=no"]
    report = ["--json-report-file=none", "--json-report-omit", "log", "streams", "keywords", "warnings"]
    seeds = [f"--seed={seed}", f"--hypothesis-seed={seed}"]
    where = ["-c", os.devnull, f"--rootdir={paths.root}", str(paths.folder(suite))]
    return [*loaded, *left_out, *options, *seeds, *where, *report]


@contextmanager
def quiet_pytest(root: str) -> Iterator[io.StringIO]:
    """pytest as the grader sets it up: no plugins or options of the user's, and its output kept apart."""
    own = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    sys.path.insert(0, root)
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield printed
    finally:
        sys.path.remove(root)
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def collection_errors(report: dict[str, Any] | None) -> list[str]:
    """Files that could not even be read as tests."""
    if report is None:
        return ["pytest gave no report"]
    broken = [each for each in report.get("collectors", []) if each["outcome"] == "failed"]
    return [f"{each['nodeid']} cannot be collected" for each in broken]


def missing(suite: str, worth: dict[str, Worth], verdicts: list[dict[str, Any]]) -> list[str]:
    """Functions whose points no test gives."""
    tested = {verdict["function"] for verdict in verdicts}
    return [
        f"no test grades {name}" for name, each in worth.items() if each.points(suite) and name not in tested
    ]


def graded(suite: str, worth: dict[str, Worth], verdicts: list[dict[str, Any]]) -> Iterator[TestResult]:
    """Each test with its share: a function's points in a suite are split equally over its tests there."""
    counts = Counter(verdict["function"] for verdict in verdicts)
    for verdict in verdicts:
        function = verdict["function"]
        if function not in worth:
            continue
        share = Fraction(worth[function].points(suite), counts[function])
        points = {"passed": share, "failed": Fraction(0), "error": None}[verdict["outcome"]]
        yield TestResult(
            verdict["name"],
            function,
            worth[function].part,
            suite,
            points,
            share,
            verdict["outcome"],
            verdict["reason"],
        )

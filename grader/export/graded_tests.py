"""Which tests there are, which function each grades and what it is worth, without running any of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import pytest

from grader import GraderError
from grader.plugin import function_of, names_of
from grader.rules import SuitePaths, read_points
from grader.suites import arguments, quiet_pytest


@dataclass(frozen=True)
class GradedTest:
    """One test as a record names it."""

    name: str
    function: str
    part: int
    suite: str
    max_points: Fraction


class Collector:
    """A pytest plugin that keeps the names of the tests and of the functions they grade."""

    def __init__(self, suite: str):
        self.suite = suite
        self.found: list[tuple[str, str | None]] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        names = names_of(items, is_hidden=self.suite == "hidden")
        self.found = [(names[item.nodeid], function_of(item)) for item in items]


def graded_tests(suite: str, paths: SuitePaths | None = None) -> list[GradedTest]:
    """The tests of a suite, each with its share of its function's points. Raises GraderError."""
    paths = paths or SuitePaths()
    worth = read_points(paths.points_file)
    collector = Collector(suite)
    with quiet_pytest(str(paths.root)) as printed:
        code = pytest.main(["--collect-only", *arguments(suite, paths, seed=0)], plugins=[collector])
    if code != pytest.ExitCode.OK:
        raise GraderError(f"the {suite} tests cannot be collected:\n{printed.getvalue()}")
    counts = Counter(function for _, function in collector.found)
    return [
        GradedTest(
            name,
            function,
            worth[function].part,
            suite,
            Fraction(worth[function].points(suite), counts[function]),
        )
        for name, function in collector.found
        if function in worth
    ]

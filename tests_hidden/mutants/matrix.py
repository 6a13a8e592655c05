"""Run each mutant against the hidden tests of the function it gets wrong, and say what killed it."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Collection, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest

from assignment.seam import LocalSubmission, SubmissionError
from assignment.submission import SUBMISSION

from . import FUNCTIONS, HERE, Mutant

HIDDEN = HERE.parent
RUN = [
    "-q",
    "--tb=no",
    "-p",
    "no:cacheprovider",
    "-p",
    "assignment.submission",
    "-o",
    "addopts=",
    "--assert=plain",
]
KINDS = ("failed", "passed", "crashed", "broken", "reasons")


@dataclass(frozen=True)
class Verdict:
    """What the tests of one function made of one solution.

    crashed: tests that ended in something other than an assertion or the submission's own error, which
    the grader would have to take for its own fault.
    broken: what shows that the solution does not even run as it was meant to, so that its death says nothing.
    reasons: what the student would read.
    """

    failed: tuple[str, ...]
    passed: tuple[str, ...]
    crashed: tuple[str, ...]
    broken: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class Examiner:
    """A pytest plugin: puts one solution under the tests of some functions, and notes the outcomes."""

    def __init__(self, path: Path, functions: Collection[str]):
        self.path, self.functions = path, functions
        self.outcomes: dict[str, set[str]] = {kind: set() for kind in KINDS}

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[SUBMISSION] = LocalSubmission(self.path)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if any(function in self.functions for function in grades(item))]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo) -> Iterable:
        report = yield
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, SubmissionError):
            if error.kind == "import" or error.exception == "NameError" or "SimpleNamespace" in error.message:
                self.outcomes["broken"].add(str(error))
        elif error is not None and not isinstance(error, AssertionError):
            self.outcomes["crashed"].add(f"{item.name}: {error!r}")
        if error is not None:
            self.outcomes["reasons"].add(str(error).partition("\n")[0])
        if report.when == "call":
            self.outcomes["failed" if report.failed else "passed"].add(item.name)
        return report


def grades(item: pytest.Item) -> tuple[str, ...]:
    marker = item.get_closest_marker("grades")
    return marker.args if marker else ()


def examine(
    source: str,
    functions: Collection[str],
    seed: int,
    suites: tuple[str, ...] = ("tests_hidden",),
    *,
    diagnosed: bool = True,
) -> Verdict:
    """Run the tests of these functions on a compression.py with this text.

    diagnosed: whether reasons name known mistakes, which takes as long as the tests.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "compression.py")
        path.write_text(source, encoding="utf-8")
        examiner = Examiner(path, functions)
        places = [str(HIDDEN.parent / suite) for suite in suites]
        with contextlib.redirect_stdout(io.StringIO()):
            plain = [] if diagnosed else ["--noconftest"]
            pytest.main([*RUN, *plain, f"--seed={seed}", *places], plugins=[examiner])
    return Verdict(*(tuple(sorted(examiner.outcomes[kind])) for kind in KINDS))


def examine_right(seed: int, path: Path) -> Verdict:
    """Run all tests of both suites on a solution that should pass them."""
    return examine(path.read_text(encoding="utf-8"), FUNCTIONS, seed, ("tests_public", "tests_hidden"))


def examine_mutant(mutant: Mutant, seed: int, suites: tuple[str, ...], diagnosed: bool) -> Verdict:
    return examine(mutant.source(), [mutant.function], seed, suites, diagnosed=diagnosed)


def examine_all(
    mutants: list[Mutant],
    seed: int,
    processes: int,
    suites: tuple[str, ...] = ("tests_hidden",),
    *,
    diagnosed: bool = True,
) -> list[Verdict]:
    """The verdicts on all mutants, in their order."""
    examine_one = partial(examine_mutant, seed=seed, suites=suites, diagnosed=diagnosed)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(examine_one, mutants, chunksize=4))

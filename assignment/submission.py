"""The pytest plugin through which tests reach `compression.py`.

Tests ask for the fixture `submission` and call the student's functions on it; `rng` is a fresh
generator for each test, drawn from `--seed` and the test's name. `pytest tests_public` runs them on
`assignment/compression.py`; `--submission PATH` points elsewhere, `--function NAME` runs the tests of one function.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # as in the grader; several threads only wait for each other here

import tomllib  # noqa: E402
import zlib  # noqa: E402
from collections.abc import Generator, Iterator  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402

from assignment.seam import Call, LocalSubmission, Submission, SubmissionError  # noqa: E402

__all__ = ["SUBMISSION", "Call", "LocalSubmission", "Submission", "SubmissionError"]

DEFAULT_PATH = Path(__file__).with_name("compression.py")
POINTS_FILE = Path("tests_public", "points.toml")


@dataclass
class Tally:
    """Which graded tests were chosen, and which of them passed."""

    public: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    left_out: int = 0
    passed: set[str] = field(default_factory=set)


SUBMISSION: pytest.StashKey[Submission] = pytest.StashKey()
"""Where the grader puts the submission that tests are to reach."""

TALLY: pytest.StashKey[Tally] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("featherweight")
    group.addoption(
        "--submission", metavar="PATH", help="the compression.py to test (default: assignment/compression.py)"
    )
    group.addoption("--function", metavar="NAME", help="only the tests that grade this function")
    group.addoption("--seed", type=int, default=0, help="seed of the random inputs (default: 0)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "grades(function): the function that the test grades")
    config.addinivalue_line("markers", "deadline(seconds): CPU time for each call, when graded")
    config.stash[TALLY] = Tally()


@pytest.fixture(scope="session")
def submission(request: pytest.FixtureRequest) -> Submission:
    """The code under test."""
    given = request.config.stash.get(SUBMISSION, None)
    if given is not None:
        return given
    return LocalSubmission(request.config.getoption("--submission") or DEFAULT_PATH)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers of the test's own: same seed, same test, same numbers."""
    return np.random.default_rng([request.config.getoption("--seed"), zlib.crc32(request.node.name.encode())])


def functions_of(item: pytest.Item) -> tuple[str, ...]:
    """The function that a test grades; none for a test of somebody's own."""
    return tuple(name for mark in item.iter_markers("grades") for name in mark.args)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Choose by the function graded where `--function` names one, and count what any choice leaves out."""
    graded = [item for item in items if item.get_closest_marker("grades")]
    if wanted := config.getoption("--function"):
        others = [item for item in items if wanted not in functions_of(item)]
        if len(others) == len(items):
            known = sorted({name for item in graded for name in functions_of(item)})
            raise pytest.UsageError(
                f"--function {wanted}: no test grades that; they grade {', '.join(known)}"
            )
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if wanted in functions_of(item)]
    yield
    tally, chosen = config.stash[TALLY], {item.nodeid for item in items}
    for item in graded:
        if item.nodeid in chosen:
            suite = tally.public if "tests_public" in item.path.parts else tally.hidden
            suite.add(item.nodeid)
        else:
            tally.left_out += 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.passed:
        item.config.stash[TALLY].passed.add(item.nodeid)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Never "all passed" where hidden tests decide the rest."""
    tally = config.stash[TALLY]
    if not tally.public and not tally.hidden:
        return
    words = [f"{name} tests {len(tests & tally.passed)}/{len(tests)} passed"
             for name, tests in (("public", tally.public), ("hidden", tally.hidden)) if tests]  # fmt: skip
    if tally.left_out:
        words[-1] += f" ({tally.left_out} left out)"
    if not tally.hidden:
        hidden, total = points(config.rootpath / POINTS_FILE)
        words.append(f"hidden tests decide {hidden} of {total} points and have not run here")
    terminalreporter.write_line("; ".join(words))


def points(path: Path) -> tuple[int, int]:
    """Hidden points and all points, from the file that says what each function is worth."""
    with path.open("rb") as file:
        parts = tomllib.load(file).values()
    worth = [value for part in parts for value in part["functions"].values()]
    hidden = sum(value["hidden"] for value in worth)
    return hidden, hidden + sum(value["public"] for value in worth)

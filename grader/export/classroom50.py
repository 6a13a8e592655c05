"""Classroom 50: the `autograder.py` that it runs in a student's repository, and a record as its result.json.

    python -m grader export classroom50 FOLDER   the folder to commit as CLASSROOM/autograders/ASSIGNMENT
    python -m grader grade PATH --classroom50 FILE   a record, graded by the instructor, in the same form

Every student can read the folder, so nothing gets in but what the student release may hold too. What it says
of a submission is for the student; it is no grade, since it runs in the student's own repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from grader import GraderError, UnusableError
from grader.export.bundle import LOCK, Files, as_json, read, write_folder
from grader.record import Record
from grader.release import read_manifest
from grader.rules import ROOT

OWN_FILES = Path(__file__).with_name("classroom50_files")
POINTS = "points.json"
SCALE = 10
"""Scores there are whole numbers: ten times our points, so that no test comes to nothing."""

CONTEXT = {
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
    "review": "REVIEW_URL",
}
"""Fields of a result, and the environment variables that Classroom 50 gives them in."""

PACKAGES = (
    "numpy",
    "pytest",
    "iniconfig",
    "packaging",
    "pluggy",
    "pygments",
    "rich",
    "markdown-it-py",
    "mdurl",
)
"""All that the public tests and the given code import, and what these need."""


def write(path: Path) -> None:
    """The folder that an instructor commits to the classroom's repository."""
    write_folder(bundle_files(), path, mark=POINTS)


def bundle_files() -> Files:
    from grader.export.graded_tests import graded_tests  # brings pytest, and is not wanted by `grade`

    names = [name for name in read_manifest().given if name.startswith(("assignment/", "tests_public/"))]
    given = {f"given/{name}": read(ROOT / name) for name in names}
    own = {path.name: read(path) for path in sorted(OWN_FILES.glob("*.py"))}
    tests = graded_tests("public")
    scores = scaled((each.function, each.max_points) for each in tests)
    points = {
        "context": CONTEXT,
        "tests": [
            {"function": each.function, "name": each.name, "max-score": score}
            for each, score in zip(tests, scores, strict=True)
        ],
    }
    return given | own | {POINTS: as_json(points), LOCK.name: locked(PACKAGES)}


def result_of(record: Record, context: Mapping[str, str]) -> dict[str, Any]:
    """A record as Classroom 50's result. Raises GraderError where the grader failed: that is no result."""
    if record["error"] is not None:
        raise GraderError("no Classroom 50 result is written, since no points were decided")
    tests = record["tests"]
    scores = scaled((f"{test['suite']} {test['function']}", exact(test["max_points"])) for test in tests)
    rows = [row(test, most) for test, most in zip(tests, scores, strict=True)]
    return {
        "schema": "classroom50/result/v1",
        **context,
        "datetime": record["grader"]["started"],
        "score": sum(each["score"] for each in rows),
        "max-score": sum(each["max-score"] for each in rows),
        "tests": rows,
    }


def row(test: dict[str, Any], most: int) -> dict[str, Any]:
    passed = test["outcome"] == "passed"
    name = f"{test['function']}: {test['name']}"
    return {"test-name": name, "passed": passed, "score": most if passed else 0, "max-score": most} | (
        {} if passed else {"output": test["reason"]}
    )


def exact(points: float) -> Fraction:
    """The fraction that a record's number stands for: a function's points over its number of tests."""
    return Fraction(points).limit_denominator(1000)


def context_from(environment: Mapping[str, str]) -> dict[str, str]:
    """What Classroom 50 says of the submission. Raises UnusableError where it does not."""
    found = {field: environment.get(variable, "") for field, variable in CONTEXT.items()}
    found["review"] = found["review"] or found["commit"]
    if missing := [CONTEXT[field] for field, value in found.items() if not value]:
        raise UnusableError(f"--classroom50 needs the environment variables {', '.join(missing)}")
    return found


def locked(packages: Sequence[str]) -> bytes:
    """The lock's entries of these packages."""
    entries = re.split(r"\n(?=\S)", LOCK.read_text(encoding="utf-8"))
    own = [entry for entry in entries if entry.partition("==")[0] in packages]
    return ("\n".join(own).strip() + "\n").encode()


def scaled(tests: Iterable[tuple[str, Fraction]]) -> list[int]:
    """A whole number for each (key, points), so that those of a key add up to exactly `SCALE` times its points."""
    pairs = list(tests)
    scores = [0] * len(pairs)
    for key in dict.fromkeys(key for key, _ in pairs):
        own = [i for i, pair in enumerate(pairs) if pair[0] == key]
        for i, score in zip(own, largest_remainder([SCALE * pairs[i][1] for i in own]), strict=True):
            scores[i] = score
    return scores


def largest_remainder(shares: Sequence[Fraction]) -> list[int]:
    """Each share rounded down or up, so that the sum is the shares' own, rounded.

    >>> largest_remainder([Fraction(10, 3)] * 3)
    [4, 3, 3]
    """
    floors = [int(share) for share in shares]
    left = round(sum(shares)) - sum(floors)
    by_remainder = sorted(range(len(shares)), key=lambda i: floors[i] - shares[i])
    for i in by_remainder[:left]:
        floors[i] += 1
    return floors

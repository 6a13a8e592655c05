"""Featherweight's public tests, for Classroom 50: it runs this in a student's checkout and reads ./result.json.

The tests and the given code beside this file are used, and of the checkout assignment/compression.py alone.
What comes out is for the student: hidden tests decide the rest, and run elsewhere.

The exit code is 0 when the tests ran, whatever came of them; 1 when they could not be run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
GIVEN = HERE / "given"
SUBMISSION = Path("assignment", "compression.py")
RESULT = Path("result.json")
SECONDS_FOR_A_PART = 120
"""The whole job ends at 15 minutes; there are six parts."""


class InfrastructureError(Exception):
    """The tests could not be run, and that is not the submission's doing."""


def main() -> int:
    clear(RESULT)
    facts = json.loads((HERE / "points.json").read_text(encoding="utf-8"))
    try:
        context = context_of(facts["context"])
        with tempfile.TemporaryDirectory() as scratch:
            environment = environment_with_packages(Path(scratch))
            verdicts: dict[str, str | None] = {}
            for tests in sorted((GIVEN / "tests_public").glob("test_part*.py")):
                verdicts |= run(tests, environment, Path(scratch, f"{tests.stem}.jsonl"))
    except InfrastructureError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 1
    rows = [row(test, verdicts) for test in facts["tests"]]
    result = {
        "schema": "classroom50/result/v1",
        **context,
        "datetime": submitted_at(),
        "score": sum(each["score"] for each in rows),
        "max-score": sum(each["max-score"] for each in rows),
        "tests": rows,
    }
    clear(RESULT)  # the tests ran here, and could have left something
    descriptor, temporary = tempfile.mkstemp(prefix=f".{RESULT.name}.", dir=".")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2)
        os.fchmod(descriptor, 0o644)
    os.replace(temporary, RESULT)
    print(f"{result['score']} of {result['max-score']} for the public tests; hidden tests have not run here")
    return 0


def clear(path: Path) -> None:
    """Away with what the checkout has in that place, be it a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def context_of(variables: dict[str, str]) -> dict[str, str]:
    """What Classroom 50 says of the submission, by the result's fields."""
    context = {field: os.environ.get(variable, "") for field, variable in variables.items()}
    context["review"] = context["review"] or context["commit"]
    missing = [variables[field] for field, value in context.items() if not value]
    if missing:
        raise InfrastructureError(f"Classroom 50 sets {', '.join(missing)}, and here they are not set")
    return context


def environment_with_packages(scratch: Path) -> dict[str, str]:
    """Where tests import from: the given code, and the pinned packages, unless they are installed already."""
    folders = [str(GIVEN), str(HERE)]
    if not all(map(find_spec, ("numpy", "pytest", "rich"))):
        packages, lock = str(scratch / "packages"), str(HERE / "requirements.txt")
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run([*install, "--require-hashes", "--requirement", lock, "--target", packages])
        if done.returncode != 0:
            raise InfrastructureError("the packages could not be installed")
        folders.append(packages)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(folders),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def run(tests: Path, environment: dict[str, str], verdicts: Path) -> dict[str, str | None]:
    """What came of each test of a file, by its name: None where it passed, else why not.

    In a process of its own: one that hangs or dies costs the tests of its own part. `-P` keeps it from
    importing the checkout's own copies of the given code.
    """
    plugins = ["-p", "assignment.submission", "-p", "verdicts", "-p", "no:cacheprovider"]
    options = ["-c", os.devnull, f"--rootdir={GIVEN}", "--import-mode=importlib", "--tb=short"]
    under_test = ["--submission", str(SUBMISSION), str(tests)]
    command = [sys.executable, "-P", "-m", "pytest", *plugins, *options, *under_test]
    try:
        subprocess.run(
            command,
            env={**environment, "FEATHERWEIGHT_VERDICTS": str(verdicts)},
            stdin=subprocess.DEVNULL,
            timeout=SECONDS_FOR_A_PART,
        )
    except subprocess.TimeoutExpired:
        print(f"{tests.name}: not finished after {SECONDS_FOR_A_PART} s", flush=True)
    lines = verdicts.read_text(encoding="utf-8").splitlines() if verdicts.exists() else []
    if not lines:
        raise InfrastructureError(f"pytest could not collect {tests.name}")
    return dict(json.loads(line) for line in lines[1:])


def row(test: dict[str, Any], verdicts: dict[str, str | None]) -> dict[str, Any]:
    why_not = verdicts.get(test["name"], "its process ended, or took too long, before the test was over")
    passed, most = why_not is None, test["max-score"]
    name = f"{test['function']}: {test['name']}"
    found = {"test-name": name, "passed": passed, "score": most if passed else 0, "max-score": most}
    return found if passed else {**found, "output": why_not}


def submitted_at() -> str:
    """When the graded commit was made; now, where there is no Git to ask."""
    command = ["git", "-c", "safe.directory=*", "show", "--no-patch", "--format=%ct"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True)
        when = datetime.fromtimestamp(int(asked.stdout), UTC)
    except (OSError, ValueError, OverflowError):
        when = datetime.now(UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    sys.exit(main())

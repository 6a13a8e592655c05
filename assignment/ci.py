"""Check a push in under a minute: `python -m assignment.ci`, what the workflow check.yml runs.

Runs the public tests, then `compress` on the small data, each in a process of its own. Under GitHub
Actions it writes the job's summary, the step's output `result` in the form of GitHub's autograding
reporter, and the reporter's two annotations; anywhere else it prints the summary. `results/result.json`
is left in either case. Exit code 0 when every public test passes, 1 when not.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from .artifact import ArtifactError, ledger
from .data import DataError, load_mnist_5k
from .measure import measure
from .seam import LocalSubmission, SubmissionError
from .summary import (
    Check,
    encoded,
    hidden_points,
    markdown,
    notices,
    outcomes,
    reporter_results,
)
from .workbench import COMPRESSION_FILE

ROOT = Path(__file__).resolve().parent.parent
POINTS_FILE = ROOT / "tests_public" / "points.toml"
SECONDS = 35.0
"""For tests and compress together: with what GitHub needs to set up, a job of less than a minute."""

NONE_STARTED = (
    "no public test could be started, and the log of this step says why: a conftest.py, a pytest.ini or a file or "
    "folder named like a package (as pytest) beside the given ones may be in the way"
)

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m assignment.ci",
        description="Check a push: the public tests, compress() on small data, a summary.",
        epilog="example:\n  python -m assignment.ci --seconds 60",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--file", type=Path, default=COMPRESSION_FILE, help="default: assignment/compression.py"
    )
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help=f"to spend at most (default: {SECONDS:g})"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "results", help="default: results/")
    parser.add_argument("--measure-into", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure_into is not None:
        options.measure_into.write_text(json.dumps(measured(options.file)), encoding="utf-8")
        return 0
    found = check(options.file.absolute(), options.seconds)
    publish(found, options.out)
    return 0 if found.is_passed else 1


def check(file: Path, seconds: float = SECONDS) -> Check:
    """Tests, then compress, within so many seconds; what there was no time for is said to be missing."""
    why = None
    if file.is_symlink():
        why = f"{file.name} is a link, and the grader accepts no links: put the file itself in its place"
    elif not file.is_file():
        why = (
            f"there is no file {file.parent.name}/{file.name}, the only one that is graded: add it and push "
            "again"
        )
    if why is not None:
        return Check(outcomes([], POINTS_FILE, Counter()), hidden_points(POINTS_FILE), None, [why])
    deadline = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        tests, sizes, trouble = run_tests(file, Path(folder), deadline)
        compress, fault = run_compress(file, Path(folder), deadline)
    return Check(
        outcomes(tests, POINTS_FILE, sizes),
        hidden_points(POINTS_FILE),
        compress,
        [*trouble, *filter(None, [fault])],
    )


def run_tests(
    file: Path, folder: Path, deadline: float
) -> tuple[list[dict[str, Any]], Counter[str], list[str]]:
    """What each public test said, how many tests each function has, and what went wrong on the way."""
    record = folder / "tests.jsonl"
    options = [
        "-q",
        "--no-header",
        "-p",
        "no:cacheprovider",
        "-p",
        "assignment.recorder",
        "--record",
        str(record),
    ]
    command = ["-m", "pytest", str(POINTS_FILE.parent), "--submission", str(file), *options]
    code = run_until(command, deadline)
    lines = record.read_text(encoding="utf-8").splitlines() if record.is_file() else []
    entries = [entry for line in lines if (entry := whole(line)) is not None]
    tests = [entry for entry in entries if "name" in entry]
    sizes = Counter(name for entry in entries for name in entry.get("collected", []))
    if code is None:
        return tests, sizes, [f"out of time: {len(tests)} of {sizes.total()} public tests have run"]
    if code != 0 and not sizes:
        return tests, sizes, [NONE_STARTED]
    if code not in (0, 1) or len(tests) < sizes.total() or not tests:
        return tests, sizes, [f"the public tests stopped early: {len(tests)} of {sizes.total()} have run"]
    return tests, sizes, []


def whole(line: str) -> dict[str, Any] | None:
    """What a line says, or None for the last one of a run that was cut off as it wrote."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def run_compress(file: Path, folder: Path, deadline: float) -> tuple[dict[str, Any] | None, str | None]:
    """What compress is worth, or a sentence that says why that is not known."""
    into = folder / "compress.json"
    code = run_until(["-m", "assignment.ci", "--file", str(file), "--measure-into", str(into)], deadline)
    if code is None:
        return None, (
            "compress was stopped: this check has no more time. `python -m assignment score` gives it its "
            "full time"
        )
    try:
        found = json.loads(into.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None, "compress ended the process that it ran in"
    return (found, None) if "bytes" in found else (None, found["fault"])


def run_until(arguments: list[str], deadline: float) -> int | None:
    """The exit code of a Python of its own, or None where time was up first."""
    try:
        left = max(deadline - time.monotonic(), 0.1)
        environment = {**os.environ, **ONE_THREAD}
        return subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=environment, timeout=left
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def measured(file: Path) -> dict[str, Any]:
    """Run `compress` of `file` on the small data, in this process."""
    try:
        small = load_mnist_5k()
        found = measure(LocalSubmission(file), small)
    except SubmissionError as error:
        return {"fault": f"compress: {error}"}
    except (ArtifactError, DataError, ValueError) as error:
        return {"fault": f"compress could not be measured: {error}"}
    rows = [
        (f"{row.layer} {row.array}" if row.shape else row.array, row.size_bytes)
        for row in ledger(found.artifact)
    ]
    return {
        "bytes": found.size_bytes,
        "accuracy_percent": found.accuracy_percent,
        "score": found.score,
        "cpu_seconds": found.cpu_seconds,
        "hindrances": found.hindrances(),
        "data": small.name,
        "images": len(small.validation),
        "ledger": rows,
    }


def publish(found: Check, out: Path) -> None:
    """To where GitHub looks, or to the terminal; and to `out`, for whoever wants to see it again."""
    results, text = reporter_results(found), markdown(found)
    out.mkdir(parents=True, exist_ok=True)
    (out / "result.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        append(Path(summary), text)
    else:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a pipe on Windows may have no sign for a bar
        print(text)
    if output := os.environ.get("GITHUB_OUTPUT"):
        append(Path(output), f"result={encoded(results)}\n")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print("\n".join(notices(found)))


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main())

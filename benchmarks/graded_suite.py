"""Time both graded suites on the reference: in this process, and in a worker of each kind there is.

    python benchmarks/graded_suite.py               medians of 3 rounds, taken in turns, and the slowest tests
    python benchmarks/graded_suite.py --rounds 5

Each way runs in a process of its own, from its start to its end; CPU time is its own and its workers'.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "solution" / "compression.py"
IN_PROCESS = "in-process"
SLOWEST = 10
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)  # as in a worker


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.way:
        cpu_seconds, seconds = (0.0, in_process()) if chosen.way == IN_PROCESS else in_worker(chosen.way)
        print(json.dumps({"cpu_seconds": time.process_time() + cpu_seconds, "seconds": seconds}))
        return 0
    from grader.trial import available

    ways = [IN_PROCESS, "none", *(backend.name for backend in reversed(available()))]
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    seconds: dict[str, float] = {}
    for _ in range(chosen.rounds):
        for way in ways:
            wall, cpu, seconds = timed(way)
            taken[way].append((wall, cpu))
    print_table(taken)
    print(f"\nthe slowest {SLOWEST} tests, in a worker of the kind {ways[-1]}:")
    for name, each in sorted(seconds.items(), key=lambda item: -item[1])[:SLOWEST]:
        print(f"  {each:6.2f} s  {name}")
    return 0


def timed(way: str) -> tuple[float, float, dict[str, float]]:
    """Wall and CPU seconds of one run, and how long each of its tests took."""
    started = time.perf_counter()
    command = [sys.executable, __file__, "--way", way]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, **ONE_THREAD}, text=True
    )
    assert process.stdout is not None
    said: dict[str, Any] = json.loads(process.stdout.read())
    if process.wait():
        raise SystemExit(f"the run in {way} ended with status {process.returncode}")
    return time.perf_counter() - started, said["cpu_seconds"], said["seconds"]


def in_process() -> dict[str, float]:
    import contextlib

    import pytest

    quiet = ["-q", "--tb=no", "-p", "no:cacheprovider", "--assert=plain"]
    with contextlib.redirect_stdout(sys.stderr):
        code = pytest.main([*quiet, "--submission", str(REFERENCE), "tests_public", "tests_hidden"])
    if code != pytest.ExitCode.OK:
        raise SystemExit("the reference fails its tests")
    return {}


def in_worker(name: str) -> tuple[float, dict[str, float]]:
    """CPU seconds of the workers, and how long each test took."""
    from grader.log import nowhere
    from grader.remote import RemoteSubmission, room_for
    from grader.rules import SUITES, SuitePaths, read_points, read_rules
    from grader.suites import run_suite
    from grader.trial import backend_for

    backend, seconds, paths = backend_for(name, unsafe=True), {}, SuitePaths()
    with room_for(REFERENCE.read_bytes()) as room, nowhere() as sink:
        for suite in SUITES:
            with RemoteSubmission(room, backend, read_rules().worker, sink=sink) as submission:
                result = run_suite(suite, submission, read_points(paths.points_file), paths, seed=0)
            if result.error or any(test.outcome != "passed" for test in result.tests):
                raise SystemExit("the reference fails its tests")
            seconds.update(result.seconds)
    return backend.used_cpu_seconds, seconds


def print_table(taken: dict[str, list[tuple[float, float]]]) -> None:
    medians = {
        way: [statistics.median(column) for column in zip(*runs, strict=True)] for way, runs in taken.items()
    }
    base = medians[IN_PROCESS][1]
    print(f"{'way':14} {'wall s':>8} {'CPU s':>8} {'CPU ratio':>10}")
    for way, (wall, cpu) in medians.items():
        print(f"{way:14} {wall:8.1f} {cpu:8.1f} {cpu / base:10.2f}")


if __name__ == "__main__":
    sys.exit(main())

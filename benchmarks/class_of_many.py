"""What a submission of a class costs, beside otter and pytest, and how a class's cost grows.

    python benchmarks/class_of_many.py
    python benchmarks/class_of_many.py --rounds 1 --counts 10 --suites small     a quick look

One submission, all public and hidden tests, no competition: `otter run` on the exported autograder, plain pytest in
one process, `grade`, and a fork of a class's warm process. Times are of whole process trees, from start to end, the
warm process's own start left out (it is paid once for a class). All ways in turns, in one run; medians. "its functions"
is what the submission's own functions take of that, called in one process: what remains of a way is its own part.

A class of so many, by `grade-class`: the stubs with the assignment's suites, or (--suites small) a right answer with those
of tests/grading.py. How CPU time for each and memory grow with the class, and how much sooner two jobs are done.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import psutil  # noqa: E402

from assignment.plain import Flat  # noqa: E402
from assignment.seam import Call, LocalSubmission  # noqa: E402
from grader.classroom.task import Settings  # noqa: E402
from grader.classroom.warm import warmed  # noqa: E402
from grader.log import nowhere  # noqa: E402
from grader.remote import RemoteSubmission, room_for  # noqa: E402
from grader.rules import SUITES, SuitePaths, read_points, read_rules  # noqa: E402
from grader.suites import run_suite  # noqa: E402
from grader.trial import backend_for  # noqa: E402
from tests.classroom import class_command  # noqa: E402
from tests.grading import RIGHT, make_suites  # noqa: E402

SUBMISSIONS = {
    "stubs": ROOT / "assignment" / "compression.py",
    "reference": ROOT / "solution" / "compression.py",
}
SEED = 7
WARM = "fork of a class"
Cost = tuple[float, float]


def of_tree(pid: int, started: float, most: list[float] | None = None) -> Cost:
    """Wall and CPU seconds of a child of this process and of all below it, until it ends.

    most: takes the largest resident sizes in MiB of the process and of its first child. Raises SystemExit where it fails.

    The larger of two counts: what the kernel says of all that was waited for, and what was seen ten times a second. A
    worker that is killed is not always in the first, the last moments of each process are not in the second.
    """
    used: dict[tuple[int, float], float] = {}
    root = psutil.Process(pid)
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            if most is not None and status:
                raise SystemExit(f"it ended with {os.waitstatus_to_exitcode(status)}")
            counted = usage.ru_utime + usage.ru_stime
            return time.perf_counter() - started, max(counted, sum(used.values()))
        with contextlib.suppress(psutil.Error):
            if most is not None:
                for index, each in enumerate([root, *root.children()[:1]]):
                    most[index] = max(most[index], each.memory_info().rss / 2**20)
            for each in (root, *root.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    times = each.cpu_times()
                    used[each.pid, each.create_time()] = times.user + times.system
        time.sleep(0.1)


def of_command(command: list[str], folder: Path) -> Cost:
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cost = of_tree(process.pid, started)
    process.returncode = 0
    return cost


def of_fork(file: Path) -> Cost:
    """Both suites in a fork of this process, which is warm."""
    started = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        backend, paths = backend_for("auto"), SuitePaths()
        with room_for(file.read_bytes()) as room, nowhere() as sink:
            for suite in SUITES:
                with RemoteSubmission(room, backend, read_rules().worker, sink=sink) as submission:
                    run_suite(suite, submission, read_points(paths.points_file), paths, SEED)
        os._exit(0)
    return of_tree(pid, started)


class Timed(LocalSubmission):
    """A submission in this process, with the CPU time that its functions take."""

    cpu_seconds = 0.0

    def begin_test(self, call_cpu_seconds: float | None = None) -> None:
        """No limits here."""

    def run(self, function: str, given: Flat, *, inspecting: bool) -> Call:
        started = time.process_time()
        try:
            return super().run(function, given, inspecting=inspecting)
        finally:
            self.cpu_seconds += time.process_time() - started


def of_functions(file: Path) -> float:
    """CPU seconds that a submission's functions take when both suites call them, in a fork of this process."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        paths, submission = SuitePaths(), Timed(file)
        for suite in SUITES:
            run_suite(suite, cast(RemoteSubmission, submission), read_points(paths.points_file), paths, SEED)
        os.write(writing, str(submission.cpu_seconds).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file_of_answer:
        answer = float(file_of_answer.read())
    os.waitpid(pid, 0)
    return answer


def ways(name: str, archive: Path, folder: Path) -> dict[str, Callable[[], Cost]]:
    file, python = SUBMISSIONS[name], sys.executable
    own = folder / name
    own.mkdir()
    (own / "compression.py").write_bytes(file.read_bytes())
    otter = [python, "-m", "otter", "run", "-a", str(archive), "compression.py"]
    suites = ["tests_public", "tests_hidden"]
    plain = [
        python,
        "-m",
        "pytest",
        "-q",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        "--submission",
        str(file),
        *suites,
    ]
    cold = [
        python,
        "-m",
        "grader",
        "grade",
        str(file),
        "--no-compete",
        "--seed",
        str(SEED),
        "--out",
        str(own),
    ]
    return {
        "otter run": lambda: of_command(otter, own),
        "pytest, no sandbox": lambda: of_command(plain, ROOT),
        "grade": lambda: of_command(cold, ROOT),
        WARM: lambda: of_fork(file),
    }


def one_submission(rounds: int, folder: Path) -> None:
    archive = folder / "autograder.zip"
    exported = [sys.executable, "-m", "grader", "export", "otter", str(archive)]
    subprocess.run(exported, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    started = time.process_time()
    warmed(Settings("", competes=False, seed=SEED), folder)
    print(f"warming up, once for a class: {time.process_time() - started:.1f} s of CPU time\n")
    print(f"{'one submission':14} {'way':20} {'wall s':>8} {'CPU s':>8} {'CPU ratio':>10} {'own part s':>11}")
    for name in SUBMISSIONS:
        each = ways(name, archive, folder)
        taken: dict[str, list[Cost]] = {way: [] for way in each}
        for _ in range(rounds):
            for way, run in each.items():
                taken[way].append(run())
        medians = {way: [statistics.median(column) for column in zip(*costs, strict=True)]
                   for way, costs in taken.items()}  # fmt: skip
        base = medians[WARM][1]
        functions = statistics.median(of_functions(SUBMISSIONS[name]) for _ in range(rounds))
        print(f"{name:14} {'its functions':20} {'':8} {functions:8.2f} {functions / base:10.2f}")
        for way, (wall, cpu) in medians.items():
            print(
                f"{name:14} {way:20} {wall:8.2f} {cpu:8.2f} {cpu / base:10.2f} {cpu - functions:11.2f}",
                flush=True,
            )
    print(
        f"\na worker's start: {worker_start():.2f} s of CPU time; each submission has two, and one more for each fault\n"
    )


def worker_start() -> float:
    """CPU seconds of a worker that imports a submission and ends."""
    backend = backend_for("auto")
    with room_for(b"") as room, nowhere() as sink:
        for _ in range(5):
            with RemoteSubmission(room, backend, read_rules().worker, sink=sink) as submission:
                submission.load()
    return backend.used_cpu_seconds / 5


@dataclass(frozen=True)
class Class:
    """What grading a class of so many took. own, warm: the most memory in MiB of the two processes that last."""

    count: int
    jobs: int
    wall: float
    cpu: float
    own: float
    warm: float


def whole_class(count: int, jobs: int, folder: Path, suites: str) -> Class:
    """What `grade-class` takes, from its start to its end."""
    place, out = folder / f"in-{count}-{jobs}", folder / f"out-{count}-{jobs}"
    text = RIGHT if suites == "small" else SUBMISSIONS["stubs"].read_text()
    for number in range(count):
        file = place / f"student-{number:03}" / "assignment" / "compression.py"
        file.parent.mkdir(parents=True)
        file.write_text(f"{text}\n# {number}\n")
    command = class_command(place, out, folder / "suites" if suites == "small" else ROOT, "--jobs", jobs)
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = [0.0, 0.0]
    wall, cpu = of_tree(process.pid, started, most)
    process.returncode = 0
    return Class(count, jobs, wall, cpu, *most)


def classes(counts: list[int], jobs: list[int], folder: Path, suites: str) -> None:
    make_suites(folder / "suites")
    print(
        f"{'class of':>8} {'jobs':>5} {'wall s':>8} {'CPU s':>8} {'CPU s each':>11} {'MiB':>6} {'MiB warm':>9}"
    )
    made = []
    for count in counts:
        for each in jobs:
            found = whole_class(count, each, folder, suites)
            made.append(found)
            print(
                f"{count:8} {each:5} {found.wall:8.1f} {found.cpu:8.1f} {found.cpu / count:11.2f} "
                f"{found.own:6.0f} {found.warm:9.0f}",
                flush=True,
            )
    for each in jobs:
        own = [found for found in made if found.jobs == each]
        small, large = own[0], own[-1]
        if small.count < large.count:
            print(
                f"{each} jobs, {large.count} against {small.count}: CPU for each further submission "
                f"{(large.cpu - small.cpu) / (large.count - small.count):.2f} s, "
                f"memory {large.own / small.own:.2f} and {large.warm / small.warm:.2f} times"
            )
    for count in counts:
        own = [found for found in made if found.count == count]
        one, more = own[0], own[-1]
        if one.jobs < more.jobs:
            print(f"{count}: {more.jobs} jobs take {more.wall / one.wall:.2f} times as long as {one.jobs}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="of one submission; 0 leaves it out")
    parser.add_argument("--counts", type=int, nargs="*", default=[10, 100, 400])
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--suites", choices=("own", "small"), default="own", help="of the classes")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="featherweight-bench-") as name:
        if chosen.rounds:
            one_submission(chosen.rounds, Path(name))
        if chosen.counts:
            classes(chosen.counts, chosen.jobs, Path(name), chosen.suites)
    return 0


if __name__ == "__main__":
    sys.exit(main())

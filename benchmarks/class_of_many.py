"""What a submission of a class costs, beside otter and pytest, and how a class's cost grows.

    python benchmarks/class_of_many.py
    python benchmarks/class_of_many.py --rounds 1 --counts 10 100 --jobs 1 2

One submission, all public and hidden tests, no competition: `otter run` on the exported autograder, plain pytest in
one process, `grade`, and a fork of a class's warm process. Times are of whole process trees, from start to end, the
warm process's own start left out (it is paid once for a class). All ways in turns, in one run; medians.

A class of so many, by `grade-class`, with the small suites of tests/grading.py.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import psutil  # noqa: E402

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


def of_tree(pid: int, started: float) -> Cost:
    """Wall and CPU seconds of a child of this process and of all below it, until it ends.

    The larger of two counts: what the kernel says of all that was waited for, and what was seen ten times a second. A
    worker that is killed is not always in the first, the last moments of each process are not in the second.
    """
    used: dict[tuple[int, float], float] = {}
    root = psutil.Process(pid)
    while True:
        ended, _, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            counted = usage.ru_utime + usage.ru_stime
            return time.perf_counter() - started, max(counted, sum(used.values()))
        with contextlib.suppress(psutil.Error):
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
    print(f"{'one submission':12} {'way':20} {'wall s':>8} {'CPU s':>8} {'CPU ratio':>10}")
    for name in SUBMISSIONS:
        each = ways(name, archive, folder)
        taken: dict[str, list[Cost]] = {way: [] for way in each}
        for _ in range(rounds):
            for way, run in each.items():
                taken[way].append(run())
        medians = {way: [statistics.median(column) for column in zip(*costs, strict=True)]
                   for way, costs in taken.items()}  # fmt: skip
        base = medians[WARM][1]
        for way, (wall, cpu) in medians.items():
            print(f"{name:14} {way:20} {wall:8.2f} {cpu:8.2f} {cpu / base:10.2f}")
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


def whole_class(count: int, jobs: int, folder: Path) -> tuple[float, float, float, float]:
    """Wall and CPU seconds of `grade-class`, and the most memory in MiB of its two processes that last."""
    place, out = folder / f"in-{count}-{jobs}", folder / f"out-{count}-{jobs}"
    for number in range(count):
        file = place / f"student-{number:03}" / "assignment" / "compression.py"
        file.parent.mkdir(parents=True)
        file.write_text(f"{RIGHT}\n# {number}\n")
    command = class_command(place, out, folder / "suites", "--jobs", jobs)
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = [0.0, 0.0]
    is_over = threading.Event()
    watcher = threading.Thread(target=watch, args=(process.pid, most, is_over))
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    is_over.set()
    watcher.join()
    if process.returncode:
        raise SystemExit("grade-class failed")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, most[0], most[1]


def watch(pid: int, most: list[float], is_over: threading.Event) -> None:
    """The largest resident sizes of the process and of its first child, the warm one."""
    while not is_over.wait(0.2):
        try:
            own = psutil.Process(pid)
            for index, each in enumerate([own, *own.children()[:1]]):
                most[index] = max(most[index], each.memory_info().rss / 2**20)
        except psutil.Error:
            pass


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="of one submission; 0 leaves it out")
    parser.add_argument("--counts", type=int, nargs="*", default=[10, 100, 400])
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, 2])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="featherweight-bench-") as name:
        if chosen.rounds:
            one_submission(chosen.rounds, Path(name))
        make_suites(Path(name) / "suites")
        if chosen.counts:
            print(
                f"{'class of':>8} {'jobs':>5} {'wall s':>8} {'CPU s':>8} {'CPU s each':>11} {'MiB':>6} {'MiB warm':>9}"
            )
        for count in chosen.counts:
            for jobs in chosen.jobs:
                wall, cpu, own, warm = whole_class(count, jobs, Path(name))
                print(
                    f"{count:8} {jobs:5} {wall:8.1f} {cpu:8.1f} {cpu / count:11.2f} {own:6.0f} {warm:9.0f}",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())

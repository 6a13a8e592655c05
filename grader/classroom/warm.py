"""A process that has everything imported, and forks once for each submission it is told to grade.

    python -m grader.classroom.warm SETTINGS

Starting Python, NumPy, pytest and the grader, trying the sandbox, importing the tests and loading the digits is
done once and not for each of a class. A fork has a copy of all that as it was at the start: what grading one
submission changes in this process, no other sees. It is the trusted side that is warm. Workers, which run the
submissions, are started anew for each, in a sandbox of their own, as `grade` does.

Tasks come as lines on stdin, answers go as lines to stdout. When stdin ends, however that came about, forks that
still run are ended, and what they left is removed. What one left that was killed, the next removes at its start.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from assignment.plain import Flat  # noqa: E402
from assignment.seam import Call, Submission, SubmissionError  # noqa: E402
from grader import UnusableError  # noqa: E402
from grader.classroom.folders import own_folder, remove_abandoned  # noqa: E402
from grader.classroom.task import GRADER_LOG, Facts, Settings, Task  # noqa: E402
from grader.grade import TESTS, Inputs, grade_source, inputs_with  # noqa: E402
from grader.lock import end_with_parent  # noqa: E402
from grader.remote import RemoteSubmission  # noqa: E402
from grader.rules import read_points  # noqa: E402
from grader.sandbox import Backend, NoSandbox  # noqa: E402
from grader.standing import digits_on_disk  # noqa: E402
from grader.suites import run_suite  # noqa: E402
from grader.trial import backend_for  # noqa: E402

LONGEST_SECONDS = 3 * 3600
"""No grading takes so long: workers have their limits. This is for the grader's own mistakes."""

GRACE_SECONDS = 5.0


def main() -> None:
    settings = Settings(**json.loads(sys.argv[1]))
    reading, writing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started this; then stdin ends
    remove_abandoned()
    with own_folder() as root:
        tempfile.tempdir = str(root)
        try:
            facts, inputs = warmed(settings, root)
            send(writing, {"ready": asdict(facts)})
            Foreman(settings, root, reading, writing, inputs).serve()
        except Exception as error:
            traceback.print_exc()
            send(
                writing,
                {"fault": f"{type(error).__name__}: {error}", "usable": not isinstance(error, UnusableError)},
            )


class NothingYet(Submission):
    """A submission in which no function is written, for a rehearsal."""

    def begin_test(self, call_cpu_seconds: float | None = None) -> None:
        """Nothing runs, so nothing is timed."""

    def run(self, function: str, given: Flat, *, inspecting: bool) -> Call:
        raise SubmissionError("not_implemented", function)


def warmed(settings: Settings, root: Path) -> tuple[Facts, Inputs | None]:
    """Do once what every grading would do: what tests import, make and train before they call a submission.

    They run with the class's own seed, so that what depends on it is there as well. The digits are written into
    `root`, once for all. Raises what `grade` would.
    """
    backend = backend_for(settings.sandbox, unsafe=settings.unsafe)
    worth = read_points(settings.paths.points_file)
    for suite in TESTS[settings.tests]:
        nobody = cast(RemoteSubmission, NothingYet())
        run_suite(suite, nobody, worth, settings.paths, settings.seed)
    inputs = standing_inputs(settings, root, backend) if settings.competes else None
    gc.collect()
    gc.freeze()  # what is here stays: forks need not look through it
    return Facts(backend.name, "" if inputs is None else inputs.mnist.name), inputs


def standing_inputs(settings: Settings, root: Path, backend: Backend) -> Inputs:
    """What everybody's `compress` is run on, the digits to learn from as files that are linked and not copied.

    Without a sandbox each gets a copy: nothing would keep one from writing into what the others are given.
    """
    inputs = inputs_with(None if settings.canary is None else Path(settings.canary))
    if isinstance(backend, NoSandbox):
        return inputs
    canary = inputs.canary
    if canary is not None:
        canary = replace(canary, mnist=digits_on_disk(canary.mnist, root / "canary"))
    return replace(inputs, mnist=digits_on_disk(inputs.mnist, root / "digits"), canary=canary)


def send(descriptor: int, message: dict[str, object]) -> None:
    left = memoryview(json.dumps(message).encode() + b"\n")
    while left:
        left = left[os.write(descriptor, left) :]


@dataclass
class Fork:
    """One submission being graded. `ends` becomes readable when its process is gone."""

    ticket: int
    pid: int
    folder: Path
    ends: int


class Foreman:
    """Takes tasks, forks for each at once, and says how each ended. Who asks keeps the number of them down."""

    def __init__(
        self, settings: Settings, root: Path, reading: int, writing: int, inputs: Inputs | None = None
    ):
        self.settings, self.root, self.inputs = settings, root, inputs
        self.reading, self.writing = reading, writing
        self.forks: dict[int, Fork] = {}
        self.selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Until stdin ends."""
        self.selector.register(self.reading, selectors.EVENT_READ)
        left = b""
        try:
            while True:
                for key, _ in self.selector.select():
                    if key.fd != self.reading:
                        self.finish(self.forks[key.fd])
                        continue
                    part = os.read(self.reading, 2**20)
                    if not part:
                        return
                    *lines, left = (left + part).split(b"\n")
                    for line in lines:
                        self.begin(json.loads(line))
        finally:
            self.end_all()

    def begin(self, message: dict[str, object]) -> None:
        ticket, task = int(str(message["ticket"])), Task.from_json(str(message["task"]))
        folder = self.root / f"task-{ticket}"
        folder.mkdir()
        folder.chmod(0o711)
        ends, held = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                self.leave(ends)
                code = graded(task, self.settings, folder, self.inputs)
            except BaseException:
                traceback.print_exc()
                code = 1
            finally:
                os._exit(code)
        os.close(held)
        self.forks[ends] = Fork(ticket, pid, folder, ends)
        self.selector.register(ends, selectors.EVENT_READ)

    def leave(self, ends: int) -> None:
        """In a fork: let go of what is the parent's."""
        end_with_parent()
        self.selector.close()
        for descriptor in (self.reading, self.writing, ends, *self.forks):
            os.close(descriptor)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        signal.alarm(LONGEST_SECONDS)

    def finish(self, fork: Fork) -> None:
        self.selector.unregister(fork.ends)
        os.close(fork.ends)
        del self.forks[fork.ends]
        _, status = os.waitpid(fork.pid, 0)
        answer = {
            "ticket": fork.ticket,
            "folder": str(fork.folder),
            "code": os.waitstatus_to_exitcode(status),
        }
        send(self.writing, answer)

    def end_all(self) -> None:
        """Ask every fork to clean up and go; end those that do not."""
        for fork in self.forks.values():
            os.kill(fork.pid, signal.SIGTERM)
        until = time.monotonic() + GRACE_SECONDS
        for fork in self.forks.values():
            while os.waitpid(fork.pid, os.WNOHANG) == (0, 0):
                if time.monotonic() > until:
                    os.kill(fork.pid, signal.SIGKILL)
                    os.waitpid(fork.pid, 0)
                    break
                time.sleep(0.02)


def graded(task: Task, settings: Settings, folder: Path, inputs: Inputs | None) -> int:
    """Grade in this process, which is a fork; the exit code says whether there is a record."""
    with logged(folder / GRADER_LOG):
        own = Path(tempfile.mkdtemp(dir=folder))
        own.chmod(0o711)
        tempfile.tempdir = str(own)
        grade_source(task.request(settings, folder, inputs), task.taken())
        shutil.rmtree(own, ignore_errors=True)
    return 0


@contextlib.contextmanager
def logged(path: Path) -> Iterator[None]:
    """What the grader itself prints goes to a file, tracebacks too."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.close(descriptor)
    try:
        yield
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    main()

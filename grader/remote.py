"""A submission that runs in a worker, under a deadline for each call and limits for all of them.

To a test it is a `Submission` like the student's own. A worker that hangs, dies or answers nonsense
costs the call at hand and is replaced; a function that does so again and again is not called any
more, so that no submission can take longer than it was given.
"""

from __future__ import annotations

import builtins
import itertools
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from assignment.plain import Flat, NotPlainError, unflatten
from assignment.seam import LARGE_BYTES, Call, Submission, SubmissionError
from grader.intake import LARGEST_SOURCE
from grader.process import Deadline, WorkerProcess, WorkerStoppedError, remove
from grader.rules import WorkerLimits
from grader.sandbox import Backend, Room
from grader.standing import linked

ERROR_KINDS = ("missing", "not_implemented", "raised", "memory", "malformed")
MOST_TEXT = 600


def printable(text: Any) -> str:
    """Text from a submission, fit for a terminal, a page and a record: one line and no control characters."""
    shown = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * MOST_TEXT])
    return " ".join(shown.split())[:MOST_TEXT]


@contextmanager
def room_for(content: bytes) -> Iterator[Room]:
    """A folder of its own for one submission's workers; removed afterwards."""
    root = Path(tempfile.mkdtemp(prefix="featherweight-"))
    try:
        room = Room(root, root / "submission" / "compression.py", root / "shared", root / "scratch")
        for folder in (room.source.parent, room.shared, room.scratch):
            folder.mkdir()
            folder.chmod(0o755)  # whatever the umask: a worker may be another user
        room.source.write_bytes(content)
        room.source.chmod(0o644)
        yield room
    finally:
        remove(root)


@dataclass
class SharedArrays:
    """Arrays left in a folder for the worker to map instead of sent over the pipe."""

    folder: Path
    _names: Iterator[int] = field(default_factory=itertools.count)
    _kept: dict[int, tuple[np.ndarray, str]] = field(default_factory=dict)

    @contextmanager
    def share(self, arrays: Sequence[np.ndarray], *, everything: bool) -> Iterator[list[np.ndarray | str]]:
        """The arrays, with file names in place of the large ones, or of all that hold anything.

        A large array that nobody can write to any more is left there for the next call.
        """
        passing: list[Path] = []
        try:
            yield [self._placed(array, everything, passing) for array in arrays]
        finally:
            for path in passing:
                path.unlink(missing_ok=True)

    def _placed(self, array: np.ndarray, everything: bool, passing: list[Path]) -> np.ndarray | str:
        is_large = array.nbytes > LARGE_BYTES
        if not array.size or not (is_large or everything):
            return array
        if id(array) in self._kept:
            return self._kept[id(array)][1]
        name = f"{next(self._names)}.npy"
        if linked(array, self.folder / name):
            passing.append(self.folder / name)
            return name
        np.save(self.folder / name, np.asarray(array, order="C"), allow_pickle=False)
        (self.folder / name).chmod(0o644)
        if is_large and not array.flags.writeable:
            self._kept[id(array)] = (array, name)  # holding it keeps its id its own
        else:
            passing.append(self.folder / name)
        return name


@dataclass
class Strikes:
    """How often each function ran out of time, and how often it took its process down."""

    timeouts: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)


class RemoteSubmission(Submission):
    """The submission in `room`, reached through workers that `backend` starts.

    sink: takes what workers print. private: what the submission says stays out of the reasons.
    strikes: those of earlier suites count too.
    call_cpu_seconds: the deadline of each of the next calls; `begin_test` sets it.
    """

    def __init__(
        self,
        room: Room,
        backend: Backend,
        limits: WorkerLimits,
        *,
        sink: int,
        private: bool = False,
        strikes: Strikes | None = None,
    ):
        self.room, self.backend, self.limits = room, backend, limits
        self.sink, self.private = sink, private
        self.begin_test()
        self.on_tick: Callable[[float], None] | None = None
        self.spent_seconds = self.idle_seconds = 0.0
        self._shared = SharedArrays(room.shared)
        self._worker: WorkerProcess | None = None
        self._starts = 0
        self.strikes = Strikes() if strikes is None else strikes
        self._import_error: SubmissionError | None = None
        self._function_seconds: defaultdict[str, float] = defaultdict(float)

    def begin_test(self, call_cpu_seconds: float | None = None) -> None:
        """A test begins, with a deadline of its own; its calls may be given more time than others."""
        self.call_cpu_seconds = call_cpu_seconds or self.limits.call_cpu_seconds
        self.test_cpu_seconds = max(self.limits.test_cpu_seconds, self.call_cpu_seconds)
        self._test_seconds = 0.0

    def __enter__(self) -> RemoteSubmission:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker, if there is one."""
        if self._worker is not None:
            self.spent_seconds += self._worker.spent_seconds
            self.idle_seconds += self._worker.idle_seconds
            self._worker.close()
            self._worker = None

    def load(self) -> None:
        """Import the submission, unless it is. Raises SubmissionError, at once for every later call."""
        if self._import_error is not None:
            raise self._import_error.with_traceback(None)
        if self._worker is not None:
            return
        if self.room.source.stat().st_size > LARGEST_SOURCE:
            raise self._refused("import", f"it is larger than {LARGEST_SOURCE // 2**20} MiB")
        if self._starts > self.limits.most_restarts:
            raise self._refused("import", "its process had to be restarted too often")
        self._starts += 1
        self._worker = WorkerProcess(
            self.backend,
            self.room,
            memory_bytes=self.limits.memory_mib * 2**20,
            cpu_seconds=self.limits.import_cpu_seconds + self.limits.run_cpu_seconds,
            sink=self.sink,
        )
        seconds = self.limits.import_cpu_seconds
        try:
            header, _ = self._worker.exchange({"do": "load"}, [], Deadline(seconds))
        except WorkerStoppedError as error:
            self.close()
            raise self._refused("import", why_no_import(error, seconds)) from error
        if header.get("loaded") is not True:
            self.close()
            raise self._refused("import", said(header).get("message", "it ended early"))

    def _refused(self, kind: str, message: str) -> SubmissionError:
        """An import that failed, remembered. A later one may know hidden inputs: its words are not used."""
        if self._starts > 1 and self.private:
            message = "it could be imported the first time, but not again"
        self._import_error = SubmissionError(kind, "import", printable(message))
        return self._import_error

    def run(self, function: str, given: Flat, *, inspecting: bool) -> Call:
        self.load()
        seconds = self._time_for(function)
        assert self._worker is not None
        request = {"do": "call", "function": function, "inspecting": inspecting, "tree": given.tree}
        worker, spent_before = self._worker, self._worker.spent_seconds
        try:
            with self._shared.share(given.arrays, everything=inspecting) as arrays:
                header, results = self._worker.exchange(request, arrays, Deadline(seconds, self.on_tick))
            if "error" in header:
                raise self._error(function, said(header))
            value = unflatten(header.get("tree"), results)
        except WorkerStoppedError as error:
            self.close()
            raise self._stopped(function, error, seconds) from error
        except NotPlainError as error:
            raise self._failure("malformed", function, str(error)) from error
        finally:
            self._test_seconds += worker.spent_seconds - spent_before
            self._function_seconds[function] += worker.spent_seconds - spent_before
        flags = (header.get("changed_arguments"), header.get("shares_memory"))
        return Call(value, *(flag is True for flag in flags))

    def _time_for(self, function: str) -> float:
        """CPU seconds for the next call. Raises SubmissionError where there are none left."""
        limits, strikes = self.limits, self.strikes
        if (times := strikes.timeouts[function]) >= limits.most_timeouts:
            raise self._not_called(function, f"ran out of time {times} times and was not called again")
        if (times := strikes.deaths[function]) >= limits.most_deaths:
            raise self._not_called(function, f"ended its process {times} times and was not called again")
        worker_seconds = self._worker.spent_seconds if self._worker is not None else 0.0
        worker_idle = self._worker.idle_seconds if self._worker is not None else 0.0
        if self.idle_seconds + worker_idle > limits.run_idle_seconds:
            raise self._not_called(
                function, "was not called: earlier calls waited too long without computing anything"
            )
        budgets = (
            (
                limits.run_cpu_seconds - self.spent_seconds - worker_seconds,
                limits.run_cpu_seconds,
                "all calls",
            ),
            (
                limits.function_cpu_seconds - self._function_seconds[function],
                limits.function_cpu_seconds,
                "its calls",
            ),
            (self.test_cpu_seconds - self._test_seconds, self.test_cpu_seconds, "the calls of one test"),
        )
        for left, whole, what in budgets:
            if left <= 0:
                raise self._not_called(
                    function, f"was not called: the {whole:g} s for {what} together were used up"
                )
        seconds = min(self.call_cpu_seconds, *(left for left, _, _ in budgets))
        return min(seconds, limits.retry_cpu_seconds) if strikes.timeouts[function] else seconds

    def _not_called(self, function: str, why: str) -> SubmissionError:
        return self._failure("timeout", function, why)

    def _stopped(self, function: str, error: WorkerStoppedError, seconds: float) -> SubmissionError:
        match error.how:
            case "timeout":
                self.strikes.timeouts[function] += 1
                # What was left of a test's time follows from earlier calls, and could tell what they met.
                is_told = not self.private or seconds in (
                    self.call_cpu_seconds,
                    self.limits.retry_cpu_seconds,
                )
                return self._failure("timeout", function, not_finished(seconds if is_told else None))
            case "idle":
                self.strikes.timeouts[function] += 1
                return self._failure("timeout", function, "waited for something that never came (a sleep?)")
            case "died":
                self.strikes.deaths[function] += 1
                return self._failure("killed", function, error.detail)
            case "full":
                self.strikes.deaths[function] += 1
                return self._failure("timeout", function, "wrote more than its scratch folder holds")
            case _:
                self.strikes.deaths[function] += 1
                return self._failure("malformed", function, "something that cannot be read")

    def _error(self, function: str, facts: dict[str, str]) -> SubmissionError:
        """The error that the worker reports, in words of ours as far as they are private."""
        kind, name = facts.get("kind", ""), facts.get("exception", "")
        if kind not in ERROR_KINDS:
            return self._failure("malformed", function, "something that cannot be read")
        known = getattr(builtins, name, None)
        is_exception = isinstance(known, type) and issubclass(known, BaseException)
        message = facts.get("message", "")
        if kind == "memory" and not self.private:
            message = f"it may use {self.limits.memory_mib / 1024:g} GiB"
        if kind == "raised" and "read-only" in message:
            message += " (it wrote into an argument: work on a copy)"
        return self._failure(kind, function, message, name if is_exception else "Exception")

    def _failure(
        self, kind: str, function: str, message: str, exception: str | None = None
    ) -> SubmissionError:
        return SubmissionError(kind, function, printable(message), exception, private=self.private)


def said(header: dict[str, Any]) -> dict[str, str]:
    """What the worker says went wrong, as far as it is text."""
    facts = header.get("error")
    if not isinstance(facts, dict):
        return {}
    return {key: value for key, value in facts.items() if isinstance(value, str)}


def not_finished(seconds: float | None) -> str:
    """None: within what earlier calls had left."""
    time = "what was left of its" if seconds is None else f"{seconds:.3g} s of"
    return f"did not finish within {time} CPU time (is there a loop that never ends?)"


def why_no_import(error: WorkerStoppedError, seconds: float) -> str:
    match error.how:
        case "timeout":
            return f"it {not_finished(seconds)}"
        case "idle":
            return "it waited for something that never came (a sleep, an input?)"
        case "died":
            return f"it ended the process it ran in ({error.detail})"
        case "full":
            return "it wrote more than its scratch folder holds"
        case _:
            return "it wrote where only the grader writes"

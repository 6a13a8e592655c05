"""The warm process from the other side: hand it tasks, get futures; start it again where it dies."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
import threading
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from grader import GraderError, UnusableError
from grader.classroom.task import GRADER_LOG, KEPT, Facts, Outcome, Settings, Task
from grader.process import remove
from grader.rules import ROOT

CLOSING_SECONDS = 20


class Pool(Protocol):
    """Where a class is graded. `facts` holds for all of it; `size` tasks at a time are worth handing over."""

    size: int

    @property
    def facts(self) -> Facts: ...
    def submit(self, task: Task) -> Future[Outcome]: ...
    def close(self) -> None: ...


class WarmProcess:
    """One warm process. Raises GraderError or UnusableError where it cannot get ready."""

    def __init__(self, settings: Settings):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "grader.classroom.warm", json.dumps(asdict(settings))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C in a terminal reaches this process, and not that one
        )
        self._waiting: dict[int, tuple[str, Future[Outcome]]] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self.is_over = False
        try:
            said = self._read()
        except BaseException:
            self.close()
            raise
        if said is None or "ready" not in said:
            self.close()
            fault = (said or {}).get("fault", "it ended before it was ready")
            kind = GraderError if (said or {}).get("usable", True) else UnusableError
            raise kind(str(fault).partition(": ")[2] or str(fault))
        self.facts = Facts(**said["ready"])
        threading.Thread(target=self._listen, daemon=True).start()

    def submit(self, task: Task) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        ticket = next(self._numbers)
        line = json.dumps({"ticket": ticket, "task": task.to_json()}).encode() + b"\n"
        with self._lock:
            self._waiting[ticket] = (task.id, future)
            if not self.is_over:
                with contextlib.suppress(BrokenPipeError):
                    assert self._process.stdin is not None
                    self._process.stdin.write(line)
                    self._process.stdin.flush()
                    return future
        self._drop_all()
        return future

    def close(self) -> None:
        """End it, and the gradings that it has begun; they clean up."""
        with contextlib.suppress(BrokenPipeError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def _listen(self) -> None:
        """A thread: every answer goes to the future that waits for it."""
        while (said := self._read()) is not None and "ticket" in said:
            with self._lock:
                name, future = self._waiting.pop(said["ticket"])
            future.set_result(outcome_in(Path(said["folder"]), name, said["code"]))
        self._drop_all()

    def _drop_all(self) -> None:
        with self._lock:
            self.is_over = True
            dropped = list(self._waiting.values())
            self._waiting.clear()
        for _, future in dropped:
            future.set_result(Outcome(fault="the process that grades ended early"))


def outcome_in(folder: Path, name: str, code: int) -> Outcome:
    """What a fork left of the submission of that name in its folder, which is removed."""
    files = {each: (folder / name / each).read_bytes() for each in KEPT if (folder / name / each).is_file()}
    log = folder / GRADER_LOG
    if log.is_file() and (text := log.read_bytes()):
        files[GRADER_LOG] = text[-(2**20) :]
    remove(folder)
    if code == 0 and KEPT[0] in files:
        return Outcome(files)
    files.pop(KEPT[0], None)
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return Outcome(files, f"the grading ended early ({how})")


class LocalPool:
    """Grades on this machine, up to `size` at a time, in forks of a warm process that starts when it is needed."""

    def __init__(self, settings: Settings, size: int):
        self.settings, self.size = settings, size
        self._warm: WarmProcess | None = None

    @property
    def facts(self) -> Facts:
        return self._ready().facts

    def submit(self, task: Task) -> Future[Outcome]:
        return self._ready().submit(task)

    def close(self) -> None:
        if self._warm is not None:
            self._warm.close()
            self._warm = None

    def _ready(self) -> WarmProcess:
        """The warm process; one that died is replaced. Raises GraderError or UnusableError."""
        if self._warm is not None and self._warm.is_over:
            self.close()
        if self._warm is None:
            self._warm = WarmProcess(self.settings)
        return self._warm

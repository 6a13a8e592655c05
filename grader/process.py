"""A worker process from the grader's side: start it, exchange frames under a deadline, end it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped]

from grader import GraderError, wire
from grader.sandbox import SCRATCH_BYTES, Backend, Room

START_SECONDS = 60
TICK_SECONDS = 0.25
WATCH_SECONDS = 0.05
"""How often one looks into a scratch folder whose size nothing limits."""
UNSURE_SHARE = 0.1
"""How far waiting counts that may be for a disk: the machine's doing, or one write to disk after the other."""
MAPPED_BYTES = SCRATCH_BYTES // 4
"""What a file counts that is seen in no folder and in no descriptor, but in a worker's memory: its size is not known."""
MOST_FILES = 2048
"""In a scratch folder. Empty ones take up no space that counts, but the kernel's memory and the time to look at them."""
CPU_GRACE_SECONDS = 5
REAP_SECONDS = 1
PIPE_BYTES = 2**20


class WorkerStoppedError(Exception):
    """The worker will not answer any more.

    how: "timeout" (CPU time), "idle" (it waited for something that never came), "full" (its scratch folder),
    "died" or "babble" (what it sent is no reply). detail: for "died", how it ended.
    """

    def __init__(self, how: str, detail: str = ""):
        super().__init__(how, detail)
        self.how, self.detail = how, detail


@dataclass(frozen=True)
class Deadline:
    """CPU time counts; waiting counts too, so that a sleeper ends, but being crowded out does not."""

    cpu_seconds: float
    on_tick: Callable[[float], None] | None = None

    @property
    def idle_seconds(self) -> float:
        return min(max(self.cpu_seconds, 5.0), 30.0)

    @property
    def wall_seconds(self) -> float:
        return 10 * self.cpu_seconds + 60


class Clock:
    """Measures one exchange against its deadline. The first look comes after a quarter of a second.

    What of a stretch of time was neither CPU time nor time in which another process had the CPU was waiting.
    idle: seconds of it in stretches at whose end no thread ran or waited for a disk; unsure: in the others.
    """

    def __init__(self, worker: WorkerProcess, deadline: Deadline):
        self.worker, self.deadline = worker, deadline
        self.started = self.last_wall = time.monotonic()
        self.first_cpu: float | None = None
        self.last_cpu = self.last_crowded = self.idle = self.unsure = 0.0

    @property
    def spent_seconds(self) -> float:
        """CPU time of this exchange, as far as it was measured; for a short one, the time it took."""
        measured = None if self.first_cpu is None else self.last_cpu - self.first_cpu
        return time.monotonic() - self.started if measured is None else measured + TICK_SECONDS

    def look(self) -> None:
        """Raises WorkerStoppedError once the deadline has passed. Costs nothing between ticks."""
        now = time.monotonic()
        if now - self.last_wall < TICK_SECONDS:
            return
        cpu = self.worker.cpu_seconds()
        crowded, states = self.worker.threads()
        if self.first_cpu is None:
            self.first_cpu = self.last_cpu = cpu
        else:
            busy = cpu - self.last_cpu + crowded - self.last_crowded
            waited = max(0.0, now - self.last_wall - busy)
            if states.isdisjoint("RD"):
                self.idle += waited
            else:
                self.unsure += waited
        self.last_wall, self.last_cpu, self.last_crowded = now, cpu, crowded
        if self.deadline.on_tick is not None:
            self.deadline.on_tick(self.spent_seconds)
        self.worker.check_scratch()
        if cpu - self.first_cpu >= self.deadline.cpu_seconds:
            raise WorkerStoppedError("timeout")
        if self.idle >= self.deadline.idle_seconds or now - self.started >= self.deadline.wall_seconds:
            raise WorkerStoppedError("idle")


class WorkerProcess:
    """One worker, running. Ends with `close`, whatever it is doing.

    sink: the file descriptor that takes its stdout and stderr.
    """

    def __init__(self, backend: Backend, room: Room, *, memory_bytes: int, cpu_seconds: float, sink: int):
        self.backend = backend
        self.scratch = Path(tempfile.mkdtemp(dir=room.scratch))
        theirs_read, self._write = os.pipe()
        self._read, theirs_write = os.pipe()
        door, their_door = socket.socketpair()
        socket.send_fds(door, [b"r"], [theirs_read])
        try:
            start = backend.start(room, self.scratch)
            limits = {"memory_bytes": memory_bytes, "cpu_seconds": int(cpu_seconds) + CPU_GRACE_SECONDS}
            self._process = subprocess.Popen(
                [*start.command, json.dumps(start.orders | limits)],
                env=start.environment,
                cwd=self.scratch,
                stdin=their_door.fileno() if backend.limits_scratch else theirs_read,
                stdout=theirs_write,
                stderr=sink,
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._read)
            os.close(self._write)
            door.close()
            raise GraderError(f"no worker could be started: {error}") from error
        finally:
            their_door.close()
            os.close(theirs_read)
            os.close(theirs_write)
        self._watched = psutil.Process(self._process.pid)
        for descriptor in (self._read, self._write):
            os.set_blocking(descriptor, False)
        self.spent_seconds = self.idle_seconds = 0.0
        self._inside: int | None = None
        with door:
            self._await_ready(door)

    def _await_ready(self, door: socket.socket) -> None:
        """door: through which a worker with a file system of its own hands its scratch folder out, before it is ready."""
        try:
            header, _ = self._transfer(b"", Deadline(START_SECONDS))
        except WorkerStoppedError as error:
            self.close()
            raise GraderError(f"the worker did not start: {error.detail or error.how}") from error
        except BaseException:
            self.close()
            raise
        if header.get("ready") is not True:
            self.close()
            raise GraderError("the worker did not start properly")
        self.spent_seconds = self.idle_seconds = 0.0  # starting is not the submission's time
        if self.backend.limits_scratch:
            self._inside = self._handed_out(door)

    def exchange(
        self, request: dict[str, Any], arrays: Sequence[np.ndarray | str], deadline: Deadline
    ) -> tuple[dict[str, Any], list[np.ndarray]]:
        """Send one request and wait for its reply. Raises WorkerStoppedError; close the worker then."""
        if self._has_something_to_say():
            raise WorkerStoppedError("babble")
        ticket = secrets.token_hex(8)
        header, results = self._transfer(wire.packed({**request, "ticket": ticket}, arrays), deadline)
        if header.get("ticket") != ticket:
            raise WorkerStoppedError("babble")
        self.check_scratch()
        return header, results

    def check_scratch(self) -> None:
        """Raises WorkerStoppedError where it has written more than it may: files, and bytes where nothing limits them."""
        if not self.backend.limits_scratch:
            is_full = size_of(self.scratch) + size_of_deleted(self._process.pid, self.scratch) > SCRATCH_BYTES
        else:
            is_full = self._inside is not None and files_in(self._inside) > MOST_FILES
        if is_full:
            raise WorkerStoppedError("full")

    def _handed_out(self, door: socket.socket) -> int:
        with contextlib.suppress(OSError):
            _, folders, _, _ = socket.recv_fds(door, 1, 1, socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT)
            if folders:
                return folders[0]
        self.close()
        raise GraderError("the worker did not hand out its scratch folder")

    def _has_something_to_say(self) -> bool:
        """Whether it sent anything, or hung up, without being asked."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._read, selectors.EVENT_READ)
            return bool(selector.select(0))

    def _transfer(self, outgoing: bytes, deadline: Deadline) -> tuple[dict[str, Any], list[np.ndarray]]:
        clock = Clock(self, deadline)
        try:
            self._send(outgoing, clock)
            head_length, body_length = wire.lengths(self._receive(wire.PREFIX.size, clock))
            return wire.unpacked(self._receive(head_length, clock), self._receive(body_length, clock))
        except wire.FrameError as error:
            raise WorkerStoppedError("babble", str(error)) from error
        finally:
            self.spent_seconds += clock.spent_seconds
            self.idle_seconds += clock.idle + UNSURE_SHARE * clock.unsure

    def _send(self, outgoing: bytes, clock: Clock) -> None:
        left = memoryview(outgoing)
        while left:
            self._wait_for(self._write, selectors.EVENT_WRITE, clock)
            try:
                left = left[os.write(self._write, left[:PIPE_BYTES]) :]
            except BrokenPipeError as error:
                raise WorkerStoppedError("died", self._how_it_ended()) from error

    def _receive(self, count: int, clock: Clock) -> bytes:
        parts, left = [], count
        while left:
            self._wait_for(self._read, selectors.EVENT_READ, clock)
            part = os.read(self._read, min(left, PIPE_BYTES))
            if not part:
                raise WorkerStoppedError("died", self._how_it_ended())
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def _wait_for(self, descriptor: int, event: int, clock: Clock) -> None:
        """Until the pipe is ready. A worker that is gone ends the wait, though a child hold its pipe open."""
        pause = TICK_SECONDS if self.backend.limits_scratch else WATCH_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, event)
            while True:
                gone = self._process.poll() is not None
                is_ready = selector.select(0 if gone else pause)
                if gone and not is_ready:
                    raise WorkerStoppedError("died", self._how_it_ended())
                if not is_ready and not self.backend.limits_scratch:
                    self.check_scratch()
                clock.look()  # a worker that sends a byte now and then must meet its deadline too
                if is_ready:
                    return

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return "it closed its connection to the grader"
        if code >= 0:
            return f"exit code {code}"
        if -code == signal.SIGXCPU:
            return "it used up its CPU time"
        hint = ", as when memory runs out" if -code == signal.SIGKILL else ""
        with contextlib.suppress(ValueError):
            return f"signal {-code}, {signal.Signals(-code).name}{hint}"
        return f"signal {-code}"

    def _family(self) -> list[psutil.Process]:
        try:
            return [self._watched, *self._watched.children(recursive=True)]
        except psutil.Error:
            return []

    def cpu_seconds(self) -> float:
        """User and system time of the worker and of all it has started."""
        total = 0.0
        for process in self._family():
            with contextlib.suppress(psutil.Error):
                total += sum(process.cpu_times()[:4])
        return total

    def threads(self) -> tuple[float, set[str]]:
        """Seconds that its threads wanted to run and did not, and what each does now, by the kernel's letters.

        "R" runs or wants to, "D" waits for a disk, others for anything else.
        """
        crowded, states = 0.0, set()
        for process in self._family():
            for folder in glob(f"/proc/{process.pid}/task/*"):
                with contextlib.suppress(OSError, IndexError, ValueError):
                    states.add(Path(folder, "stat").read_text("latin-1").rpartition(")")[2].split()[0])
                    crowded += int(Path(folder, "schedstat").read_text().split()[1]) / 1e9
        return crowded, states

    def close(self) -> None:
        """End the worker and what it has started, at once; the innermost first, so that each is waited for."""
        self.backend.used_cpu_seconds += max(self.cpu_seconds(), self.spent_seconds)
        inner = [each.pid for each in self._family() if each.pid != self._process.pid]
        if inner:
            self.backend.kill(reversed(inner))
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(REAP_SECONDS)
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self.backend.kill([self._process.pid])
            self._process.wait()
        for descriptor in (self._read, self._write, self._inside):
            with contextlib.suppress(OSError):
                if descriptor is not None:
                    os.close(descriptor)
        self._read = self._write = -1
        self._inside = None
        remove(self.scratch)


def size_of(folder: Path) -> int:
    """What the files in a folder take up on the disk, the least of them their share of all that there may be.

    More than is allowed where it cannot be measured.
    """
    total, waiting = 0, [str(folder)]
    try:
        while waiting and total <= SCRATCH_BYTES:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    blocks = entry.stat(follow_symlinks=False).st_blocks
                    total += max(blocks * 512, SCRATCH_BYTES // MOST_FILES)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    except FileNotFoundError:
        pass  # it goes on writing while we look
    except OSError:
        return SCRATCH_BYTES + 1
    return total


def files_in(descriptor: int) -> int:
    """How many files there are in the file system that a folder is of."""
    found = os.fstatvfs(descriptor)
    return found.f_files - found.f_ffree


def size_of_deleted(pid: int, folder: Path) -> int:
    """What files of a folder that have no name any more take up while a process holds them open or has them mapped.

    Each of its threads may have descriptors of its own, and a mapping needs none.
    """
    sizes: dict[int, int] = {}
    for descriptor in glob(f"/proc/{pid}/task/*/fd/*"):
        with contextlib.suppress(OSError):
            found = os.stat(descriptor)
            if stat.S_ISREG(found.st_mode) and not found.st_nlink:
                sizes[found.st_ino] = found.st_blocks * 512
    with contextlib.suppress(OSError), open(f"/proc/{pid}/maps", errors="replace") as mappings:
        for line in mappings:
            if str(folder) in line and line.endswith(" (deleted)\n"):
                sizes.setdefault(int(line.split()[4]), MAPPED_BYTES)
    return sum(sizes.values())


def remove(folder: Path) -> None:
    """The folder and all in it, however deep: deeper than Python's own functions go."""
    subprocess.run(["rm", "-rf", "--", str(folder)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

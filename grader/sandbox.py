"""The ways to start a worker so that a submission reaches only what its `Room` holds.

Four of them, from the best to none. Each is believed only after its worker has tried to break out, and
could not (`grader.trial`); `auto` takes the first that held.

    bwrap       a file system of its own (bubblewrap) and namespaces, and the locks of `grader.lock`
    sudo-bwrap  the same, started by root through sudo, where users may not make namespaces
    landlock    the locks alone, Landlock among them: for containers, where namespaces are refused
    none        limits on time and memory, and no walls: what runs can read files and use the network
"""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from grader.visible import (
    DEVICES,
    LINKING,
    given_code,
    libraries,
    library_parts,
    open_to_all,
    package_folders,
    python,
)

THREAD_COUNTS = ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")
SCRATCH_BYTES = 64 * 2**20
OWN_UIDS = range(30_000, 60_000)


class UnavailableError(Exception):
    """This machine cannot start workers that way; the message says why."""


@dataclass(frozen=True)
class Room:
    """What one worker may see, and where.

    source: the submission's one file. shared: arrays left by the grader, which the worker only reads.
    scratch: an empty folder to write in. root: holds all of these, and is removed with them.
    """

    root: Path
    source: Path
    shared: Path
    scratch: Path


@dataclass(frozen=True)
class Start:
    """A worker's command line but for its orders, all the environment there is for it, and its orders."""

    command: list[str]
    environment: dict[str, str]
    orders: dict[str, Any]


class Backend:
    """A way to start a worker; this one is a process with limits and a clean environment, without walls.

    name: as in the record. stops: what it keeps a submission from, in words. needs: how to get it.
    limits_scratch: whether the scratch folder has a size of its own; else somebody must watch it.
    used_cpu_seconds: of all its workers that have ended. Not every one is a child that can be waited for.
    """

    used_cpu_seconds = 0.0

    name: ClassVar[str] = "none"
    stops: ClassVar[str] = "using more than its time and memory; nothing else"
    needs: ClassVar[str] = "nothing"
    limits_scratch: ClassVar[bool] = False

    def check(self) -> None:
        """Raises UnavailableError where it is plain that this machine does not offer it."""

    def start(self, room: Room, scratch: Path) -> Start:
        """How to start a worker in `room` that writes in `scratch` alone."""
        given = room.root / "given"
        for name, path in given_code().items():
            link = given / name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(path)
        orders = {"source": str(room.source), "shared": str(room.shared)}
        return Start(python_command(), environment(str(given), str(scratch)), orders)

    def kill(self, pids: Iterable[int]) -> None:
        """End these processes at once, where they still run."""
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


class NoSandbox(Backend):
    """For submissions that are trusted, such as one's own."""


class Landlock(Backend):
    """Locks that a worker puts on itself; as root it also becomes a user of its own, where that can read."""

    name = "landlock"
    stops = "files (but not their names), network, processes, signals"
    needs = "Linux with Landlock: 6.2 or newer, as root 5.13 or newer"

    def start(self, room: Room, scratch: Path) -> Start:
        plain = super().start(room, scratch)
        given = list(given_code().values())
        readable = [*library_parts(), *given, room.source, room.shared, room.root / "given"]
        readable += [path for path in map(Path, (*LINKING, *DEVICES)) if path.exists()]
        uid = None
        if os.geteuid() == 0 and all(map(open_to_all, [*libraries(), python(), *given])):
            uid = unused_uid()
            room.root.chmod(0o711)
            os.chown(scratch, uid, uid)
        orders = {
            "seccomp": True,
            "uid": uid,
            "readable": list(map(str, readable)),
            "writable": [str(scratch), os.devnull],
        }
        return Start(plain.command, plain.environment, plain.orders | orders)


class Bubblewrap(Backend):
    """An empty file system of its own but for what is given, and namespaces of every kind."""

    name = "bwrap"
    stops = "files, network, processes, signals; sees nothing of the machine"
    needs = "the package bubblewrap (sudo apt-get install bubblewrap)"
    limits_scratch = True
    prefix: ClassVar[tuple[str, ...]] = ()

    def check(self) -> None:
        if shutil.which("bwrap") is None:
            raise UnavailableError("there is no bwrap on this machine")

    def starts_as_root(self) -> bool:
        return os.geteuid() == 0

    def start(self, room: Room, scratch: Path) -> Start:
        orders: dict[str, Any] = {"source": "/submission/compression.py", "shared": "/shared"}
        orders |= {"scratch": "/scratch", "seccomp": True}
        if self.starts_as_root():
            orders["uid"] = unused_uid()
        command = [*self.prefix, *self.walls(room), "--", *python_command()]
        return Start(command, environment("/given", "/scratch"), orders)

    def walls(self, room: Room) -> list[str]:
        """bwrap's arguments; they apply in order."""
        spaces = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        if self.starts_as_root():
            who = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            who = ["--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
        nothing = room.root / "nothing"
        nothing.mkdir(exist_ok=True)
        shown = {folder: folder for folder in libraries() if not folder.is_symlink()}
        shown |= dict.fromkeys(package_folders(), nothing)
        shown |= {path: path for path in (python(), *map(Path, LINKING)) if path.exists()}
        shown |= {Path("/given", name): path for name, path in given_code().items()}
        shown |= {Path("/submission/compression.py"): room.source, Path("/shared"): room.shared}
        places = [*shown, *map(Path, DEVICES)]
        parents = {parent for place in places for parent in place.parents} - {Path("/")}
        files = [part for path in sorted(parents) for part in ("--perms", "0755", "--dir", str(path))]
        for place, path in shown.items():
            files += ["--ro-bind", str(path), str(place)]
        for link in filter(Path.is_symlink, libraries()):
            files += ["--symlink", os.readlink(link), str(link)]
        files += [part for path in DEVICES for part in ("--dev-bind", path, path)]
        files += ["--perms", "1777", "--size", str(SCRATCH_BYTES), "--tmpfs", "/scratch"]
        life = ["--die-with-parent", "--hostname", "worker", "--chdir", "/scratch"]
        return ["bwrap", *spaces, *who, *files, "--remount-ro", "/", *life]


class SudoBubblewrap(Bubblewrap):
    """Bubblewrap as root through sudo, for machines that refuse namespaces to users."""

    name = "sudo-bwrap"
    needs = "the package bubblewrap, and sudo without a password"
    prefix = ("sudo", "-n")

    def check(self) -> None:
        super().check()
        if os.geteuid() == 0:
            raise UnavailableError("this is root already: bwrap does the same")
        if shutil.which("sudo") is None:
            raise UnavailableError("there is no sudo on this machine")
        allowed = subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True)
        if allowed.returncode:
            raise UnavailableError("sudo asks for a password")

    def starts_as_root(self) -> bool:
        return True

    def start(self, room: Room, scratch: Path) -> Start:
        inner = super().start(room, scratch)
        settings = [f"{name}={value}" for name, value in inner.environment.items()]
        where = inner.command.index("bwrap")
        command = [*inner.command[:where], "env", "-i", *settings, *inner.command[where:]]
        return Start(command, inner.environment, inner.orders)

    def kill(self, pids: Iterable[int]) -> None:
        command = ["sudo", "-n", "kill", "-KILL", *map(str, pids)]
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)


def python_command() -> list[str]:
    return [str(python()), "-P", "-s", "-S", "-m", "grader.worker"]


def environment(given: str, scratch: str) -> dict[str, str]:
    """All there is: where to import from, where to write, one thread, and no luck in hashes."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": scratch,
        "TMPDIR": scratch,
        "LANG": "C.UTF-8",
        "PYTHONPATH": given,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",
        **{f"{name}_NUM_THREADS": "1" for name in THREAD_COUNTS},
    }


def unused_uid() -> int:
    """A user that nobody is."""
    while True:
        uid = random.SystemRandom().choice(OWN_UIDS)
        try:
            pwd.getpwuid(uid)
        except KeyError:
            return uid


SANDBOXES: tuple[type[Backend], ...] = (Bubblewrap, SudoBubblewrap, Landlock)
"""From the best to the last resort."""

CHOICES = ("auto", *(backend.name for backend in SANDBOXES), NoSandbox.name)

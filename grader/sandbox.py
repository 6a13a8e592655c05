"""The one place where a worker's command line is wrapped, and its surroundings decided.

A backend says how to start a worker so that a submission reaches only what its `Room` holds. Today
there is one, `none`. What it stops: a submission that eats memory or CPU time (limits that the worker
sets before any of the submission runs), one that reads the grader's environment variables or its
standard streams, one that imports by name the solution, the tests or any package but NumPy. What it
does not: a submission that opens files by their path, uses the network, starts other processes or
signals them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from grader import UnusableError
from grader.rules import ROOT

OWN_FILES = ("assignment", "grader/__init__.py", "grader/wire.py", "grader/worker.py")
"""What a worker imports of this repository."""


def given_code() -> dict[str, Path]:
    """All that a worker can import beside Python's own library: names on its path, and where they are."""
    packages = Path(np.__file__).resolve().parent.parent
    numpy_files = {name: packages / name for name in ("numpy", "numpy.libs") if (packages / name).exists()}
    return {name: ROOT / name for name in OWN_FILES} | numpy_files


THREAD_COUNTS = ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")


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


class Backend(Protocol):
    """A way to start a worker. `name` goes into the record."""

    name: str

    def command(self, room: Room, arguments: list[str]) -> list[str]:
        """The command line that runs `python ARGUMENTS` inside `room`."""

    def environment(self, room: Room) -> dict[str, str]:
        """All the environment there is for it."""


class NoSandbox:
    """A process of its own with limits and a clean environment, and no walls around it."""

    name = "none"

    def command(self, room: Room, arguments: list[str]) -> list[str]:
        given = self.given(room)
        for name, path in given_code().items():
            link = given / name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(path)
        return [sys.executable, "-P", "-s", "-S", *arguments]

    def environment(self, room: Room) -> dict[str, str]:
        one_thread = {f"{name}_NUM_THREADS": "1" for name in THREAD_COUNTS}
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(room.scratch),
            "TMPDIR": str(room.scratch),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(self.given(room)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONHASHSEED": "0",
            **one_thread,
        }

    def given(self, room: Room) -> Path:
        return room.root / "given"


BACKENDS: tuple[type[Backend], ...] = (NoSandbox,)
"""From the best to the last resort."""

CHOICES = ("auto", *(backend.name for backend in BACKENDS))


def backend_for(choice: str, *, unsafe: bool = False) -> Backend:
    """The backend of that name; `auto` takes the best that this machine has.

    Raises UnusableError for `none` in so many words without `unsafe`, and for an unknown name.
    """
    if choice == "auto":
        return BACKENDS[0]()
    if choice == "none" and not unsafe:
        raise UnusableError(
            "--sandbox none lets a submission read this machine's files: add --unsafe to allow it"
        )
    for backend in BACKENDS:
        if backend.name == choice:
            return backend()
    raise UnusableError(f"there is no sandbox {choice!r}: choose from {', '.join(CHOICES)}")

"""Choose how workers are started: a sandbox is used only after it has held against a real attempt to get out."""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from functools import cache
from pathlib import Path

import rich

from assignment.seam import SubmissionError
from grader import GraderError, UnusableError
from grader.log import nowhere
from grader.remote import RemoteSubmission, room_for
from grader.rules import read_rules
from grader.sandbox import CHOICES, SANDBOXES, Backend, NoSandbox, UnavailableError

BREAKOUT = Path(__file__).with_name("breakout.py")


def backend_for(choice: str, *, unsafe: bool = False) -> Backend:
    """The backend of that name, tried; `auto` takes the first of `SANDBOXES` that holds.

    Raises UnusableError for `none` without `unsafe` and for an unknown name; GraderError where no sandbox
    holds: student code does not run unprotected unless somebody says so.
    """
    if choice == NoSandbox.name:
        if not unsafe:
            raise UnusableError(
                "--sandbox none lets a submission read this machine's files: add --unsafe to allow it"
            )
        return NoSandbox()
    if choice not in CHOICES:
        raise UnusableError(f"there is no sandbox {choice!r}: choose from {', '.join(CHOICES)}")
    faults = []
    for kind in SANDBOXES:
        if choice in ("auto", kind.name):
            fault = fault_of(kind.name)
            if fault is None:
                return kind()
            faults.append(f"{kind.name}: {fault}")
    raise GraderError(
        f"no sandbox works here ({'; '.join(faults)}). Install {SANDBOXES[0].needs}, see "
        "`python -m grader doctor`, or grade code that you trust with --sandbox none --unsafe"
    )


def available() -> list[Backend]:
    """Every sandbox that holds here, from the best on."""
    return [kind() for kind in SANDBOXES if fault_of(kind.name) is None]


@cache
def fault_of(name: str) -> str | None:
    """Why the sandbox of that name is not to be used here; None where it holds."""
    backend = next(kind() for kind in SANDBOXES if kind.name == name)
    try:
        backend.check()
        ways_out = attempt_to_break_out(backend)
    except UnavailableError as error:
        return str(error)
    except (GraderError, SubmissionError) as error:
        return f"its worker does not run: {error}"
    return f"its worker could {', '.join(ways_out)}" if ways_out else None


def attempt_to_break_out(backend: Backend) -> list[str]:
    """What code in a worker of this backend could do that it must not."""
    variable = f"FEATHERWEIGHT_{secrets.token_hex(8).upper()}"
    with (
        tempfile.TemporaryDirectory(prefix="featherweight-outside-") as outside,
        socket.create_server(("127.0.0.1", 0)) as listener,
        room_for(BREAKOUT.read_bytes()) as room,
        nowhere() as sink,
    ):
        secret_file = Path(outside, "secret")
        secret_file.write_text("not for a submission")
        for path, mode in ((Path(outside), 0o777), (secret_file, 0o666)):
            path.chmod(mode)
        os.environ[variable] = "not for a submission"
        try:
            with RemoteSubmission(room, backend, read_rules().worker, sink=sink) as worker:
                if worker.write_in_scratch() is not True:
                    raise GraderError("it cannot write in its scratch folder")
                port = listener.getsockname()[1]
                return worker.break_out(str(secret_file), variable, port, os.getpid(), str(rich.__file__))
        finally:
            del os.environ[variable]

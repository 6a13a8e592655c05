"""Run as a submission: tries to get out of the sandbox, and says in which ways it could.

A sandbox in which any of these succeeds is not used.
"""

import importlib.util
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import assignment


def break_out(secret_file: str, variable: str, port: int, grader_pid: int) -> list[str]:
    """What could be done. `secret_file` and `variable` exist outside, and something listens at `port`."""
    folder = Path(secret_file).parent
    attempts = {
        "read a file outside": lambda: Path(secret_file).read_bytes(),
        "list a folder outside": lambda: os.listdir(folder),
        "write a file outside": lambda: (folder / "written").write_text("x"),
        "rename a file outside": lambda: os.rename(secret_file, folder / "renamed"),
        "change the mode of a file outside": lambda: os.chmod(secret_file, 0o600),
        "change its own source": lambda: open(__file__, "ab").close(),
        "change the given code": lambda: open(assignment.__file__, "ab").close(),
        "read the grader's environment": lambda: environment_holds(variable, grader_pid),
        "open a socket": lambda: socket.create_connection(("127.0.0.1", port), timeout=1).close(),
        "start a process": start_a_process,
        "signal the grader": lambda: os.kill(grader_pid, 0),
        "import other packages": other_packages,
    }
    return [name for name, attempt in attempts.items() if succeeds(attempt)]


def write_in_scratch() -> bool:
    """What it may do."""
    path = Path(os.environ["TMPDIR"], "file")
    path.write_bytes(bytes(1000))
    return len(path.read_bytes()) == 1000


def succeeds(attempt: Callable[[], object]) -> bool:
    try:
        return attempt() is not False
    except Exception:
        return False


def environment_holds(variable: str, grader_pid: int) -> bool:
    if variable in os.environ:
        return True
    for pid in ("1", "self", str(os.getppid()), str(grader_pid)):
        try:
            content = Path("/proc", pid, "environ").read_bytes()
        except OSError:
            continue
        if variable.encode() in content:
            return True
    return False


def start_a_process() -> None:
    if os.fork() == 0:
        os._exit(0)


def other_packages() -> bool:
    """Of those that the grader itself needs, so that they are surely installed."""
    folders = [folder for parent in sys.path for folder in (parent, f"{parent}/site-packages")]
    return any(importlib.util.find_spec(name) for name in ("rich", "pytest", "psutil")) or any(
        Path(folder, "rich").exists() for folder in folders
    )

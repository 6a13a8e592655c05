"""Run as a submission: tries to get out of the sandbox, and says in which ways it could.

A sandbox in which any of these succeeds is not used.
"""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import assignment


def break_out(secret_file: str, variable: str, port: int, grader_pid: int, package_file: str) -> list[str]:
    """What could be done. Both files and `variable` exist outside, and something listens at `port`."""
    folder = Path(secret_file).parent
    attempts = {
        "read a file outside": lambda: Path(secret_file).read_bytes(),
        "list a folder outside": lambda: os.listdir(folder),
        "write a file outside": lambda: (folder / "written").write_text("x"),
        "change the mode of a file outside": lambda: os.chmod(secret_file, 0o600),
        "rename a file outside": lambda: os.rename(secret_file, folder / "renamed"),
        "change its own source": lambda: open(__file__, "ab").close(),
        "change the given code": lambda: open(assignment.__file__, "ab").close(),
        "inherit the grader's environment": lambda: variable in os.environ,
        "read another process's environment": lambda: any(
            map(has_environment, {1, os.getppid(), grader_pid})
        ),
        "open a socket": lambda: socket.create_connection(("127.0.0.1", port), timeout=1).close(),
        "start a process": start_a_process,
        "signal the grader": lambda: os.kill(grader_pid, 0),
        "read other packages": lambda: Path(package_file).read_bytes(),
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


def has_environment(pid: int) -> bool:
    try:
        return bool(Path("/proc", str(pid), "environ").read_bytes())
    except OSError:
        return False


def start_a_process() -> None:
    if os.fork() == 0:
        os._exit(0)

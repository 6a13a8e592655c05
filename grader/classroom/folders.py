"""The warm process's folder for all that it and its forks write, and the removal of those that were left behind.

A process that is killed cannot clean up. Each holds a lock on a file in its folder while it lives, which ends with it
however it ends: where the lock is free, there is nobody any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.process import remove

PREFIX, LOCK = "featherweight-class-", ".in-use"


@contextmanager
def own_folder() -> Iterator[Path]:
    """A new folder, held while this lasts, removed afterwards."""
    root = Path(tempfile.mkdtemp(prefix=PREFIX))
    root.chmod(0o711)  # a worker may be another user
    descriptor, made = tempfile.mkstemp(dir=root)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.rename(made, root / LOCK)  # whoever finds it, finds it locked
    try:
        yield root
    finally:
        remove(root)
        os.close(descriptor)


def remove_abandoned() -> list[Path]:
    """Remove this user's folders that no process holds any more; which ones."""
    found = sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))
    abandoned = [folder for folder in found if is_abandoned(folder)]
    for folder in abandoned:
        remove(folder)
    return abandoned


def is_abandoned(folder: Path) -> bool:
    """Whether it is one of ours, a folder and no link, and its lock is free. One without a lock is let be."""
    with contextlib.suppress(OSError):
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            return False
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        finally:
            os.close(descriptor)
    return False

"""Where the submission's prints go: to a file that cannot outgrow its limit, or nowhere.

A worker writes into a pipe, and a thread here takes it out again, past the limit too, so that a
submission that prints without end slows itself only.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHUNK_BYTES = 2**16


class Log:
    """The first `most_bytes` of all that the submission printed.

    path: written when something was printed, with the terminal's control characters taken out.
    """

    def __init__(self, path: Path, most_bytes: int):
        self.path, self.most_bytes = path, most_bytes
        self.content = bytearray()
        self.is_cut = False

    @contextmanager
    def sink(self) -> Iterator[int]:
        """A file descriptor to print into."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        done = threading.Event()
        thread = threading.Thread(target=self._drain, args=(reading, done), daemon=True)
        thread.start()
        try:
            yield writing
        finally:
            os.close(writing)
            done.set()
            thread.join()
            os.close(reading)

    def _drain(self, reading: int, done: threading.Event) -> None:
        """Until the last writer is gone, or until `done` and there is nothing left at the moment."""
        while True:
            is_last_look = done.is_set()
            ready, _, _ = select.select([reading], [], [], 0 if is_last_look else 0.1)
            if not ready:
                if is_last_look:
                    return
                continue
            part = os.read(reading, CHUNK_BYTES)
            if not part:
                return
            room = self.most_bytes - len(self.content)
            self.content += part[:room]
            if len(part) > room:
                self.is_cut = True
                if is_last_look:
                    return

    def save(self) -> None:
        """Write the file, or remove an older one where nothing was printed."""
        if not self.content:
            self.path.unlink(missing_ok=True)
            return
        text = self.content.decode("utf-8", "replace")
        shown = "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)
        if self.is_cut:
            shown += f"\n... (cut: more than {self.most_bytes // 1024} KiB were printed)\n"
        self.path.write_text(shown, encoding="utf-8")


@contextmanager
def nowhere() -> Iterator[int]:
    """A sink that keeps nothing."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)

"""The process that runs a submission. It is told what to call, calls it, and says what came back.

The grader believes nothing it says: a reply is only ever a value that the submission might as well
have returned. Requests and replies go over two file descriptors of their own; stdout and stderr are
the submission's to fill.

This module runs where little can be imported: Python, NumPy, `assignment`, the codec and the locks.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from assignment.plain import Flat, flatten
from assignment.seam import LocalSubmission, SubmissionError
from grader import wire
from grader.lock import lock


def main() -> None:
    """`worker '{"source": path, "shared": folder, "memory_bytes": ..., ...}'`: see `grader.lock` for the rest."""
    orders = json.loads(sys.argv.pop())
    read, write = take_channel()
    if "scratch" in orders:
        read = swapped(read, orders["scratch"])
    lock(orders)
    Worker(orders, read, write).serve()
    sys.stdout.flush()
    os._exit(0)  # whatever the submission wants to do at exit does not matter any more


def take_channel() -> tuple[int, int]:
    """The grader speaks on stdin and listens on stdout. Move both away, and leave what anybody may use."""
    read, write = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return read, write


def swapped(descriptor: int, folder: str) -> int:
    """The pipe that requests come from, got through a socket, which is closed then.

    In exchange the grader, which may not be allowed to look in here, gets an open folder: it sees how full its file
    system is.
    """
    with socket.socket(fileno=descriptor) as door:
        _, pipes, _, _ = socket.recv_fds(door, 1, 1)
        opened = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        socket.send_fds(door, [b"s"], [opened])
        os.close(opened)
    return pipes[0]


class Worker:
    def __init__(self, orders: dict[str, Any], read: int, write: int):
        self.read, self.write = read, write
        self.shared = Path(orders["shared"])
        self.submission = LocalSubmission(orders["source"])

    def serve(self) -> None:
        """Answer until the grader hangs up."""
        self.send({"ready": True})
        while (prefix := self.receive(wire.PREFIX.size)) is not None:
            _, head_length, body_length = wire.PREFIX.unpack(prefix)  # the grader may send what it likes
            head, body = self.receive(head_length), self.receive(body_length)
            if head is None or body is None:
                return
            request, arrays = wire.unpacked(head, body, self.open_shared)
            try:
                reply, results = self.answer(request, arrays)
            except SubmissionError as error:
                if error.__cause__ is not None and error.kind != "not_implemented":
                    traceback.print_exception(error.__cause__, limit=-8)
                facts = {"kind": error.kind, "message": error.message, "exception": error.exception}
                reply, results = {"error": facts}, []
            self.send({**reply, "ticket": request["ticket"]}, results)

    def answer(self, request: dict[str, Any], arrays: list[Any]) -> tuple[dict[str, Any], list[Any]]:
        if request["do"] == "load":
            self.submission.load()
            return {"loaded": True}, []
        given = Flat(request["tree"], arrays, [])
        call = self.submission.run(request["function"], given, inspecting=request["inspecting"])
        flat = flatten(call.value)
        facts = {"changed_arguments": call.changed_arguments, "shares_memory": call.shares_memory}
        return {"tree": flat.tree, **facts}, flat.arrays

    def open_shared(self, name: str) -> Any:
        """An array that the grader left in the shared folder: mapped, not read, and read-only."""
        import numpy as np

        return np.asarray(np.load(self.shared / name, mmap_mode="r", allow_pickle=False))

    def send(self, header: dict[str, Any], arrays: list[Any] | None = None) -> None:
        left = memoryview(wire.packed(header, arrays or []))
        while left:
            left = left[os.write(self.write, left) :]

    def receive(self, count: int) -> bytes | None:
        """Exactly `count` bytes, or None at the end."""
        parts, left = [], count
        while left:
            part = os.read(self.read, min(left, 2**20))
            if not part:
                return None
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


if __name__ == "__main__":
    main()

"""What the grader is doing, on stderr: a live line in a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

PLAIN_SECONDS = 10.0
"""How often a pipe hears of a stage that goes on."""


class Silent:
    """Says nothing; also what the other two have in common."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def stage(self, title: str, total: int | None = None) -> None:
        """A new stage begins, of `total` steps where that is known."""

    def step(self, note: str = "") -> None:
        """One step is done."""

    def note(self, text: str) -> None:
        """Something about the stage at hand."""


class Plain(Silent):
    """One line for each stage, and one now and then while it lasts."""

    def __init__(self, console: Console):
        self.console = console
        self.title, self.total, self.done = "", 0, 0
        self.last_line = 0.0

    def stage(self, title: str, total: int | None = None) -> None:
        self.title, self.total, self.done = title, total or 0, 0
        self._line(f"{title}: {total} to run" if total else title)

    def step(self, note: str = "") -> None:
        self.done += 1
        if self.done == self.total or time.monotonic() - self.last_line > PLAIN_SECONDS:
            self._line(f"{self.title}: {self.done}/{self.total} done")

    def note(self, text: str) -> None:
        if time.monotonic() - self.last_line > PLAIN_SECONDS:
            self._line(f"{self.title}: {text}")

    def _line(self, text: str) -> None:
        self.last_line = time.monotonic()
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


class Live(Silent):
    """A bar for the stage at hand, gone when all is done."""

    def __init__(self, console: Console):
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self.progress = Progress(*columns, console=console, transient=True)
        self.task: TaskID | None = None

    def __enter__(self) -> Live:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def stage(self, title: str, total: int | None = None) -> None:
        if self.task is not None:
            self.progress.remove_task(self.task)
        self.task = self.progress.add_task(title, total=total, note="")

    def step(self, note: str = "") -> None:
        if self.task is not None:
            self.progress.update(self.task, advance=1, note=note)

    def note(self, text: str) -> None:
        if self.task is not None:
            self.progress.update(self.task, note=text)


def progress_on_stderr() -> Silent:
    console = Console(file=sys.stderr)  # this one, whatever `sys.stderr` is while pytest runs
    return Live(console) if console.is_terminal else Plain(console)

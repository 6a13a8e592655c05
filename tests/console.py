"""The `console` blocks of a page, run in one real shell as a reader types them, and compared with what is shown.

    $ echo hello          a command; lines that begin with `> ` go on with it
    hello                 what it prints to standard output
    ...                   any lines, or none; within a line, any text

What differs from run to run (seconds, seeds, hashes, versions, dates, the sandbox) stands on the page as it once was,
and is taken for equal.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ELLIPSIS = "..."
MOST_SECONDS = 1800
"""For one command, after which the shell is killed: on a machine that is short of time, grading takes minutes."""

VARYING = (
    (r"\d{4}-\d\d-\d\d", "DATE"),
    (r"\b\d{8}T\d{6}Z\b", "TIME"),
    (r"\b[0-9a-f]{7,64}\b", "HASH"),
    (r"\bseed \d+", "seed N"),
    (r" *\b[\d.]+ ?s\b( \(\d:\d\d:\d\d\))?", " SECONDS"),
    (r"\b\d+\.\d+\.\d+(\.\d+)*\b", "VERSION"),
    (r"\b(sudo-bwrap|bwrap|landlock)\b(\. The best is .*)?", "SANDBOX"),
    (r"[━─]+", "-"),
    (r"\s+", " "),
)
"""What varies, and what stands for it; rules and spaces of a table follow from the width of its numbers."""


@dataclass(frozen=True)
class Step:
    """One command of a page, and what the page shows that it prints."""

    command: str
    shown: list[str]


def steps(text: str) -> list[Step]:
    """Every command in the `console` blocks of a Markdown page, in order."""
    found: list[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:], []))
            elif line.startswith("> "):
                found[-1] = Step(f"{found[-1].command}\n{line[2:]}", [])
            else:
                found[-1].shown.append(line)
    return found


class Shell:
    """One bash, which keeps its folder and its variables from command to command."""

    def __init__(self, folder: Path, environment: dict[str, str], errors: Path):
        self.errors = errors.open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def run(self, command: str) -> tuple[str, int]:
        """What the command prints, and its exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        watch = threading.Timer(MOST_SECONDS, self.process.kill)
        watch.start()
        try:
            self.process.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\n<done %d>\\n' $?\n")
            self.process.stdin.flush()
            printed = ""
            for line in self.process.stdout:
                printed += line
                if done := re.fullmatch(r"<done (\d+)>\n", line):
                    return printed.removesuffix(line).removesuffix("\n"), int(done[1])
        finally:
            watch.cancel()
        raise AssertionError(f"the shell ended in: {command}\n{printed}\n{self.said()}")

    def said(self) -> str:
        """The end of what went to standard error."""
        self.errors.seek(0)
        return self.errors.read()[-2000:]

    def close(self) -> None:
        self.process.communicate()
        self.errors.close()


def agrees(printed: str, shown: list[str], also: Callable[[str], str] = lambda text: text) -> bool:
    """Whether what was printed is what the page shows; `also` makes more texts equal, on both sides."""
    return re.fullmatch(pattern([plain(also(line)) for line in shown]), lines_of(also(printed))) is not None


def lines_of(printed: str) -> str:
    return "".join(f"{plain(line)}\n" for line in printed.splitlines())


def plain(line: str) -> str:
    for varying, name in VARYING:
        line = re.sub(varying, name, line)
    return line.strip()


def pattern(shown: list[str]) -> str:
    found = ""
    for line in shown:
        if line == ELLIPSIS:
            found += r"(?:.*\n)*?"
        else:
            found += re.escape(line).replace(re.escape(ELLIPSIS), ".*?") + r"\n"
    return found

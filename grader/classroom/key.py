"""What a result depends on: where none of it has changed, nothing is graded again.

The points are not among it. They are given to tests when results are published, without running any code.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grader import GraderError
from grader.rules import COMPETITION_FILE, ROOT, SUITES, SuitePaths, rules_sha256

NOT_GRADED_BY = ("assignment/compression.py", "tests_hidden/mutants/", "tests_hidden/right/")
KINDS = (".py", ".npz", ".json")


@dataclass(frozen=True)
class Key:
    """Hashes and settings, each with a reason to grade again when it differs."""

    file: str
    tests: str
    grader: str
    rules: str
    canary: str
    data: str
    seed: int
    suites: str
    competes: bool
    twice: bool
    is_sandboxed: bool
    environment: str

    def differences(self, other: dict[str, Any]) -> list[str]:
        """What is new against an earlier key, in words."""
        own = asdict(self)
        return [text for name, text in REASONS.items() if own[name] != other.get(name)]


REASONS = {
    "file": "new file",
    "tests": "new tests",
    "grader": "new grader",
    "rules": "new rules",
    "canary": "another canary",
    "data": "other data",
    "seed": "another seed",
    "suites": "other suites",
    "competes": "with or without the competition",
    "twice": "compress once or twice",
    "is_sandboxed": "with or without a sandbox",
    "environment": "another Python or NumPy",
}


def tests_sha256(paths: SuitePaths) -> str:
    return files_sha256(paths.root, *(paths.folder(suite) for suite in SUITES))


def grader_sha256() -> str:
    """Of the code that decides: the given code and the grader's own, but for what shows and exports."""
    return files_sha256(ROOT, ROOT / "assignment", *sorted((ROOT / "grader").glob("*.py")))


def rules() -> str:
    return rules_sha256(COMPETITION_FILE)


def canary_sha256(folder: Path | None) -> str:
    return "" if folder is None else files_sha256(folder, folder)


def files_sha256(root: Path, *places: Path) -> str:
    """One hash of the names and contents of files of code and data."""
    digest = hashlib.sha256()
    for path in sorted(set(files_in(places))):
        name = path.relative_to(root).as_posix()
        if not name.startswith(NOT_GRADED_BY):
            try:
                content = path.read_bytes()
            except OSError as error:
                raise GraderError(f"{path} cannot be read: {error.strerror}") from error
            digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def files_in(places: Iterable[Path]) -> Iterable[Path]:
    for place in places:
        found = place.rglob("*") if place.is_dir() else [place]
        yield from (path for path in found if path.suffix in KINDS and path.is_file())


def environment() -> str:
    return f"Python {platform.python_version()}, NumPy {np.__version__}"

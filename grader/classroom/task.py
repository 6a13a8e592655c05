"""One submission to grade, wherever that is done, and what comes back: plain data both ways."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grader.grade import ARTIFACT, LOG, RESULT, Inputs, Request
from grader.intake import Source
from grader.rules import SuitePaths

KEPT = (RESULT, ARTIFACT, LOG)
GRADER_LOG = "grader.log"


@dataclass(frozen=True)
class Settings:
    """How a class is graded; the same for everybody in it. suites: "" for those of the repository itself."""

    suites: str
    tests: str = "all"
    competes: bool = True
    twice: bool = True
    sandbox: str = "auto"
    unsafe: bool = False
    canary: str | None = None
    seed: int = 0

    @property
    def paths(self) -> SuitePaths:
        return SuitePaths(Path(self.suites)) if self.suites else SuitePaths()


@dataclass(frozen=True)
class Task:
    """The one file of a submission, with its name in the class."""

    id: str
    source: str
    content: bytes
    sha256: str
    size_bytes: int
    commit: str | None

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"content": base64.b64encode(self.content).decode()})

    @classmethod
    def from_json(cls, text: str) -> Task:
        facts: dict[str, Any] = json.loads(text)
        return cls(**facts | {"content": base64.b64decode(facts["content"])})

    def taken(self) -> Source:
        return Source(self.id, self.source, self.content, self.sha256, self.size_bytes)

    def request(self, settings: Settings, out: Path, inputs: Inputs | None = None) -> Request:
        return Request(
            path=Path(self.source),
            out=out,
            tests=settings.tests,
            competes=settings.competes,
            twice=settings.twice,
            sandbox=settings.sandbox,
            unsafe=settings.unsafe,
            seed=settings.seed,
            commit=self.commit,
            canary=None if settings.canary is None else Path(settings.canary),
            inputs=inputs,
            suites=settings.paths,
        )


@dataclass(frozen=True)
class Outcome:
    """What grading a task left: its files by name, and why there is no record where there is none."""

    files: dict[str, bytes] = field(default_factory=dict)
    fault: str | None = None


@dataclass(frozen=True)
class Facts:
    """What a machine grades with: the sandbox that held there, and the data ("" without a competition)."""

    sandbox: str
    data: str

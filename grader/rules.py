"""The facts that decide a grade, read from two small files: the competition's rules and the points."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from assignment import scoring
from grader import GraderError

ROOT = Path(__file__).resolve().parent.parent
COMPETITION_FILE = Path(__file__).with_name("competition.toml")
SUITES = ("public", "hidden")
TOTAL_POINTS = 100


@dataclass(frozen=True)
class Competition:
    """What `compress` must keep to, what its artifact is measured against, and until when."""

    budget_bytes: int
    floor_percent: float
    largest_quality: float
    smallest_bytes: int
    reference_accuracy_percent: float
    reference_bytes: int
    seed: int
    cpu_seconds: float
    pack_cpu_seconds: float
    predict_cpu_seconds: float
    deadline: datetime | None = None


@dataclass(frozen=True)
class Badges:
    """The weight classes: names and largest sizes in bytes, for files of this accuracy or better."""

    accuracy_percent: float
    bytes: dict[str, int]


@dataclass(frozen=True)
class CanaryRules:
    """How much better than on the canary a score may be: more does not count; far more is not ranked.

    The canary's score is taken in steps, rounded up.
    """

    step: float
    margin: float
    far: float


@dataclass(frozen=True)
class WorkerLimits:
    """What the process that runs a submission may use."""

    memory_mib: int
    import_cpu_seconds: float
    call_cpu_seconds: float
    retry_cpu_seconds: float
    test_cpu_seconds: float
    function_cpu_seconds: float
    run_cpu_seconds: float
    run_idle_seconds: float
    most_timeouts: int
    most_deaths: int
    most_restarts: int
    log_kib: int


@dataclass(frozen=True)
class Rules:
    competition: Competition
    badges: Badges
    canary: CanaryRules
    worker: WorkerLimits


@dataclass(frozen=True)
class Worth:
    """One function's points, and the part (1 to 6) that it belongs to."""

    part: int
    public: int
    hidden: int

    def points(self, suite: str) -> int:
        return self.public if suite == "public" else self.hidden


@dataclass(frozen=True)
class SuitePaths:
    """Where the two suites and their points are."""

    root: Path = ROOT

    def folder(self, suite: str) -> Path:
        return self.root / f"tests_{suite}"

    @property
    def points_file(self) -> Path:
        return self.folder("public") / "points.toml"


def read_rules(path: Path = COMPETITION_FILE) -> Rules:
    """The competition's rules. Raises GraderError where the file is not as it must be."""
    facts = read_toml(path)
    try:
        rules = Rules(
            Competition(**facts["competition"]),
            Badges(**facts["badges"]),
            CanaryRules(**facts["canary"]),
            WorkerLimits(**facts["worker"]),
        )
    except (KeyError, TypeError) as error:
        raise GraderError(f"{path} does not hold the competition's rules: {error}") from error
    deadline = rules.competition.deadline
    if deadline is not None and (not isinstance(deadline, datetime) or deadline.tzinfo is None):
        raise GraderError(f"deadline in {path} must be a time with its zone, as 2027-01-31T23:59:00Z")
    agreed(rules, path)
    return rules


def agreed(rules: Rules, path: Path) -> None:
    """Raises GraderError where students would be shown other scores than the grader's."""
    facts, badges = rules.competition, rules.badges
    for name, own, theirs in (
        ("budget_bytes", facts.budget_bytes, scoring.BUDGET_BYTES),
        ("reference_accuracy_percent", facts.reference_accuracy_percent, scoring.REFERENCE_ACCURACY_PERCENT),
        ("reference_bytes", facts.reference_bytes, scoring.REFERENCE_BYTES),
        ("cpu_seconds", facts.cpu_seconds, scoring.CPU_SECONDS),
        ("floor_percent", facts.floor_percent, scoring.FLOOR_PERCENT),
        ("largest_quality", facts.largest_quality, scoring.LARGEST_QUALITY),
        ("smallest_bytes", facts.smallest_bytes, scoring.SMALLEST_BYTES),
        ("accuracy_percent of badges", badges.accuracy_percent, scoring.BADGE_ACCURACY_PERCENT),
        ("bytes of badges", {size: name for name, size in badges.bytes.items()}, scoring.BADGES),
    ):
        if own != theirs:
            raise GraderError(
                f"{name} is {own} in {path} and {theirs} in assignment/scoring.py, which students have: "
                "change both"
            )


def read_points(path: Path) -> dict[str, Worth]:
    """Each function's points. Raises GraderError unless they add up to 100."""
    worth: dict[str, Worth] = {}
    try:
        for name, part in read_toml(path).items():
            for function, points in part["functions"].items():
                if function in worth:
                    raise GraderError(f"{path} names {function} twice")
                worth[function] = Worth(int(name.removeprefix("part")), **points)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GraderError(f"{path} is not a table of points for each part: {error}") from error
    total = sum(each.public + each.hidden for each in worth.values())
    if total != TOTAL_POINTS:
        raise GraderError(f"the points in {path} must add up to {TOTAL_POINTS}, got {total}")
    return worth


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GraderError(f"{path} cannot be read: {error}") from error


def rules_sha256(*paths: Path) -> str:
    """One hash of the files that decide: two results with the same one were graded by the same rules."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            raise GraderError(f"{path} cannot be read: {error}") from error
    return digest.hexdigest()

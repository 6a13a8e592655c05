"""What a file is worth: packed, unpacked and measured in workers of their own, under limits.

The labels of the test set stay in this process.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from assignment.nn import Dataset, Sequential
from assignment.scoring import FLOOR_PERCENT, accuracy_per_kib, score
from assignment.seam import SubmissionError
from grader import GraderError
from grader.log import nowhere
from grader.remote import RemoteSubmission, printable, room_for
from grader.rules import Competition, Rules, WorkerLimits
from grader.sandbox import Backend

MEASURING = Path(__file__).with_name("measuring.py")
SPLITS = {"public": slice(0, None, 2), "private": slice(1, None, 2), "full": slice(None)}
"""Of the test set: the even indices until the deadline, the odd ones afterwards, or all of it."""


@dataclass(frozen=True)
class Entry:
    """The competition's part of a record; see result.schema.json. None where nothing was measured."""

    bytes: int | None
    accuracy_percent: float | None
    accuracy_per_kib: float | None
    score: float
    ranked: bool
    flags: list[str]
    cpu_seconds: float
    artifact_sha256: str | None
    split: str
    division: str | None
    second_artifact_sha256: str | None = None
    correct: str | None = None
    confusion: list[list[int]] | None = None
    canary: CanaryCheck | None = None


@dataclass(frozen=True)
class CanaryCheck:
    """What `compress` earned on a model that nobody has seen, rounded up, and the entry's score without it."""

    score: float
    unchecked_score: float


@dataclass(frozen=True)
class Measured:
    """What a read artifact answered, (N,) int64 beside the (N,) labels, and its division."""

    labels: np.ndarray
    answers: np.ndarray
    division: str

    @property
    def accuracy_percent(self) -> float:
        return 100.0 * int(np.sum(self.answers == self.labels)) / len(self.labels)

    @property
    def correct(self) -> str:
        """Which answers are right, a bit each, eight to a byte from the highest on, in base64."""
        return base64.b64encode(np.packbits(self.answers == self.labels).tobytes()).decode("ascii")

    @property
    def confusion(self) -> list[list[int]]:
        """How often each class (a row) was given each answer (a column)."""
        pairs = np.bincount(10 * self.labels + self.answers, minlength=100)
        return [[int(count) for count in row] for row in pairs.reshape(10, 10)]


class ModelFault(Exception):  # noqa: N818 - it is the submission's, and the message is its reason
    """The model that came back cannot be packed or run."""


def entry(
    content: bytes,
    measured: Measured,
    facts: Competition,
    data_name: str,
    cpu_seconds: float = 0.0,
    split: str = "public",
) -> Entry:
    """What the rules say about an artifact that was measured on a split."""
    accuracy, size_bytes = measured.accuracy_percent, len(content)
    flags, is_ranked = [], True
    if size_bytes > facts.budget_bytes:
        flags.append(f"over the budget: {size_bytes:,} of {facts.budget_bytes:,} bytes")
        is_ranked = False
    if accuracy <= FLOOR_PERCENT:
        flags.append(f"the accuracy must be above {FLOOR_PERCENT:g} %")
        is_ranked = False
    if data_name != "mnist":
        flags.append(f"measured on {data_name}: not comparable with runs on all of MNIST")
    return Entry(
        bytes=size_bytes,
        accuracy_percent=accuracy,
        accuracy_per_kib=accuracy_per_kib(accuracy, size_bytes),
        score=score(accuracy, size_bytes, facts.reference_accuracy_percent, facts.reference_bytes),
        ranked=is_ranked,
        flags=flags,
        cpu_seconds=round(cpu_seconds, 2),
        artifact_sha256=hashlib.sha256(content).hexdigest(),
        split=split,
        division=measured.division,
        correct=measured.correct,
        confusion=measured.confusion,
    )


def part_of(test: Dataset, split: str) -> Dataset:
    """The images of a split, and their labels."""
    return Dataset(test.images[SPLITS[split]], test.labels[SPLITS[split]])


def packed(model: Sequential, rules: Rules, backend: Backend) -> bytes:
    """The artifact. Raises ModelFault for a model that has none, or takes too long."""
    seconds = rules.competition.pack_cpu_seconds
    result = measuring("packed", (model,), "the returned model", seconds, rules, backend)
    if not isinstance(result, np.ndarray):
        raise ModelFault(printable(result))
    return result.tobytes()


def measure(content: bytes, dataset: Dataset, rules: Rules, backend: Backend) -> Measured:
    """Unpack an artifact and count its right answers. Raises ModelFault where it has none to give."""
    artifact = np.frombuffer(content, np.uint8)
    seconds = rules.competition.predict_cpu_seconds
    arguments = (artifact, np.ascontiguousarray(dataset.images))
    result = measuring("predicted", arguments, "the unpacked model", seconds, rules, backend)
    if not isinstance(result, tuple):
        raise ModelFault(printable(result))
    answers, division = result
    if answers.shape != dataset.labels.shape:
        raise GraderError("the model gave another number of labels than there are images")
    return Measured(dataset.labels, answers, division)


def measuring(
    function: str, arguments: tuple, what: str, seconds: float, rules: Rules, backend: Backend
) -> object:
    """Call our own code in a worker of its own. Raises ModelFault where it runs out of time or memory."""
    limits = call_limits(rules, seconds)
    with (
        room_for(MEASURING.read_bytes()) as room,
        nowhere() as sink,
        RemoteSubmission(room, backend, limits, sink=sink) as runner,
    ):
        try:
            return runner.call(function, *arguments)
        except SubmissionError as error:
            if error.kind not in ("timeout", "memory", "killed"):
                raise GraderError(f"measuring failed: {error}") from error
            limit = f"{seconds:g} s of CPU time and {limits.memory_mib / 1024:g} GiB"
            raise ModelFault(f"{what} takes more than {limit} to pack or to run") from error


class WeighedSubmission(RemoteSubmission):
    """One whose models are packed and run in a worker too: they may be built to take all time and memory."""

    def __init__(self, *args: Any, rules: Rules, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.rules = rules

    def weigh(self, model: Sequential, images: np.ndarray) -> tuple[int, np.ndarray] | str:
        seconds = self.rules.competition.pack_cpu_seconds
        try:
            result = measuring("weighed", (model, images), "it", seconds, self.rules, self.backend)
        except ModelFault:
            return "must pack and run in good time"
        if not isinstance(result, tuple):
            return str(result)
        size_bytes, labels = result
        return size_bytes, labels


def call_limits(rules: Rules, seconds: float) -> WorkerLimits:
    """For a worker that makes one call of so many seconds, whatever its import took."""
    run_seconds = seconds + rules.worker.import_cpu_seconds
    return replace(
        rules.worker, call_cpu_seconds=seconds, function_cpu_seconds=seconds, run_cpu_seconds=run_seconds
    )

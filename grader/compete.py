"""The competition run: the submission's `compress` on the shared model, and what its artifact is worth.

What counts is the file: the model that came back is packed, written, read again, unpacked, and that
one is measured on the public half of the test set. Labels of the test set stay in this process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assignment.data import Mnist
from assignment.nn import Data, Dataset, Sequential
from assignment.scoring import FLOOR_PERCENT, accuracy_per_kib, score
from assignment.seam import SubmissionError
from grader import GraderError
from grader.canary import Canary
from grader.log import nowhere
from grader.record import write_whole
from grader.remote import RemoteSubmission, printable, room_for
from grader.rules import Competition, Rules, WorkerLimits
from grader.sandbox import Backend, Room

MEASURING = Path(__file__).with_name("measuring.py")


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
    canary: CanaryCheck | None = None


@dataclass(frozen=True)
class CanaryCheck:
    """What `compress` made of a model that nobody has seen, and what the entry would score without it."""

    bytes: int | None
    accuracy_percent: float | None
    score: float
    unchecked_score: float


@dataclass(frozen=True)
class Attempt:
    """One run of `compress`: a file and what it is worth, or a fault."""

    content: bytes | None
    measured: Measured | None
    fault: str | None
    cpu_seconds: float


@dataclass(frozen=True)
class Measured:
    """A read artifact's accuracy on the images it was measured on, and its division."""

    accuracy_percent: float
    division: str


class ModelFault(Exception):  # noqa: N818 - it is the submission's, and the message is its reason
    """The model that came back cannot be packed or run."""


def compete(
    room: Room,
    model: Sequential,
    mnist: Mnist,
    rules: Rules,
    backend: Backend,
    artifact_file: Path,
    *,
    sink: int,
    canary: Canary | None = None,
    on_tick: Callable[[float], None] | None = None,
    on_stage: Callable[[str], None] = lambda title: None,
) -> Entry:
    """Run `compress` and measure what it returned; `artifact_file` holds the artifact afterwards.

    With a `canary`, the score counts only as far as `compress` earns it on that model too. Raises
    GraderError where the grader fails; what the submission does wrong becomes a flag.
    """
    artifact_file.unlink(missing_ok=True)
    on_stage("compress")
    own = attempt(room, model, mnist, rules, backend, sink, artifact_file=artifact_file, on_tick=on_tick)
    if own.content is None or own.measured is None:
        flags = [own.fault or "nothing was measured"]
        return Entry(None, None, None, 0.0, False, flags, own.cpu_seconds, None, "public", None)
    made = entry(own.content, own.measured, rules.competition, mnist.name, own.cpu_seconds)
    if canary is None:
        return made
    on_stage("canary")
    with room_for(room.source.read_bytes()) as other_room, nowhere() as silence:
        other = attempt(
            other_room, canary.model, canary.mnist, rules, backend, silence, private=True, on_tick=on_tick
        )
    return checked(made, other, rules)


def attempt(
    room: Room,
    model: Sequential,
    mnist: Mnist,
    rules: Rules,
    backend: Backend,
    sink: int,
    *,
    private: bool = False,
    artifact_file: Path | None = None,
    on_tick: Callable[[float], None] | None = None,
) -> Attempt:
    """Call `compress`, pack the model, measure the file. `private`: what it says is shown to nobody."""
    facts = rules.competition
    limits = replace(call_limits(rules, facts.cpu_seconds), run_cpu_seconds=facts.cpu_seconds + 1)
    runner = RemoteSubmission(room, backend, limits, sink=sink, private=private)
    runner.on_tick = on_tick
    content = measured = fault = None
    try:
        try:
            runner.load()
            result = runner.call("compress", model, locked(mnist.data), facts.budget_bytes, facts.seed)
        finally:
            runner.close()
        if not isinstance(result, Sequential):
            raise ModelFault(f"compress must return a Sequential, got a {type(result).__name__}")
        content = packed(result, rules, backend)
        if artifact_file is not None:  # what counts is the file
            write_whole(artifact_file, content)
            content = artifact_file.read_bytes()
        measured = measure(content, public_half(mnist.test), rules, backend)
    except (SubmissionError, ModelFault) as error:
        fault = str(error)
    return Attempt(content, measured, fault, runner.spent_seconds)


def checked(made: Entry, other: Attempt, rules: Rules) -> Entry:
    """The entry, worth no more than what the same code earns on the canary and a margin."""
    facts, limits = rules.competition, rules.canary
    size_bytes = accuracy = None
    points = 0.0
    if other.content is not None and other.measured is not None:
        size_bytes, accuracy = len(other.content), other.measured.accuracy_percent
        if size_bytes <= facts.budget_bytes:
            points = score(accuracy, size_bytes, facts.reference_accuracy_percent, facts.reference_bytes)
    flags, is_ranked, worth = list(made.flags), made.ranked, made.score
    if worth > points + limits.margin:
        worth = points + limits.margin
        flags.append(
            f"scores {made.score:.3f} on the shared model and {points:.3f} on one that nobody has seen: counts "
            f"as {worth:.3f}"
        )
    if made.score > points + limits.far:
        is_ranked = False
        flags.append("far better on the shared model than on one that nobody has seen: look at its source")
    check = CanaryCheck(size_bytes, accuracy, points, made.score)
    return replace(made, score=worth, ranked=is_ranked, flags=flags, canary=check)


def call_limits(rules: Rules, seconds: float) -> WorkerLimits:
    """For a worker that makes one call of so many seconds, whatever its import took."""
    run_seconds = seconds + rules.worker.import_cpu_seconds
    return replace(
        rules.worker, call_cpu_seconds=seconds, function_cpu_seconds=seconds, run_cpu_seconds=run_seconds
    )


def entry(
    content: bytes, measured: Measured, facts: Competition, data_name: str, cpu_seconds: float
) -> Entry:
    """What the rules say about an artifact."""
    accuracy, size_bytes = measured.accuracy_percent, len(content)
    flags, is_ranked = [], True
    if size_bytes > facts.budget_bytes:
        flags.append(f"over the budget: {size_bytes:,} of {facts.budget_bytes:,} bytes")
        is_ranked = False
    if accuracy <= FLOOR_PERCENT:
        flags.append(f"not above {FLOOR_PERCENT:g} % accuracy")
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
        split="public",
        division=measured.division,
    )


def public_half(test: Dataset) -> Dataset:
    """The even indices, which scores are about until the deadline."""
    return Dataset(test.images[::2], test.labels[::2])


def locked(data: Data) -> Data:
    """The same arrays, not to be written to: they are left for the worker once."""
    parts = []
    for dataset in (data.train, data.validation):
        arrays = [dataset.images.view(), dataset.labels.view()]
        for array in arrays:
            array.flags.writeable = False
        parts.append(Dataset(*arrays))
    return Data(*parts)


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
    labels, division = result
    if labels.shape != dataset.labels.shape:
        raise GraderError("the model gave another number of labels than there are images")
    return Measured(100.0 * int(np.sum(labels == dataset.labels)) / len(labels), division)


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

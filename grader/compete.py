"""The competition run: the submission's `compress` on the shared model, and what its artifact is worth.

What counts is the file: the model that came back is packed, written, read again, unpacked, and that
one is measured on the public half of the test set. Labels of the test set stay in this process.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from assignment.data import Mnist
from assignment.nn import Data, Dataset, Sequential
from assignment.scoring import score
from assignment.seam import SubmissionError
from grader.canary import Canary
from grader.log import nowhere
from grader.measured import (
    CanaryCheck,
    Entry,
    Measured,
    ModelFault,
    call_limits,
    entry,
    measure,
    packed,
    part_of,
)
from grader.record import write_whole
from grader.remote import RemoteSubmission, room_for
from grader.rules import Rules
from grader.sandbox import Backend, Room


@dataclass(frozen=True)
class Attempt:
    """One run of `compress`: a file and what it is worth, or a fault."""

    content: bytes | None
    measured: Measured | None
    fault: str | None
    cpu_seconds: float


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
    twice: bool = True,
    on_tick: Callable[[float], None] | None = None,
    on_stage: Callable[[str], None] = lambda title: None,
) -> Entry:
    """Run `compress` and measure what it returned; `artifact_file` holds the artifact afterwards.

    `twice`: run it again, and say so where other bytes come out. With a `canary`, the score counts only as
    far as `compress` earns it on that model too. Raises GraderError where the grader fails; what the
    submission does wrong becomes a flag.
    """
    artifact_file.unlink(missing_ok=True)

    def run(compress: Compress) -> Attempt:
        on_stage(compress.stage)
        return attempt(room, compress, rules, backend, on_tick)

    own = run(Compress("compress", model, mnist, sink=sink, artifact_file=artifact_file))
    if own.content is None or own.measured is None:
        flags = [own.fault or "nothing was measured"]
        return Entry(None, None, None, 0.0, False, flags, own.cpu_seconds, None, "public", None)
    made = entry(own.content, own.measured, rules.competition, mnist.name, own.cpu_seconds)
    if twice:
        with nowhere() as silence:
            again = run(Compress("again", model, mnist, sink=silence, is_measured=False))
        made = compared(made, again)
    if canary is not None:
        with nowhere() as silence:
            other = run(Compress("canary", canary.model, canary.mnist, sink=silence, private=True))
        made = checked(made, other, rules)
    return made


@dataclass(frozen=True)
class Compress:
    """One call of `compress`: on which model and digits, and where its prints go.

    private: what it says is shown to nobody. artifact_file: where its artifact is kept. is_measured: whether that
    is worth anything, and not only what bytes it has.
    """

    stage: str
    model: Sequential
    mnist: Mnist
    sink: int
    private: bool = False
    artifact_file: Path | None = None
    is_measured: bool = True


def attempt(
    room: Room,
    compress: Compress,
    rules: Rules,
    backend: Backend,
    on_tick: Callable[[float], None] | None = None,
) -> Attempt:
    """Call `compress` in a new worker, pack the model, measure the file."""
    facts = rules.competition
    limits = replace(call_limits(rules, facts.cpu_seconds), run_cpu_seconds=facts.cpu_seconds + 1)
    content = measured = fault = None
    with room_for(room.source.read_bytes()) as own_room:  # nothing is left from one call for the next
        runner = RemoteSubmission(own_room, backend, limits, sink=compress.sink, private=compress.private)
        runner.on_tick = on_tick
        try:
            try:
                runner.load()
                data = locked(compress.mnist.data)
                result = runner.call("compress", compress.model, data, facts.budget_bytes, facts.seed)
            finally:
                runner.close()
            if not isinstance(result, Sequential):
                raise ModelFault(f"compress must return a Sequential, got a {type(result).__name__}")
            content = packed(result, rules, backend)
            if compress.artifact_file is not None:  # what counts is the file
                write_whole(compress.artifact_file, content)
                content = compress.artifact_file.read_bytes()
            if compress.is_measured:
                measured = measure(content, part_of(compress.mnist.test, "public"), rules, backend)
        except (SubmissionError, ModelFault) as error:
            fault = str(error)
    return Attempt(content, measured, fault, runner.spent_seconds)


def compared(made: Entry, again: Attempt) -> Entry:
    """The entry with the second run's hash. Other bytes are said, and not punished."""
    if again.content is None:
        return replace(made, flags=[*made.flags, f"a second run of compress failed: {again.fault}"])
    second = sha256(again.content).hexdigest()
    if second == made.artifact_sha256:
        return replace(made, second_artifact_sha256=second)
    flag = (
        f"a second run of compress gave a different file, of {len(again.content):,} bytes: draw all random "
        "numbers from `seed`, and use no clock"
    )
    return replace(made, second_artifact_sha256=second, flags=[*made.flags, flag])


def checked(made: Entry, other: Attempt, rules: Rules) -> Entry:
    """The entry, worth no more than what the same code earns on the canary and a margin.

    The canary's score is rounded up first: who saw it exactly, run after run, could have its secret spelled to
    them in the sizes of files.
    """
    facts, limits = rules.competition, rules.canary
    points = 0.0
    if other.content is not None and other.measured is not None and len(other.content) <= facts.budget_bytes:
        accuracy = other.measured.accuracy_percent
        exact = score(accuracy, len(other.content), facts.reference_accuracy_percent, facts.reference_bytes)
        points = math.ceil(exact / limits.step) * limits.step
    flags, is_ranked, worth = list(made.flags), made.ranked, made.score
    if worth > points + limits.margin:
        worth = points + limits.margin
        flags.append(
            f"scores {made.score:.3f} on the shared model and at most {points:g} on one that nobody has seen: "
            f"counts as {worth:.3f}"
        )
    if made.score > points + limits.far:
        is_ranked = False
        flags.append("far better on the shared model than on one that nobody has seen: look at its source")
    return replace(made, score=worth, ranked=is_ranked, flags=flags, canary=CanaryCheck(points, made.score))


def locked(data: Data) -> Data:
    """The same arrays, not to be written to: they are left for the worker once."""
    parts = []
    for dataset in (data.train, data.validation):
        arrays = [dataset.images.view(), dataset.labels.view()]
        for array in arrays:
            array.flags.writeable = False
        parts.append(Dataset(*arrays))
    return Data(*parts)

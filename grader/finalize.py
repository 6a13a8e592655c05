"""The final ranking: every artifact again, on images that nobody could prepare for.

    python -m grader finalize --new-key key.txt                  # before the course; the hash may be published
    python -m grader finalize results --key key.txt --out final.json

What is scored is the file that each run left, model.fw; no submission's code runs again. The result reveals the
key, so that everybody can make the same images and find the same figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assignment.data import load_mnist
from assignment.nn import Dataset
from assignment.scoring import score
from grader import GraderError, UnusableError
from grader.classroom.results import JOB, STUDENT, STUDENTS, Results
from grader.digits import KEY_BYTES, jittered, own_digits, read_key
from grader.grade import ARTIFACT, RESULT
from grader.measured import Measured, ModelFault, measure, part_of
from grader.record import check, write_whole
from grader.rules import COMPETITION_FILE, Rules, SuitePaths, read_rules, rules_sha256
from grader.sandbox import Backend

SCHEMA = "featherweight/final/v1"
FIRST_IMAGES = 5000  # what an artifact was measured on first, within the rules' time
JITTERED, OWN = "jittered private half", "instructor's own"

EXAMPLES = """\
examples:
  python -m grader finalize --new-key key.txt
      once, before the course: a secret key, and its hash to publish
  python -m grader finalize results --key key.txt --out final.json
      after the deadline: the odd half of the test set, jittered by the key
  python -m grader finalize results --images qmnist-test-images-idx3-ubyte.gz \\
      --labels qmnist-test-labels-idx2-int.gz --skip 10000 --out final.json
      on digits of your own; QMNIST's first 10,000 are MNIST's

Then: python -m leaderboard build --final final.json
"""


@dataclass(frozen=True)
class Candidate:
    """A run that left an artifact: who, its file, and what its record says of it."""

    id: str
    content: bytes
    competition: dict[str, Any]


@dataclass(frozen=True)
class Final:
    """An artifact's figures before, on the public half, and now. Places are by score, then bytes."""

    id: str
    artifact_sha256: str
    bytes: int
    division: str
    accuracy_before: float
    score_before: float
    place_before: int
    accuracy_percent: float
    score: float
    place: int
    correct: str | None
    fault: str | None = None


def candidates(results: Path, data_name: str) -> Iterator[Candidate]:
    """The ranked artifacts among the results in this folder, the record's own hash checked.

    Of a class, what counts for each student who is in it: not the runs that are kept beside it, which are theirs again
    or were replaced.

    Raises GraderError where a record or its artifact is not what it was: nobody is left out unseen.
    """
    for path in sorted(results.glob(f"**/{RESULT}")):
        if path.with_name(JOB).exists() or has_left(path.parent):
            continue
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise GraderError(f"{path} cannot be read: {error}") from error
        check(record)
        found = record["competition"]
        if found is None or not found["ranked"] or record["grader"]["data"] != data_name:
            continue
        try:
            content = path.with_name(ARTIFACT).read_bytes()
        except OSError as error:
            raise GraderError(f"{path.with_name(ARTIFACT)} cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != found["artifact_sha256"]:
            raise GraderError(
                f"{path.with_name(ARTIFACT)} is not the file that its record names: grade it again"
            )
        yield Candidate(record["submission"]["id"], content, found)


def has_left(student: Path) -> bool:
    """Whether it is the folder of a student who is in the class no more."""
    results = Results(student.parent)
    is_of_a_class = (results.own / STUDENTS).is_file() and (student / STUDENT).is_file()
    return is_of_a_class and student.name not in [shelf.id for shelf in results.enrolled()]


def finals(found: Sequence[Candidate], images: Dataset, rules: Rules, backend: Backend) -> list[Final]:
    """Everybody's figures, division after division, the best first.

    An artifact that takes too long now, or cannot be read any more, has a `fault`, and stops nobody else.
    """
    rows = [(each, *figures(each, images, rules, backend)) for each in found]
    before = places(
        [(r[0].competition["division"], r[0].competition["score"], len(r[0].content)) for r in rows]
    )
    after = places([(each.competition["division"], worth, len(each.content)) for each, _, worth, _ in rows])
    made = [
        Final(
            id=each.id,
            artifact_sha256=each.competition["artifact_sha256"],
            bytes=len(each.content),
            division=each.competition["division"],
            accuracy_before=each.competition["accuracy_percent"],
            score_before=each.competition["score"],
            place_before=was,
            accuracy_percent=0.0 if answer is None else answer.accuracy_percent,
            score=worth,
            place=now,
            correct=None if answer is None else answer.correct,
            fault=fault,
        )
        for (each, answer, worth, fault), was, now in zip(rows, before, after, strict=True)
    ]
    return sorted(made, key=lambda row: (row.division, row.place, row.id))


def figures(
    each: Candidate, images: Dataset, rules: Rules, backend: Backend
) -> tuple[Measured | None, float, str | None]:
    """What the artifact answers, its score, and why there is none. Time grows with the number of images."""
    facts = rules.competition
    times = max(1.0, len(images) / FIRST_IMAGES)
    patient = replace(facts, predict_cpu_seconds=facts.predict_cpu_seconds * times)
    try:
        answer = measure(each.content, images, replace(rules, competition=patient), backend)
    except ModelFault as error:
        return None, 0.0, str(error)
    size_bytes, accuracy = len(each.content), answer.accuracy_percent
    worth = score(accuracy, size_bytes, facts.reference_accuracy_percent, facts.reference_bytes)
    if (canary := each.competition["canary"]) is not None:
        worth = min(worth, canary["score"] + rules.canary.margin)
    return answer, worth, None


def places(standings: Sequence[tuple[str, float, int]]) -> list[int]:
    """One more than how many of the same division are ahead: a higher score, or the same in fewer bytes.

    >>> places([("mlp", 9.0, 100), ("mlp", 9.0, 90), ("open", 1.0, 90), ("mlp", 9.0, 100)])
    [2, 1, 1, 2]
    """
    return [
        1
        + sum((-score, size) < (-own_score, own_size) for kind, score, size in standings if kind == division)
        for division, own_score, own_size in standings
    ]


def document(rows: Sequence[Final], images: Dataset, data_name: str, key: bytes | None) -> dict[str, Any]:
    """What is published: no name of a student, only artifacts by their hashes."""
    return {
        "schema": SCHEMA,
        "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "key": None if key is None else key.hex(),
        "key_sha256": None if key is None else hashlib.sha256(key).hexdigest(),
        "rules_sha256": rules_sha256(COMPETITION_FILE, SuitePaths().points_file),
        "data": data_name,
        "images": OWN if key is None else JITTERED,
        "n_images": len(images),
        "rows": [{name: value for name, value in asdict(row).items() if name != "id"} for row in rows],
    }


def add_command(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "finalize",
        help="score all entries on the images that decide",
        description="Score every artifact in RESULTS on the private half under a secret jitter, or on your own digits.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("results", metavar="RESULTS", type=Path, nargs="?", help="what `grade` wrote")
    command.add_argument(
        "--new-key", metavar="FILE", type=Path, help="make a secret key, print its hash, stop"
    )
    command.add_argument("--key", metavar="FILE", type=Path, help="the key of the jitter")
    command.add_argument("--images", metavar="FILE", type=Path, help="an IDX file of your own digits")
    command.add_argument("--labels", metavar="FILE", type=Path, help="their labels")
    command.add_argument("--skip", metavar="N", type=int, default=0, help="leave out the first N of them")
    command.add_argument(
        "--out", metavar="FILE", type=Path, default=Path("final.json"), help="default: final.json"
    )
    command.add_argument("--early", action="store_true", help="do so before the deadline in the rules")
    command.set_defaults(run=run_command)


def run_command(options: argparse.Namespace) -> int:
    from grader.trial import backend_for

    if options.new_key is not None:
        return new_key(options.new_key)
    if options.results is None or not options.results.is_dir():
        got = "none" if options.results is None else options.results
        raise UnusableError(f"finalize needs RESULTS, the folder that `grade` wrote to, got {got}")
    if (options.key is None) == (options.images is None) or (options.images is None) != (
        options.labels is None
    ):
        raise UnusableError("finalize needs either --key FILE, or both --images FILE and --labels FILE")
    rules = read_rules()
    deadline = rules.competition.deadline
    if deadline is not None and datetime.now(UTC) < deadline and not options.early:
        raise UnusableError(
            f"the deadline is {deadline:%Y-%m-%d %H:%M %Z}, and the results reveal the key: wait, or say --early"
        )
    mnist = load_mnist()
    if options.key is None:
        key, images = None, own_digits(options.images, options.labels, options.skip)
    else:
        key = read_key(options.key)
        images = jittered(part_of(mnist.test, "private"), key)
    found = list(candidates(options.results, mnist.name))
    if not found:
        raise UnusableError(f"{options.results} holds no ranked result on {mnist.name}")
    rows = finals(found, images, rules, backend_for("auto"))
    text = json.dumps(document(rows, images, mnist.name, key), indent=2) + "\n"
    write_whole(options.out, text.encode())
    show(rows, images, key)
    print(f"written: {options.out}")
    return 0


def new_key(path: Path) -> int:
    key = secrets.token_bytes(KEY_BYTES)
    try:
        with open(path, "x", opener=private, encoding="ascii") as file:
            file.write(key.hex() + "\n")
    except FileExistsError as error:
        raise UnusableError(f"{path} is there already: a key is never replaced") from error
    except OSError as error:
        raise UnusableError(f"{path} cannot be written: {error.strerror}") from error
    print(f"{path}: keep it secret until the results are out.")
    print(f"sha256: {hashlib.sha256(key).hexdigest()}")
    print("Publish this hash now: it proves later that the key was not chosen afterwards.")
    return 0


def private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def show(rows: Sequence[Final], images: Dataset, key: bytes | None) -> None:
    what = OWN if key is None else JITTERED
    print(f"{what}: {len(images):,} images")
    print(
        f"{'division':9} {'place':>5} {'was':>5} {'score':>7} {'was':>7} {'accuracy':>9} {'was':>8} {'bytes':>7}  id"
    )
    for row in rows:
        print(
            f"{row.division:9} {row.place:5} {row.place_before:5} {row.score:7.3f} {row.score_before:7.3f} "
            f"{row.accuracy_percent:7.2f} % {row.accuracy_before:6.2f} % {row.bytes:7,}  {row.id}{f' ({row.fault})' if row.fault else ''}"
        )

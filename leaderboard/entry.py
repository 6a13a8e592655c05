"""An entry: the few facts of a result record that compete in public.

    entry = Entry.from_record(json.load(open("result.json")), handle="quiet-heron")
    entry.file_name                   # "20260304T101500Z-3f2a91c.json"
    Entry.from_json(entry.to_json())  # the same entry

Everything that comes in is checked against `entry.schema.json`, on the way in and again when a page is built.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from leaderboard.documents import EntryError, check, fits, json_text, parse_json, real_time, shown, utc_text
from leaderboard.handles import RULE, neutral_handle
from leaderboard.significance import TEST_IMAGES, count_right, unpacked
from leaderboard.signing import Key, sign

RECORD_SCHEMA = "featherweight/result/v1"
ENTRY_SCHEMA = "featherweight/entry/v1"
COMPETITION = (
    "bytes",
    "accuracy_percent",
    "accuracy_per_kib",
    "score",
    "ranked",
    "flags",
    "artifact_sha256",
    "second_artifact_sha256",
    "split",
    "division",
    "correct",
    "confusion",
    "canary",
)
LATER = ("second_artifact_sha256", "correct", "confusion", "canary")  # fields that older records lack


@dataclass(frozen=True)
class Entry:
    """One posted result. Field names and units are those of the result record."""

    handle: str
    kind: str  # "student" or "baseline"
    name: str | None  # a baseline's
    started: datetime  # in UTC
    commit: str | None
    submission_sha256: str
    grader_version: str
    rules_sha256: str
    data: str  # "mnist" or "mnist-5k"
    sandbox: str
    bytes: int
    accuracy_percent: float
    accuracy_per_kib: float
    score: float
    ranked: bool
    flags: tuple[str, ...]
    artifact_sha256: str
    second_artifact_sha256: str | None
    split: str  # "public", "private" or "full"
    division: str  # "mlp" or "open"
    correct: str | None  # base64 of a bit for each test image
    confusion: tuple[tuple[int, ...], ...] | None  # by true digit, then by answer
    canary: bool  # whether compress() was also run on a canary
    anatomy_json: str | None  # what the packed file holds, as JSON
    corrects: tuple[str, str] | None  # an earlier entry's file, and the reason
    signature: tuple[str, str] | None  # public key and signature, in hexadecimal digits

    @classmethod
    def from_record(
        cls,
        record: object,
        handle: str | None = None,
        *,
        baseline: str | None = None,
        anatomy: dict[str, Any] | None = None,
        corrects: tuple[str, str] | None = None,
    ) -> Entry:
        """Take from a result record what competes, under a neutral handle unless one is given.

        Args:
            baseline: the name of a baseline, which has no rank.
            anatomy: what the packed file holds, by `leaderboard.anatomy`.
            corrects: the file name of the entry that this one takes the place of, and why.

        Raises:
            EntryError: the record is no valid one, says that grading failed, or holds no measured artifact.
        """
        if not isinstance(record, dict) or record.get("schema") != RECORD_SCHEMA:
            raise EntryError(f'this is no result record: its "schema" is not "{RECORD_SCHEMA}"')
        if _take(record, "error") is not None:
            raise EntryError("the grader itself failed in this run, the record says: grade again, then post")
        if _take(record, "competition") is None:
            raise EntryError("this run did not compete (its competition is null): grade without --no-compete")
        if _take(record, "competition", "artifact_sha256") is None:
            flags = shown(str(_take(record, "competition", "flags")), quote=False)
            raise EntryError(f"compress() gave nothing to measure, so there is nothing to post: {flags}")
        sha256 = _take(record, "submission", "sha256")
        if handle is None:
            check(sha256, "entry", "/$defs/sha256", "submission.sha256")
            handle = neutral_handle(sha256)
        competition = {
            key: record["competition"].get(key) if key in LATER else _take(record, "competition", key)
            for key in COMPETITION
        }
        competition["canary"] = competition["canary"] is not None
        grader = {key: _take(record, "grader", key) for key in ("version", "rules_sha256", "data", "sandbox")}
        document = {
            "schema": ENTRY_SCHEMA,
            "kind": "student" if baseline is None else "baseline",
            "name": baseline,
            "handle": handle,
            "started": _started(_take(record, "grader", "started")),
            "commit": _take(record, "submission", "commit"),
            "submission_sha256": sha256,
            "grader": grader,
            "competition": competition,
            "anatomy": anatomy,
            "corrects": None if corrects is None else {"entry": corrects[0], "reason": corrects[1]},
            "signature": None,
        }
        return cls.from_document(document)

    @classmethod
    def from_json(cls, text: str) -> Entry:
        """Read an entry file's text. Raises EntryError where it is not one."""
        return cls.from_document(parse_json(text))

    @classmethod
    def from_document(cls, document: object) -> Entry:
        """Check a parsed entry file and make an Entry of it. Raises EntryError."""
        if isinstance(document, dict) and isinstance(document.get("handle"), str):
            check_handle(document["handle"])
        check(document, "entry")
        assert isinstance(document, dict)
        grader, competition = document["grader"], document["competition"]
        if (document["kind"] == "baseline") != (document["name"] is not None):
            raise EntryError("a baseline has a name, and no other entry has one")
        started = real_time(document["started"], "started")
        _check_sums(competition, TEST_IMAGES[grader["data"], competition["split"]])
        confusion, corrects, signature = (
            competition["confusion"],
            document["corrects"],
            document["signature"],
        )
        anatomy = document["anatomy"]
        tuples = {
            "bytes": int(competition["bytes"]),
            "flags": tuple(competition["flags"]),
            "confusion": None if confusion is None else tuple(map(tuple, confusion)),
        }
        return cls(
            handle=document["handle"],
            kind=document["kind"],
            name=document["name"],
            started=started,
            commit=document["commit"],
            submission_sha256=document["submission_sha256"],
            grader_version=grader["version"],
            rules_sha256=grader["rules_sha256"],
            data=grader["data"],
            sandbox=grader["sandbox"],
            anatomy_json=None if anatomy is None else json_text(anatomy),
            corrects=None if corrects is None else (corrects["entry"], corrects["reason"]),
            signature=None if signature is None else (signature["key"], signature["value"]),
            **{**competition, **tuples},
        )

    def to_document(self) -> dict[str, Any]:
        """The entry as its file holds it."""
        return {
            "schema": ENTRY_SCHEMA,
            "kind": self.kind,
            "name": self.name,
            "handle": self.handle,
            "started": utc_text(self.started),
            "commit": self.commit,
            "submission_sha256": self.submission_sha256,
            "grader": {
                "version": self.grader_version,
                "rules_sha256": self.rules_sha256,
                "data": self.data,
                "sandbox": self.sandbox,
            },
            "competition": {key: getattr(self, key) for key in COMPETITION},
            "anatomy": self.anatomy,
            "corrects": self.corrects and dict(zip(("entry", "reason"), self.corrects, strict=True)),
            "signature": self.signature and dict(zip(("key", "value"), self.signature, strict=True)),
        }

    def to_json(self) -> str:
        """The entry file's text: the same entry always gives the same bytes."""
        return json_text(self.to_document())

    def signed(self, key: Key) -> Entry:
        """This entry, signed with that key."""
        return replace(self, signature=sign(self.to_document(), key))

    @property
    def anatomy(self) -> dict[str, Any] | None:
        """What the packed file holds: its ledger, and histograms of its weights."""
        if self.anatomy_json is None:
            return None
        parsed: dict[str, Any] = parse_json(self.anatomy_json)
        return parsed

    @property
    def file_name(self) -> str:
        """`<utc>-<first seven digits of the artifact's hash>.json`."""
        return f"{self.started:%Y%m%dT%H%M%SZ}-{self.artifact_sha256[:7]}.json"

    @property
    def path(self) -> str:
        """`<handle>/<utc>-<sha7>`: names this entry's files, and with a suffix each of them."""
        return f"{self.handle}/{self.file_name.removesuffix('.json')}"

    @property
    def title(self) -> str:
        """The name that it goes by: a baseline's name, or a handle."""
        return self.name or self.handle

    @cached_property
    def answers(self) -> int | None:
        """A bit for each test image, the first image's the highest: 1 where the answer was right."""
        images = TEST_IMAGES[self.data, self.split]
        return None if self.correct is None else unpacked(self.correct, images)


def check_handle(handle: str) -> None:
    """Raise EntryError, saying what a handle may be, unless this is one."""
    if not fits(handle, "entry", "/properties/handle"):
        raise EntryError(f"{shown(handle)} cannot be a handle, which is {RULE}")


def _take(record: dict[str, Any], *path: str) -> Any:
    value: Any = record
    for key in path:
        if not isinstance(value, dict) or key not in value:
            raise EntryError(f"this is no valid result record: {'.'.join(path)} is missing")
        value = value[key]
    return value


def _started(started: object) -> str:
    """Rewrite an ISO 8601 time as UTC with a Z. Raises EntryError where it is none, or has no time zone."""
    try:
        time = datetime.fromisoformat(str(started))
        if time.tzinfo is None:
            raise ValueError
        return utc_text(time.astimezone(UTC))
    except (ValueError, OverflowError):
        raise EntryError(
            f"this is no valid result record: grader.started must be an ISO 8601 time with its time zone, "
            f"got {shown(str(started))}"
        ) from None


def _check_sums(competition: dict[str, Any], images: int) -> None:
    """A row that contradicts itself does not get in: what follows from numbers beside it must do so."""
    expected = competition["accuracy_percent"] / (competition["bytes"] / 1024)
    got = competition["accuracy_per_kib"]
    if abs(got - expected) > 0.01 + 1e-3 * expected:
        raise EntryError(
            f"accuracy_per_kib must be accuracy_percent / (bytes / 1024) = {expected:.3f}, got {got:g}"
        )
    right = competition["accuracy_percent"] * images / 100
    if competition["correct"] is not None:
        counted = count_right(competition["correct"], images)
        if counted is None or abs(counted - right) > 0.5:
            raise EntryError(f"correct must have a bit for each of {images} images, {right:.0f} of them set")
    if competition["confusion"] is not None:
        table = competition["confusion"]
        diagonal = sum(row[digit] for digit, row in enumerate(table))
        if sum(map(sum, table)) != images or abs(diagonal - right) > 0.5:
            raise EntryError(f"confusion must count {images} images, {right:.0f} of them on its diagonal")

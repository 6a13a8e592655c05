"""An entry: the few facts of a result record that compete in public.

    entry = Entry.from_record(json.load(open("result.json")), handle="quiet-heron")
    entry.file_name                   # "20260304T101500Z-3f2a91c.json"
    Entry.from_json(entry.to_json())  # the same entry

Everything that comes in is checked against `entry.schema.json`, on the way in and again when a page is built.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]

from leaderboard.handles import RULE, neutral_handle

RECORD_SCHEMA = "featherweight/result/v1"
ENTRY_SCHEMA = "featherweight/entry/v1"
MAX_MESSAGE_CHARACTERS = 160


class EntryError(Exception):
    """What was handed in is not an entry, a result record that can be one, or a usable name. One sentence."""


@dataclass(frozen=True)
class Entry:
    """One posted result. Field names and units are those of the result record."""

    handle: str
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
    split: str  # "public", "private" or "full"
    division: str  # "mlp" or "open"

    @classmethod
    def from_record(cls, record: object, handle: str | None = None) -> Entry:
        """Take from a result record what competes, under a neutral handle unless one is given.

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
            flags = _shown(str(_take(record, "competition", "flags")), quote=False)
            raise EntryError(f"compress() gave nothing to measure, so there is nothing to post: {flags}")
        grader = {key: _take(record, "grader", key) for key in ("version", "rules_sha256", "data", "sandbox")}
        fields = _schema()["properties"]["competition"]["required"]
        document = {
            "schema": ENTRY_SCHEMA,
            "handle": handle,
            "started": _utc_text(_take(record, "grader", "started")),
            "commit": _take(record, "submission", "commit"),
            "submission_sha256": _take(record, "submission", "sha256"),
            "grader": grader,
            "competition": {key: _take(record, "competition", key) for key in fields},
        }
        if handle is None:
            sha256 = document["submission_sha256"]
            _check(sha256, _schema()["$defs"]["sha256"], "submission.sha256")
            document["handle"] = neutral_handle(sha256)
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
        _check(document, _schema())
        assert isinstance(document, dict)
        grader, competition = document["grader"], document["competition"]
        try:
            started = datetime.fromisoformat(document["started"])
        except ValueError:
            raise EntryError(f"started must be a real date and time, got {document['started']}") from None
        _check_ratio(competition)
        return cls(
            handle=document["handle"],
            started=started,
            commit=document["commit"],
            submission_sha256=document["submission_sha256"],
            grader_version=grader["version"],
            rules_sha256=grader["rules_sha256"],
            data=grader["data"],
            sandbox=grader["sandbox"],
            **{**competition, "bytes": int(competition["bytes"]), "flags": tuple(competition["flags"])},
        )

    def to_json(self) -> str:
        """The entry file's text: the same entry always gives the same bytes."""
        competition = (
            "bytes",
            "accuracy_percent",
            "accuracy_per_kib",
            "score",
            "ranked",
            "flags",
            "artifact_sha256",
            "split",
            "division",
        )
        document = {
            "schema": ENTRY_SCHEMA,
            "handle": self.handle,
            "started": _utc_text(self.started.isoformat()),
            "commit": self.commit,
            "submission_sha256": self.submission_sha256,
            "grader": {
                "version": self.grader_version,
                "rules_sha256": self.rules_sha256,
                "data": self.data,
                "sandbox": self.sandbox,
            },
            "competition": {key: getattr(self, key) for key in competition},
        }
        return json.dumps(document, indent=2, ensure_ascii=True) + "\n"

    @property
    def file_name(self) -> str:
        """`<utc>-<first seven digits of the artifact's hash>.json`."""
        return f"{self.started:%Y%m%dT%H%M%SZ}-{self.artifact_sha256[:7]}.json"


def check_handle(handle: str) -> None:
    """Raise EntryError, saying what a handle may be, unless this is one."""
    if not jsonschema.Draft202012Validator(_schema()["properties"]["handle"]).is_valid(handle):
        raise EntryError(f"{_shown(handle)} cannot be a handle, which is {RULE}")


def parse_json(text: str) -> Any:
    """Parse strict JSON (no NaN, no infinities). Raises EntryError."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as problem:
        raise EntryError(f"this is not JSON: {_shown(str(problem), quote=False)}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _take(record: dict[str, Any], *path: str) -> Any:
    value: Any = record
    for key in path:
        if not isinstance(value, dict) or key not in value:
            raise EntryError(f"this is no valid result record: {'.'.join(path)} is missing")
        value = value[key]
    return value


def _utc_text(started: object) -> str:
    """Rewrite an ISO 8601 time as UTC with a Z. Raises EntryError where it is none, or has no time zone."""
    try:
        time = datetime.fromisoformat(str(started))
        if time.tzinfo is None:
            raise ValueError
        return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        raise EntryError(
            f"this is no valid result record: grader.started must be an ISO 8601 time with its time zone, "
            f"got {_shown(str(started))}"
        ) from None


def _check_ratio(competition: dict[str, Any]) -> None:
    """A row that contradicts itself does not get in: the ratio follows from the two numbers beside it."""
    expected = competition["accuracy_percent"] / (competition["bytes"] / 1024)
    got = competition["accuracy_per_kib"]
    if abs(got - expected) > 0.01 + 1e-3 * expected:
        raise EntryError(
            f"accuracy_per_kib must be accuracy_percent / (bytes / 1024) = {expected:.3f}, got {got:g}"
        )


def _check(value: object, schema: dict[str, Any], name: str = "") -> None:
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(value))
    if error is None:
        return
    where = ".".join([name] * bool(name) + [str(key) for key in error.absolute_path]) or "the file"
    raise EntryError(f"{where} is not valid: {_shown(error.message, quote=False)}")


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(Path(__file__).with_name("entry.schema.json").read_text("utf-8"))
    return schema


def _shown(text: str, quote: bool = True) -> str:
    """Text from outside as it may appear in a message: one line, plain, not endless."""
    plain = text.encode("unicode_escape").decode("ascii")
    if len(plain) > MAX_MESSAGE_CHARACTERS:
        plain = plain[: MAX_MESSAGE_CHARACTERS - 3] + "..."
    return f'"{plain}"' if quote else plain

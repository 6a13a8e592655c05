"""Result records and entries for the leaderboard's tests, written by hand from the record's field names."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from leaderboard import __main__
from leaderboard.entry import Entry

GOLDEN = Path(__file__).parent / "golden" / "trained-tiny.fw"

TEST = {
    "name": "test_x",
    "function": "prune",
    "part": 2,
    "suite": "hidden",
    "points": 1.5,
    "max_points": 1.5,
    "outcome": "passed",
    "reason": None,
}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def record(label: str = "a", **competition: Any) -> dict[str, Any]:
    """A valid result record; `label` makes its hashes differ, keywords replace fields of `competition`.

    98 % in 4,096 bytes is 24.5 % per KiB.
    """
    fields: dict[str, Any] = {
        "bytes": 4096,
        "accuracy_percent": 98.0,
        "score": 7.5,
        "ranked": True,
        "flags": [],
        "cpu_seconds": 61.2,
        "artifact_sha256": sha256("artifact " + label),
        "split": "public",
        "division": "mlp",
        "second_artifact_sha256": None,
        "correct": None,
        "confusion": None,
        "canary": None,
        **competition,
    }
    if "accuracy_per_kib" not in fields:
        fields["accuracy_per_kib"] = fields["accuracy_percent"] / (fields["bytes"] / 1024)
    return {
        "schema": "featherweight/result/v1",
        "submission": {
            "id": "secret-student-name",
            "source": "/home/secret-student-name/compression.py",
            "commit": "0123456789abcdef0123456789abcdef01234567",
            "sha256": sha256("source " + label),
        },
        "grader": {
            "version": "0.1.0",
            "rules_sha256": sha256("rules"),
            "data": "mnist",
            "sandbox": "bwrap",
            "seed": 424242,
            "started": "2026-03-04T10:15:30Z",
            "cpu_seconds": 99.5,
            "environment": {"python": "3.11", "numpy": "2.4", "blas": "openblas", "platform": "linux"},
        },
        "tests": [TEST],
        "competition": fields,
        "totals": {"points": 87.125, "max_points": 100},
        "error": None,
    }


def entry(handle: str, label: str | None = None, **competition: Any) -> Entry:
    """An entry of `handle`; `data` and `started` are the grader's, other keywords are of `competition`."""
    baseline = competition.pop("baseline", None)
    corrects = competition.pop("corrects", None)
    grader = {key: competition.pop(key) for key in ("data", "started") if key in competition}
    made = record(label or handle, **competition)
    made["grader"].update(grader)
    return Entry.from_record(made, handle, baseline=baseline, corrects=corrects)


def bits(wrong: Iterable[int], images: int = 5000) -> dict[str, Any]:
    """`correct` and the accuracy that follows, for a model that reads only those images wrong."""
    wrong = set(wrong)
    flags = "".join("0" if place in wrong else "1" for place in range(images))
    padded = flags + "0" * (-images % 8)
    packed = int(padded, 2).to_bytes(len(padded) // 8, "big")
    accuracy = 100 * (images - len(wrong)) / images
    return {"correct": base64.b64encode(packed).decode("ascii"), "accuracy_percent": accuracy}


def write_record(path: Path, made: object) -> Path:
    path.write_text(json.dumps(made), "utf-8")
    return path


def graded(folder: Path, label: str = "a", **competition: Any) -> Path:
    """A result's folder as `grade` leaves it: the record, and beside it the artifact that it measured."""
    folder.mkdir(parents=True, exist_ok=True)
    artifact = GOLDEN.read_bytes()
    figures = {"bytes": len(artifact), "artifact_sha256": hashlib.sha256(artifact).hexdigest(), **competition}
    (folder / "model.fw").write_bytes(artifact)
    return write_record(folder / "result.json", record(label, **figures))


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """A command of the leaderboard: its exit code, and what it said on stdout and on stderr."""
    code = __main__.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def without(path: str) -> dict[str, Any]:
    made = record()
    *parents, key = path.split(".")
    inner: Any = made
    for parent in parents:
        inner = inner[parent]
    del inner[key]
    return made


def changed(path: str, value: object) -> dict[str, Any]:
    made = without(path)
    *parents, key = path.split(".")
    inner: Any = made
    for parent in parents:
        inner = inner[parent]
    inner[key] = value
    return made


UNUSABLE = {
    "no record": ([1, 2], "this is no result record"),
    "another schema": (changed("schema", "featherweight/result/v2"), "this is no result record"),
    "grader failed": (changed("error", {"message": "no sandbox"}), "the grader itself failed"),
    "did not compete": (changed("competition", None), "did not compete"),
    "nothing to measure": (
        record(bytes=None, accuracy_percent=None, accuracy_per_kib=None, score=0, ranked=False, division=None,
               artifact_sha256=None, flags=["compress raised ValueError"]),
        "compress() gave nothing to measure",
    ),
    "error missing": (without("error"), "error is missing"),
    "competition missing": (without("competition"), "competition is missing"),
    "hash missing": (without("submission.sha256"), "submission.sha256 is missing"),
    "grader is a list": (changed("grader", []), "grader.version is missing"),
    "flags missing": (without("competition.flags"), "competition.flags is missing"),
    "no time zone": (changed("grader.started", "2026-03-04T10:15:30"), "with its time zone"),
    "no such day": (changed("grader.started", "2026-02-30T10:15:30Z"), "grader.started must be"),
    "time is a number": (changed("grader.started", 1772619330), "grader.started must be"),
    "no bytes": (record(bytes=0, accuracy_per_kib=1.0), "competition.bytes is not valid"),
    "bytes are true": (record(bytes=True), "competition.bytes is not valid"),
    "accuracy over 100": (record(accuracy_percent=100.5), "competition.accuracy_percent is not valid"),
    "negative score": (record(score=-1.0), "competition.score is not valid"),
    "ratio of other numbers": (record(accuracy_per_kib=99.0), "accuracy_per_kib must be"),
    "hash of another length": (changed("submission.sha256", "abc"), "submission.sha256 is not valid"),
    "hash with a line break": (record(artifact_sha256="a" * 64 + "\n"), "artifact_sha256 is not valid"),
    "hash that is a path": (record(artifact_sha256="../" * 22), "artifact_sha256 is not valid"),
    "unknown division": (record(division="heavy"), "competition.division is not valid"),
    "unknown data": (changed("grader.data", "cifar"), "grader.data is not valid"),
    "endless commit": (changed("submission.commit", "x" * 10_000), "commit is not valid"),
    "flags are words": (record(flags="late"), "competition.flags is not valid"),
}  # fmt: skip

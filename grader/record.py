"""The result record, `result.json`: what a run found, in the one form that everything else reads.

Its fields are described in `result.schema.json`, which every record is checked against before it is
written.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import numpy as np

from grader import GraderError, __version__
from grader.intake import Source

if TYPE_CHECKING:
    from grader.measured import Entry
    from grader.suites import TestResult

SCHEMA = "featherweight/result/v1"
SCHEMA_FILE = Path(__file__).with_name("result.schema.json")

Record = dict[str, Any]


@dataclass(frozen=True)
class Circumstances:
    """What a run was made with; `data` is None where no competition was run."""

    rules_sha256: str
    data: str | None
    sandbox: str
    seed: int
    started: datetime
    cpu_seconds: float


def record_of(
    source: Source,
    commit: str | None,
    made_with: Circumstances,
    tests: Sequence[TestResult],
    competition: Entry | None,
    error: str | None,
) -> Record:
    """The record of a run. Points are exact fractions until here; with an `error` none are decided."""
    points = sum((test.points or Fraction(0) for test in tests), Fraction(0))
    return {
        "schema": SCHEMA,
        "submission": {
            "id": source.id,
            "source": source.source,
            "commit": commit,
            "sha256": source.sha256,
        },
        "grader": {
            "version": __version__,
            "rules_sha256": made_with.rules_sha256,
            "data": made_with.data,
            "sandbox": made_with.sandbox,
            "seed": made_with.seed,
            "started": made_with.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "cpu_seconds": round(made_with.cpu_seconds),  # no finer: it could tell what hidden calls met
            "environment": environment(),
        },
        "tests": [
            {
                **asdict(test),
                "points": None if test.points is None else number(test.points),
                "max_points": number(test.max_points),
            }
            for test in tests
        ],
        "competition": None if competition is None else asdict(competition),
        "totals": {
            "points": number(points) if error is None else None,
            "max_points": number(sum((test.max_points for test in tests), Fraction(0))),
        },
        "error": error,
    }


def number(value: Fraction) -> int | float:
    """An int where it is whole: 100 and not 99.99999999999999."""
    return int(value) if value.denominator == 1 else float(value)


def environment() -> dict[str, str]:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        "platform": platform.platform(),
    }


def check(record: Record) -> None:
    """Raises GraderError unless the record is as its schema says."""
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    try:
        jsonschema.Draft202012Validator(schema).validate(record)
    except jsonschema.ValidationError as error:
        where = f"{error.json_path}: {error.message}"
        raise GraderError(f"the record is not what its schema says: {where}") from error


def write(record: Record, path: Path) -> None:
    """Check the record, then write it. Raises GraderError."""
    check(record)
    write_whole(path, (json.dumps(record, indent=2, allow_nan=False) + "\n").encode())


def write_whole(path: Path, content: bytes) -> None:
    """All of a file or nothing: under another name first, then in one step under its own."""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), 0o644)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise GraderError(f"{path} cannot be written: {error.strerror}") from error

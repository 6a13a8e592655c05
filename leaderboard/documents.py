"""JSON from outside: strict reading, and one plain sentence about what is wrong with it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import referencing
from referencing.jsonschema import DRAFT202012

MAX_MESSAGE_CHARACTERS = 160


class EntryError(Exception):
    """What was handed in is not an entry, a result record that can be one, or a usable name. One sentence."""


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema of the file `<name>.schema.json`."""
    path = Path(__file__).with_name(f"{name}.schema.json")
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def check(value: object, name: str, part: str = "", called: str = "") -> None:
    """Raise EntryError unless `value` fits the schema of that name, or the part of it that `part` points to."""
    error = jsonschema.exceptions.best_match(_validator(name, part).iter_errors(value))
    if error is None:
        return
    where = ".".join([called] * bool(called) + [str(key) for key in error.absolute_path]) or "the file"
    raise EntryError(f"{where} is not valid: {shown(error.message, quote=False)}")


def fits(value: object, name: str, part: str = "") -> bool:
    """Whether `value` fits that schema."""
    return bool(_validator(name, part).is_valid(value))


@cache
def _validator(name: str, part: str) -> jsonschema.Draft202012Validator:
    names = ("entry", "notice", "final", "leaderboard")
    registry = referencing.Registry().with_resources(
        (each, DRAFT202012.create_resource(schema(each))) for each in names
    )
    return jsonschema.Draft202012Validator({"$ref": f"{name}#{part}"}, registry=registry)


def parse_json(text: str) -> Any:
    """Parse strict JSON (no NaN, no infinities). Raises EntryError."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as problem:
        raise EntryError(f"this is not JSON: {shown(str(problem), quote=False)}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def json_text(document: object) -> str:
    """JSON for people and programs: the same document always gives the same bytes; rows of numbers stay rows."""
    text = json.dumps(document, indent=2, ensure_ascii=True)
    return re.sub(r"\[\n\s*([-+.,0-9eE\s]+?)\n\s*\]", lambda m: f"[{' '.join(m[1].split())}]", text) + "\n"


def utc_text(time: datetime) -> str:
    """A time as it stands in files: ISO 8601, in UTC, with a Z."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def real_time(text: str, called: str) -> datetime:
    """Read a time that fits the schema's pattern. Raises EntryError for the 30th of February."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise EntryError(f"{called} must be a real date and time, got {text}") from None


def shown(text: str, quote: bool = True) -> str:
    """Text from outside as it may appear in a message: one line, plain, not endless."""
    plain = text.encode("unicode_escape").decode("ascii")
    if len(plain) > MAX_MESSAGE_CHARACTERS:
        plain = plain[: MAX_MESSAGE_CHARACTERS - 3] + "..."
    return f'"{plain}"' if quote else plain

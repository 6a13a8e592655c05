"""Handles: the names people compete under.

A handle is chosen, or made by chance, so that it says nothing about who sent what.
What a handle may look like is written in `entry.schema.json`; here is the sentence for people, and which
handles could pass for somebody else's.
"""

from __future__ import annotations

import csv
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from leaderboard.documents import EntryError

PROJECT = Path(__file__).resolve().parent.parent
RULE = "3 to 32 lower-case letters a-z and digits, in words joined by single hyphens, such as quiet-heron"

_ADJECTIVES = """
    airy amber brisk bright calm candid clever cool crisp deft eager early exact fair fleet gentle
    glad golden keen kind lean light lithe lively lucid mellow mild neat nimble noble patient plain
    polite prompt proud quick quiet rapid ready serene sharp silver sleek slender slight smooth snug
    soft spare spry steady still subtle sunny swift tidy trim true vivid warm wild wise witty young
"""
_NOUNS = """
    avocet bittern bunting chough condor coot crane curlew dipper dotterel dove dunlin eagle egret
    eider falcon finch fulmar gannet godwit goose grebe grouse gull harrier heron hobby hoopoe ibis
    jackdaw jay kestrel kite knot lapwing lark linnet magpie martin merlin nightjar oriole osprey
    ouzel owl petrel pipit plover puffin quail raven redwing robin rook ruff sandpiper siskin
    skylark snipe sparrow starling stork swallow swan
"""
ADJECTIVES = tuple(_ADJECTIVES.split())
NOUNS = tuple(_NOUNS.split())


def neutral_handle(sha256: str) -> str:
    """Return the handle that belongs to a hash, such as `quiet-heron-3f2a`.

    Args:
        sha256: 64 hexadecimal digits. The first four choose the words; the next four keep two submissions
            with the same words apart.
    """
    adjective = ADJECTIVES[int(sha256[0:2], 16) % len(ADJECTIVES)]
    noun = NOUNS[int(sha256[2:4], 16) % len(NOUNS)]
    return f"{adjective}-{noun}-{sha256[4:8]}"


RESERVED = frozenset(
    [
        "admin",
        "administrator",
        "anonymous",
        "baseline",
        "course",
        "featherweight",
        "grader",
        "instructor",
        "leaderboard",
        "moderator",
        "null",
        "official",
        "root",
        "staff",
        "system",
        "teacher",
        "undefined",
    ]
)
LOOK_ALIKES = (
    ("rn", "m"),
    ("vv", "w"),
    ("cl", "d"),
    ("0", "o"),
    ("1", "l"),
    ("i", "l"),
    ("5", "s"),
    ("2", "z"),
)


def skeleton(handle: str) -> str:
    """What a handle looks like at a glance: two handles that share it could be taken for each other.

    Letters of other scripts need no rule, since no handle has any.

    >>> skeleton("quiet-heron") == skeleton("qu1et-her0n") == skeleton("quiethe-ron")
    True
    """
    plain = handle.replace("-", "")
    for twin, letter in LOOK_ALIKES:
        plain = plain.replace(twin, letter)
    return plain


def why_not(handle: str, kind: str, taken: Mapping[str, str]) -> str | None:
    """Why an entry of that kind may not use a handle, in a few words; None if it may.

    Args:
        handle: one that fits the rule.
        kind: "student" or "baseline".
        taken: every handle on the board, with its kind.
    """
    if handle in taken:
        return None if taken[handle] == kind else f"is the handle of a {taken[handle]}"
    if any(skeleton(official) == skeleton(handle) for official in RESERVED):
        return "is reserved, as it sounds like somebody official"
    twin = next((other for other in sorted(taken) if skeleton(other) == skeleton(handle)), None)
    return None if twin is None else f"could be taken for {twin}, who is on the board"


def fresh_handle(taken: Iterable[str]) -> str:
    """A neutral handle, by chance, that looks like none of those taken."""
    seen = {skeleton(handle) for handle in taken}
    while True:
        handle = neutral_handle(secrets.token_hex(32))
        if skeleton(handle) not in seen:
            return handle


class HandleMap:
    """Who competes under which handle: a private CSV file, `submission,handle`, with a line for each student.

    It lies outside the repository, and nothing on the leaderboard is made from it but the handle itself.
    """

    def __init__(self, path: Path) -> None:
        """Raises EntryError for a file that is no such map, or lies where it could be published."""
        if path.resolve().is_relative_to(PROJECT):
            raise EntryError(
                f"{path} lies in the repository: names and handles belong where nobody else reads"
            )
        self.path = path
        self.handles: dict[str, str] = {}
        if not path.exists():
            return
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"submission", "handle"} <= set(rows.fieldnames or ()):
                raise EntryError(f"{path} must begin with the line submission,handle")
            for row in rows:
                if row["submission"] in self.handles:
                    raise EntryError(f"{path} names {row['submission']} twice")
                self.handles[row["submission"]] = row["handle"] or ""
        owners: dict[str, str] = {}
        for submission, handle in self.handles.items():
            owner = owners.setdefault(skeleton(handle), submission) if handle else submission
            if owner != submission:
                raise EntryError(
                    f"{path} gives {owner} the handle {self.handles[owner]} and {submission} the handle {handle}, "
                    "which could be taken for each other: change one"
                )

    def handle_of(self, submission: str, taken: Iterable[str]) -> str:
        """The submission's handle; a fresh neutral one, written to the file first, where it has none."""
        if not self.handles.get(submission):
            self.handles[submission] = fresh_handle([*taken, *filter(None, self.handles.values())])
            self._write()
        return self.handles[submission]

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            with temporary.open("x", encoding="utf-8", newline="") as file:
                os.chmod(temporary, 0o600)
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(("submission", "handle"))
                writer.writerows(self.handles.items())
            os.replace(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)

"""The final ranking: the rows of the frozen board, measured once more on images that nobody could tune on.

final = Final.read(Path("final.json"))        # by `python -m grader finalize`
shake_up(group, final).moves[0]               # Move(row=..., frozen=..., before=3, after=1)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leaderboard.documents import EntryError, check, parse_json
from leaderboard.entry import Entry
from leaderboard.ranking import Group, Row, rank
from leaderboard.significance import count_right, unpacked


@dataclass(frozen=True)
class Final:
    """What `final.json` says; `rows` by the artifact's hash: whoever copies an artifact has a row of their own."""

    key: str | None
    key_sha256: str | None
    data: str
    images: str
    n_images: int
    rows: dict[str, list[dict[str, Any]]]

    @classmethod
    def read(cls, path: Path) -> Final:
        """Raises EntryError for a file that is no final measurement."""
        try:
            document = parse_json(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as problem:
            raise EntryError(
                f"{path} cannot be read: {getattr(problem, 'strerror', None) or problem}"
            ) from None
        try:
            return cls.from_document(document)
        except EntryError as problem:
            raise EntryError(f"{path}: {problem}") from None

    @classmethod
    def from_document(cls, document: object) -> Final:
        """Raises EntryError."""
        check(document, "final")
        assert isinstance(document, dict)
        for row in document["rows"]:
            if row["correct"] is not None and count_right(row["correct"], document["n_images"]) is None:
                raise EntryError(f"correct must have a bit for each of {document['n_images']} images")
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in document["rows"]:
            rows.setdefault(row["artifact_sha256"], []).append(row)
        return cls(
            key=document["key"],
            key_sha256=document["key_sha256"],
            data=document["data"],
            images=document["images"],
            n_images=document["n_images"],
            rows=rows,
        )

    def row_of(self, entry: Entry) -> dict[str, Any] | None:
        """The entry's own row: of several with its artifact, the one that had its score before.

        A canary holds the score of a copied artifact down, and not that of the original.
        """
        found = [row for row in self.rows.get(entry.artifact_sha256, []) if row["bytes"] == entry.bytes]
        own = [row for row in found if row.get("score_before") == entry.score]
        return next(iter(own or found), None) if self.data == entry.data else None


@dataclass(frozen=True)
class Move:
    """One row: as it was when the board froze, and as it is in the end."""

    row: Row  # its entry has the final figures
    frozen: Entry
    before: int

    @property
    def after(self) -> int:
        return self.row.rank

    @property
    def climbed(self) -> int:
        """Ranks gained; negative where some were lost."""
        return self.before - self.after


@dataclass(frozen=True)
class ShakeUp:
    """A group's final ranking, and the frozen rows that were not measured again."""

    group: Group
    moves: tuple[Move, ...]
    missing: tuple[Row, ...]


def shake_up(group: Group, final: Final) -> ShakeUp:
    """Rank the group's rows once more, by the final figures."""
    found, missing = [], []
    for row in group.rows:
        measured = final.row_of(row.entry)
        if measured is None:
            missing.append(row)
        else:
            found.append((row, _measured_again(row.entry, measured, final.n_images)))
    attempts = {row.entry.handle: row.attempts for row in group.rows}
    before = {row.entry.handle: row for row in group.rows}
    ranked = rank((entry for _, entry in found), attempts, final.n_images)
    moves = tuple(Move(row, before[row.entry.handle].entry, before[row.entry.handle].rank) for row in ranked)
    return ShakeUp(group, moves, tuple(missing))


def _measured_again(entry: Entry, measured: dict[str, Any], images: int) -> Entry:
    again = replace(
        entry,
        accuracy_percent=measured["accuracy_percent"],
        accuracy_per_kib=measured["accuracy_percent"] / (entry.bytes / 1024),
        score=measured["score"],
        correct=measured["correct"],
        confusion=None,
    )
    if measured["correct"] is not None:  # a bit for each of these images, not of the split's
        again.__dict__["answers"] = unpacked(measured["correct"], images)
    return again

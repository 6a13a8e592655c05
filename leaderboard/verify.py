"""Whether everything on a board is as it should be: every file, hash, signature and rank.

    for line in problems(read_all(folder), Trust(keys)): print(line)
    for line in wrong_rows(read_all(folder), Path("leaderboard/site"), Trust(keys)): print(line)

Whoever has a copy of the entries and knows which keys to trust can run it; nothing is taken on the word of a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from leaderboard.board import Trust, assemble
from leaderboard.documents import EntryError, check, parse_json
from leaderboard.entry import Entry
from leaderboard.feeds import row_document
from leaderboard.ranking import halvings, quality
from leaderboard.signing import is_signed
from leaderboard.store import Contents

SCORE_TOLERANCE = 5e-4  # half of what a page shows


def problems(contents: Contents, trust: Trust) -> Iterator[str]:
    """Each thing that is wrong, as `<file>: <reason>`, in the order of the files."""
    there = {f"{entry.path}.json" for entry in contents.entries}
    for file in contents.refused:
        yield f"{file.path}: {file.reason}"
    for entry in contents.entries:
        name = f"{entry.path}.json"
        doubt = trust.doubt(entry)
        if doubt is not None:
            yield f"{name}: {doubt}"
        elif not is_signed(entry.to_document()):
            yield f"{name}: its signature does not fit: it was changed"
        if entry.path not in (contents.artifacts or {}):
            yield f"{name}: its artifact is not there"
        if entry.corrects is not None and f"{entry.handle}/{entry.corrects[0]}" not in there:
            yield f"{name}: it corrects {entry.corrects[0]}, which is not there"
        yield from (f"{name}: {reason}" for reason in _figures(entry))
    for notice in contents.notices:
        name = f"{notice.handle}/{notice.file_name}"
        doubt = trust.doubt(notice)
        if doubt is not None:
            yield f"{name}: {doubt}"
        elif not is_signed(notice.to_document()):
            yield f"{name}: its signature does not fit: it was changed"


def _figures(entry: Entry) -> Iterator[str]:
    """A score follows from bytes and accuracy; it may be lower where the canary said so, never higher."""
    expected = quality(entry.accuracy_percent) * halvings(entry.bytes)
    if entry.score > expected + SCORE_TOLERANCE:
        yield f"its score is {entry.score:.3f}, and bytes and accuracy give {expected:.3f}"
    elif entry.score < expected - SCORE_TOLERANCE and not entry.canary:
        yield f"its score is {entry.score:.3f}, bytes and accuracy give {expected:.3f}, and no canary was run"
    if entry.ranked and entry.score <= 0:
        yield "it is ranked without a score"


def wrong_rows(contents: Contents, site: Path, trust: Trust) -> Iterator[str]:
    """Each row of a built site that the entries do not give: its rank, figures and order, worked out anew."""
    path = site / "leaderboard.json"
    try:
        shown = parse_json(path.read_text("utf-8"))
        check(shown, "leaderboard")
    except (OSError, UnicodeDecodeError, EntryError) as problem:
        yield f"{path}: cannot be read: {problem}"
        return
    phase = contents.settings.phase
    if shown["phase"] != phase:
        yield f"{path}: it is of the {shown['phase']} phase, and the board is in the {phase} one: build it again"
        return
    if contents.settings.is_blind:
        return
    marked = any(each["state"] == "unverified" for each in shown["entries"])
    board = assemble(contents, Trust(trust.keys, trust.mark_unverified or marked), datetime.now(UTC))
    expected = {
        group.key: [row_document(board, row) for row in group.rows]
        for section in board.sections
        for group in section.groups
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for g in shown["groups"]:  # a group that is there twice has too many rows
        found.setdefault(f"{g['data']}-{g['split']}-{g['division']}", []).extend(g["rows"])
    for key in sorted({*expected, *found}):
        for row, other in zip_longest(found.get(key, []), expected.get(key, [])):
            if row != other:
                yield f"{path}: {key}: {_said(row)}; the entries give {_said(other)}"
                break  # one row too many moves all below it


def _said(row: dict[str, Any] | None) -> str:
    if row is None:
        return "no such row"
    return (
        f"rank {row['rank']} is {row['handle']} with a score of {row['score']:.3f} and {row['bytes']:,} bytes"
    )

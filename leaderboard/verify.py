"""Whether everything on a board is as it should be: every file, hash, signature and rank.

    for line in problems(read_all(folder), Trust(keys)): print(line)

Whoever has a copy of the entries and knows which keys to trust can run it; nothing is taken on the word of a page.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.board import Trust
from leaderboard.entry import Entry
from leaderboard.ranking import halvings, quality
from leaderboard.signing import is_signed
from leaderboard.store import Contents

SCORE_TOLERANCE = 5e-4  # half of what a page shows


def problems(contents: Contents, trust: Trust) -> Iterator[str]:
    """Each thing that is wrong, as `<file>: <reason>`, in the order of the files."""
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

"""The board for programs: JSON (`leaderboard.schema.json`), CSV, an Atom feed, and the rows for the page's script."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from leaderboard.board import Board
from leaderboard.documents import utc_text
from leaderboard.entry import Entry
from leaderboard.published import published
from leaderboard.ranking import WEIGHT_CLASSES, Group, Row, weight_class
from leaderboard.text import visible

BOARD_SCHEMA = "featherweight/leaderboard/v1"
FEED_ENTRIES = 50
NAMESPACE = uuid.UUID("5f0c3f0e-6d0b-5c0e-9f5e-2d6d1f1c7a10")
COLUMNS = (
    "data", "split", "division", "rank", "shared", "handle", "score", "accuracy_percent", "accuracy_half_width",
    "bytes", "accuracy_per_kib", "weight_class", "attempts", "started", "state", "artifact_sha256", "entry",
)  # fmt: skip


def board_json(board: Board) -> str:
    """Everything on the board, as one document."""
    document: dict[str, Any] = {
        "schema": BOARD_SCHEMA,
        "title": board.settings.title,
        "phase": board.settings.phase,
        "deadline": board.settings.deadline and utc_text(board.settings.deadline),
        "built": utc_text(board.built),
    }
    if board.settings.is_blind:
        received = [
            {"handle": e.handle, "started": utc_text(e.started), "bytes": e.bytes}
            for e in received_order(board)
        ]
        return _dump({**document, "received": received})
    document["groups"] = [
        {
            "data": group.data,
            "split": group.split,
            "division": group.division,
            "images": group.images,
            "rows": [row_document(board, row) for row in group.rows],
            "records": [f"entries/{entry.path}.json" for entry in group.records],
        }
        for section in board.sections
        for group in section.groups
    ]
    document["final"] = _final(board)
    document["baselines"] = [
        {"name": entry.name, **_figures(entry), "entry": f"entries/{entry.path}.json"}
        for entry in board.baselines
    ]
    document["published"] = [
        {
            "name": other.name,
            "year": other.year,
            "bytes": other.bytes,
            "accuracy_percent": other.accuracy_percent,
            "citation": other.citation,
            "url": other.url,
            "measured_here": False,
        }
        for other in published()
    ]
    document["entries"] = [
        {
            "entry": f"entries/{entry.path}.json",
            "handle": entry.handle,
            "kind": entry.kind,
            "state": board.states[entry.path].name,
            "since": utc_text(board.states[entry.path].since),
            "reason": board.states[entry.path].reason,
        }
        for entry in board.entries
    ]
    document["left_out"] = [{"file": file.path, "reason": file.reason} for file in board.refused]
    return _dump(document)


def received_order(board: Board) -> list[Entry]:
    """Entries as the blind phase lists them: newest first."""
    students = [entry for entry in board.entries if entry.kind == "student"]
    return sorted(students, key=lambda entry: (entry.started, entry.path), reverse=True)


def row_document(board: Board, row: Row) -> dict[str, Any]:
    """One row of a table."""
    entry = row.entry
    return {
        "rank": row.rank,
        "shared": row.shared,
        "handle": entry.handle,
        **_figures(entry),
        "accuracy_half_width": round(row.half_width, 4),
        "attempts": row.attempts,
        "started": utc_text(entry.started),
        "state": board.states[entry.path].name,
        "commit": entry.commit,
        "rules_sha256": entry.rules_sha256,
        "entry": f"entries/{entry.path}.json",
    }


def _figures(entry: Entry) -> dict[str, Any]:
    return {
        "score": entry.score,
        "accuracy_percent": entry.accuracy_percent,
        "bytes": entry.bytes,
        "accuracy_per_kib": entry.accuracy_per_kib,
        "weight_class": weight_class(entry.bytes, entry.accuracy_percent) or None,
        "artifact_sha256": entry.artifact_sha256,
    }


def _final(board: Board) -> dict[str, Any] | None:
    if board.final is None:
        return None
    return {
        "key": board.final.key,
        "key_sha256": board.final.key_sha256,
        "images": board.final.images,
        "n_images": board.final.n_images,
        "groups": [
            {
                "division": up.group.division,
                "rows": [
                    {
                        "rank_before": move.before,
                        "rank_after": move.after,
                        "handle": move.frozen.handle,
                        "bytes": move.frozen.bytes,
                        "score_before": move.frozen.score,
                        "score_after": move.row.entry.score,
                        "accuracy_percent_before": move.frozen.accuracy_percent,
                        "accuracy_percent_after": move.row.entry.accuracy_percent,
                        "entry": f"entries/{move.frozen.path}.json",
                    }
                    for move in up.moves
                ],
                "not_measured": [row.entry.handle for row in up.missing],
            }
            for section in board.sections
            for up in section.shake_ups
        ],
    }


def board_csv(board: Board) -> str:
    """Every ranked row, one a line. No field begins with what a spreadsheet takes for a formula."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for group in [] if board.settings.is_blind else all_groups(board):
        named = {"data": group.data, "split": group.split, "division": group.division}
        writer.writerows({**named, **row_document(board, row)} for row in group.rows)
    return text.getvalue()


def all_groups(board: Board) -> Iterable[Group]:
    """The groups of all sections, in order."""
    return (group for section in board.sections for group in section.groups)


def feed(board: Board) -> str:
    """An Atom feed of what was posted last. Ids follow from the content, so that no reader shows an entry twice."""
    entries = received_order(board)[:FEED_ENTRIES]
    title = board.settings.title or "Featherweight leaderboard"
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<title>{_plain(title)}</title>",
        f"<id>urn:uuid:{uuid.uuid5(NAMESPACE, title)}</id>",
        f"<updated>{utc_text(max((entry.started for entry in entries), default=board.built))}</updated>",
        "<author><name>Featherweight</name></author>",
        '<link rel="self" type="application/atom+xml" href="feed.xml"/>',
        '<link rel="alternate" type="text/html" href="index.html"/>',
    ]
    for entry in entries:
        said = f"{entry.bytes:,} bytes received"
        target = "index.html"
        if not board.settings.is_blind:
            state = board.states[entry.path]
            said = f"{entry.bytes:,} bytes at {entry.accuracy_percent:.2f} %: score {entry.score:.3f} ({state.name})"
            target = f"entries/{entry.path}.html"
        lines += [
            "<entry>",
            f"<title>{_plain(entry.handle)}: {_plain(said)}</title>",
            f"<id>urn:uuid:{uuid.uuid5(NAMESPACE, f'{entry.path} {entry.artifact_sha256}')}</id>",
            f"<updated>{utc_text(entry.started)}</updated>",
            f"<link href={quoteattr(target)}/>",
            f"<summary>{_plain(said)}</summary>",
            "</entry>",
        ]
    return "\n".join([*lines, "</feed>", ""])


def _plain(text: str) -> str:
    return escape(visible(text))


def rows_script(board: Board) -> str:
    """All rows for the page's script, short: what it sorts, filters and turns pages of."""
    classes = [name for _, name in WEIGHT_CLASSES]
    groups = {}
    for group in all_groups(board):
        groups[group.key] = [
            [
                row.rank,
                int(row.shared),
                row.entry.handle,
                row.entry.score,
                row.entry.accuracy_percent,
                row.half_width,
                row.entry.bytes,
                row.entry.accuracy_per_kib,
                classes.index(row.weight_class) if row.weight_class else -1,
                row.attempts,
                f"{row.entry.started:%Y-%m-%dT%H:%M:%SZ}",
                board.states[row.entry.path].name,
                row.entry.path.split("/")[1],
                [visible(flag) for flag in row.entry.flags],
            ]
            for row in group.rows
        ]
    data = json.dumps({"classes": classes, "groups": groups}, separators=(",", ":"), ensure_ascii=True)
    return f"var FeatherweightRows = {data};\n"


def _dump(document: object) -> str:
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"

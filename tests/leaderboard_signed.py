"""A board that trusts one key, for the leaderboard's tests, and entries that are signed with it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leaderboard_records import GOLDEN, bits, entry

from leaderboard import store
from leaderboard.board import Board, Trust, assemble
from leaderboard.entry import Entry
from leaderboard.notice import Notice
from leaderboard.ranking import halvings, quality
from leaderboard.signing import (
    public_key,
    read_key,
)

KEY = read_key("22" * 32, "a key")
STRANGER = read_key("33" * 32, "another key")
TRUST = Trust(frozenset({public_key(KEY)}))
NOW = datetime(2026, 4, 1, tzinfo=UTC)


def board_of(
    *entries: Entry, notices: tuple[Notice, ...] = (), trust: Trust = TRUST, **settings: Any
) -> Board:
    contents = store.Contents(entries, notices, {}, (), replace(store.DEFAULTS, **settings))
    return assemble(contents, trust, NOW)


def post_signed(folder: Path, **competition: Any) -> Entry:
    artifact = GOLDEN.read_bytes()
    figures = {
        "bytes": len(artifact),
        "artifact_sha256": hashlib.sha256(artifact).hexdigest(),
        **bits(range(400)),
    }
    figures["score"] = quality(92.0) * halvings(len(artifact))
    made = entry("ann", **{**figures, **competition}).signed(KEY)
    store.post(made, artifact, folder)
    return made

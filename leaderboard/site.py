"""The static site: every entry in, one folder out, complete or not at all.

    build(Path("leaderboard/entries"), Path("leaderboard/site"), Trust(keys), datetime.now(UTC))

The site needs no server and nothing from outside; it opens from disk. Its text is a pure function of the entries,
the keys that are trusted and the time given. It also holds a copy of every entry and its artifact, so that each
row can be checked.
"""

from __future__ import annotations

import secrets
import shutil
from datetime import datetime
from pathlib import Path

from leaderboard.board import Board, Trust, assemble
from leaderboard.documents import EntryError
from leaderboard.feeds import board_csv, board_json, feed, rows_script
from leaderboard.final import Final
from leaderboard.pages import TEMPLATES, pages
from leaderboard.store import read_all

PACKAGE = Path(__file__).parent
MARK = ".featherweight-site"  # says that a folder is ours to replace
OWN_NAMES = {
    *(MARK, "index.html", "frozen.html", "about.html", "board", "handles", "entries", "rows.js", "feed.xml"),
    *(
        "leaderboard.json",
        "leaderboard.csv",
        "style.css",
        "board.js",
        "draw.js",
        "decoder.js",
        "leaderboard.schema.json",
    ),
}
ASSETS = (
    TEMPLATES / "style.css",
    TEMPLATES / "board.js",
    TEMPLATES / "draw.js",
    PACKAGE / "decoder.js",
    PACKAGE / "leaderboard.schema.json",
)


def build(entries: Path, out: Path, trust: Trust, built: datetime, final: Final | None = None) -> Board:
    """Write the site made from the folder `entries` to `out`, replacing an earlier site there.

    Args:
        built: when, in UTC: the pages say so.
        final: the final measurement, if there has been one.

    Returns:
        the board that is shown; its `refused` are the files that were left out (the page lists these, too).

    Raises:
        EntryError: `out` holds something else than a site, or overlaps the entries.
        OSError: it cannot be written.
    """
    out = out.resolve()
    _check_destination(out, entries.resolve())
    board = assemble(read_all(entries), trust, built, final)
    out.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(8)
    new = out.with_name(f".{out.name}.new-{token}")
    try:
        _write(new, board)
        _swap(new, out, out.with_name(f".{out.name}.old-{token}"))
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return board


def _check_destination(out: Path, entries: Path) -> None:
    if out == entries or entries.is_relative_to(out) or out.is_relative_to(entries):
        raise EntryError(f"the site cannot go to {out}: the entries are there")
    if not out.exists():
        return
    if not out.is_dir():
        raise EntryError(f"the site cannot go to {out}: that is a file")
    names = {path.name for path in out.iterdir()}
    if names and (MARK not in names or not names <= OWN_NAMES):
        raise EntryError(
            f"the site cannot go to {out}: that folder holds something else than a leaderboard site"
        )


def _write(folder: Path, board: Board) -> None:
    def put(name: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")

    put(MARK, "Made by python -m leaderboard build; replaced as a whole by the next one.\n")
    for name, text in pages(board):
        put(name, text)
    put("leaderboard.json", board_json(board))
    put("leaderboard.csv", board_csv(board))
    put("feed.xml", feed(board))
    for asset in ASSETS:
        shutil.copyfile(asset, folder / asset.name)
    if board.settings.is_blind:
        return  # entries have their scores in them
    put("rows.js", rows_script(board))
    for entry in board.entries:
        put(f"entries/{entry.path}.json", entry.to_json())
        if entry.path in board.artifacts:
            (folder / f"entries/{entry.path}.fw").write_bytes(board.artifacts[entry.path])
    for notice in board.notices:
        put(f"entries/{notice.handle}/{notice.file_name}", notice.to_json())


def _swap(new: Path, out: Path, old: Path) -> None:
    """Put `new` in the place of `out` by renaming; if that fails half-way, `out` comes back as it was."""
    if not out.exists():
        new.rename(out)
        return
    out.rename(old)
    try:
        new.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)

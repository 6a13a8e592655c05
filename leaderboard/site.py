"""The static site: every entry in, one folder out, complete or not at all.

    build(Path("leaderboard/entries"), Path("leaderboard/site"))

The page needs no server, no script and nothing from outside; it opens from disk. Its text is a pure function
of the entries. The folder also holds a copy of every entry, so that each row can be checked.
"""

from __future__ import annotations

import secrets
import shutil
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from leaderboard import ranking
from leaderboard.entry import Entry, EntryError
from leaderboard.plot import pareto_svg
from leaderboard.published import published
from leaderboard.store import Refused, read_all

TEMPLATES = Path(__file__).with_name("templates")
MARK = ".featherweight-site"  # says that a folder is ours to replace
OWN_NAMES = {MARK, "index.html", "entries"}


def build(entries_dir: Path, out: Path, built: datetime | None = None) -> tuple[list[Entry], list[Refused]]:
    """Write the site made from `entries_dir` to `out`, replacing an earlier site there.

    Args:
        built: when, in UTC, if the page should say so; without it the same entries give the same bytes.

    Returns:
        the entries shown, and the files that are no entries (the page lists these too).

    Raises:
        EntryError: `out` holds something else than a site, or overlaps the entries.
        OSError: it cannot be written.
    """
    out = out.resolve()
    _check_destination(out, entries_dir.resolve())
    entries, refused = read_all(entries_dir)
    out.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(8)
    new = out.with_name(f".{out.name}.new-{token}")
    try:
        _write(new, entries, render(entries, refused, built))
        _swap(new, out, out.with_name(f".{out.name}.old-{token}"))
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return entries, refused


def render(entries: Sequence[Entry], refused: Sequence[Refused] = (), built: datetime | None = None) -> str:
    """The page as HTML text."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    environment.globals.update(
        interval=ranking.accuracy_interval, weight_class=ranking.weight_class, test_images=ranking.TEST_IMAGES
    )
    return environment.get_template("page.html.j2").render(
        boards=[_board(part) for part in _comparable(ranking.groups(entries))],
        unranked=ranking.unranked(entries),
        published=published(),
        refused=refused,
        entries=entries,
        handles={entry.handle for entry in entries},
        built=built,
        style=Markup((TEMPLATES / "style.css").read_text("utf-8")),
        feather=Markup((TEMPLATES / "feather.svg").read_text("utf-8").strip()),
    )


def visible(text: str) -> str:
    """Write control and direction-changing characters as escapes: hostile text is shown, not obeyed."""
    return "".join(
        character
        if unicodedata.category(character)[0] != "C"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def _comparable(groups: list[ranking.Group]) -> list[list[ranking.Group]]:
    """Groups that share a plot: the same data and split, one for each division."""
    return [list(part) for _, part in groupby(groups, key=lambda group: (group.data, group.split))]


def _board(groups: list[ranking.Group]) -> dict[str, Any]:
    rules = sorted({entry.rules_sha256 for group in groups for entry in group.entries})
    return {
        "data": groups[0].data,
        "split": groups[0].split,
        "test_images": groups[0].test_images,
        "groups": groups,
        "rules": rules,
        "has_earlier": any(len(group.rows) < len(group.entries) for group in groups),
        "plots": [
            ("wide", Markup(pareto_svg(groups, narrow=False))),
            ("narrow", Markup(pareto_svg(groups, narrow=True))),
        ],
    }


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


def _write(folder: Path, entries: Sequence[Entry], page: str) -> None:
    folder.mkdir()
    (folder / MARK).write_text(
        "Made by python -m leaderboard build; replaced as a whole by the next one.\n", "utf-8"
    )
    (folder / "index.html").write_text(page, "utf-8", newline="\n")
    for entry in entries:
        path = folder / "entries" / entry.handle / entry.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(entry.to_json(), "utf-8", newline="\n")


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

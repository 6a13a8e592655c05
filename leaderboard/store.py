"""Entry files on disk: `entries/<handle>/<utc>-<sha7>.json`, one a result, written once, never changed.

    path, is_new = post(entry, Path("leaderboard/entries"))
    entries, refused = read_all(Path("leaderboard/entries"))

A file appears whole or not at all, whatever happens to the process that writes it.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from leaderboard.entry import Entry, EntryError

MAX_ENTRY_BYTES = 128 * 1024


@dataclass(frozen=True)
class Refused:
    """A file among the entries that is none, and why. Listed on the page: nothing vanishes silently."""

    path: str  # relative to the folder of entries
    reason: str


def post(entry: Entry, entries: Path) -> tuple[Path, bool]:
    """Write the entry's file, unless it is there already.

    Returns:
        the file's path, and whether it is new: the same record posted twice is one entry.

    Raises:
        EntryError: the record is posted under another handle, or the file's name is taken by other content.
        OSError: the folder cannot be written.
    """
    path = entries / entry.handle / entry.file_name
    text = entry.to_json()
    for other in sorted(entries.glob(f"*/{entry.file_name}")):
        if other.parent.name == entry.handle:
            return _existing(other, text), False
        if _same_but_for_handle(other, entry):
            raise EntryError(
                f"this record is already posted as {other.parent.name}: remove {other} to post it anew"
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    if _write_once(path, text):
        return path, True
    return _existing(path, text), False


def read_all(entries: Path) -> tuple[list[Entry], list[Refused]]:
    """Read every `<handle>/<file>.json`, in the order of their paths. A missing folder holds no entries."""
    read: list[Entry] = []
    refused: list[Refused] = []
    for path in sorted(entries.glob("*/*.json")):
        relative = path.relative_to(entries)
        if any(part.startswith(".") for part in relative.parts):
            continue  # a file still being written, or a folder of version control
        try:
            read.append(_read(path))
        except (EntryError, OSError) as problem:
            reason = problem.strerror or "unreadable" if isinstance(problem, OSError) else str(problem)
            refused.append(Refused(relative.as_posix(), reason))
    return read, refused


def _read(path: Path) -> Entry:
    if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
        raise EntryError("not a regular file")
    with path.open("rb") as file:
        data = file.read(MAX_ENTRY_BYTES + 1)
    if len(data) > MAX_ENTRY_BYTES:
        raise EntryError(f"larger than {MAX_ENTRY_BYTES:,} bytes")
    try:
        entry = Entry.from_json(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise EntryError("not UTF-8 text") from None
    if (path.parent.name, path.name) != (entry.handle, entry.file_name):
        raise EntryError(f"its content belongs in {entry.handle}/{entry.file_name}")
    return entry


def _existing(path: Path, text: str) -> Path:
    if path.read_text("utf-8") != text:
        raise EntryError(f"{path} already holds a different entry; entries are never changed")
    return path


def _same_but_for_handle(path: Path, entry: Entry) -> bool:
    try:
        other = _read(path)
    except (EntryError, OSError):
        return False
    return (other.started, other.artifact_sha256, other.submission_sha256) == (
        entry.started,
        entry.artifact_sha256,
        entry.submission_sha256,
    )


def _write_once(path: Path, text: str) -> bool:
    """Make `path` with this text in one step. False, with nothing changed, if somebody else was first."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # unlike a rename, never replaces a file
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            if path.exists():
                return False
            os.replace(temporary, path)
        return True
    finally:
        temporary.unlink(missing_ok=True)

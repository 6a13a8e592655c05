"""Entries on disk: written once, never changed.

    entries/board.toml                              the board's settings, if there are any
    entries/<handle>/<utc>-<sha7>.json              an entry
    entries/<handle>/<utc>-<sha7>.fw                the packed model that it measured
    entries/<handle>/<utc>-<sha7>-<action>.json     a notice about an entry

    contents = read_all(Path("leaderboard/entries"))
    path, is_new = post(entry, artifact, Path("leaderboard/entries"))

A file appears whole or not at all, whatever happens to the process that writes it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from leaderboard.documents import EntryError, parse_json
from leaderboard.entry import Entry
from leaderboard.handles import why_not
from leaderboard.notice import NOTICE_SCHEMA, Notice
from leaderboard.settings import DEFAULTS, FILE_NAME, Settings
from leaderboard.signing import is_signed

MAX_ENTRY_BYTES = 512 * 1024  # the anatomy of as many layers as the format lets a model have takes 180 KB
MAX_ARTIFACT_BYTES = 2 * 1024 * 1024  # the shared model uncompressed is less than half of it


@dataclass(frozen=True)
class Refused:
    """A file among the entries that is none, and why. Listed on the page: nothing vanishes silently."""

    path: str  # relative to the folder of entries
    reason: str


@dataclass(frozen=True)
class Contents:
    """All that a folder of entries holds."""

    entries: tuple[Entry, ...]
    notices: tuple[Notice, ...] = ()
    artifacts: Mapping[str, bytes] | None = None  # by Entry.path; each has the hash that its entry names
    refused: tuple[Refused, ...] = ()
    settings: Settings = DEFAULTS


def read_all(folder: Path) -> Contents:
    """Read everything, in the order of the paths. A missing folder holds no entries.

    Raises EntryError for settings that cannot be read: they decide what may be shown.
    """
    files = {}
    for path in sorted(folder.glob("*/*")):
        relative = path.relative_to(folder)
        if not any(part.startswith(".") for part in relative.parts):  # still being written, or a `.git`
            files[relative.as_posix()] = path
    settings = Settings.read(folder / FILE_NAME)
    return _sorted_out(files, settings)


def _sorted_out(files: Mapping[str, Path], settings: Settings) -> Contents:
    entries: list[Entry] = []
    notices: list[Notice] = []
    artifacts: dict[str, bytes] = {}
    refused: list[Refused] = []
    for name, path in files.items():
        if not name.endswith(".json"):
            continue
        try:
            found = parse(name, _bytes(path, MAX_ENTRY_BYTES))
            if isinstance(found, Notice):
                notices.append(found)
                continue
            entries.append(found)
        except (EntryError, OSError) as problem:
            refused.append(Refused(name, _reason(problem)))
            continue
        artifact = files.get(f"{found.path}.fw")
        if artifact is not None:
            try:
                artifacts[found.path] = _checked(_bytes(artifact, MAX_ARTIFACT_BYTES), found)
            except (EntryError, OSError) as problem:
                refused.append(Refused(f"{found.path}.fw", _reason(problem)))
    known = {entry.path + ".json" for entry in entries}
    for notice in notices:
        if f"{notice.handle}/{notice.entry}" not in known:
            refused.append(
                Refused(f"{notice.handle}/{notice.file_name}", "it is about an entry that is not here")
            )
    return Contents(tuple(entries), tuple(notices), artifacts, tuple(refused), settings)


def post(entry: Entry, artifact: bytes | None, folder: Path) -> tuple[Path, bool]:
    """Write the entry's files, unless they are there already.

    Args:
        artifact: the packed model that was scored, if it is at hand.

    Returns:
        the entry file's path, and whether it is new: the same record posted twice is one entry.

    Raises:
        EntryError: the handle is another's or looks like it, the record is posted under another handle, the
            artifact is not the one that was measured, or the file's name is taken by other content.
        OSError: the folder cannot be written.
    """
    files = files_of(entry, artifact)
    path = folder / f"{entry.path}.json"
    if is_posted(entry, Shelf.of_folder(folder), Settings.read(folder / FILE_NAME)):
        return path, False
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        if not _write_once(folder / name, data) and (folder / name).read_bytes() != data:
            raise EntryError(f"{folder / name} already holds something else; entries are never changed")
    return path, True


@dataclass(frozen=True)
class Shelf:
    """Files below `entries/`, by name, wherever they are kept: what posting looks at before it adds to them."""

    names: frozenset[str]  # of entries, notices and artifacts
    read: Callable[[str], bytes]

    @classmethod
    def of_folder(cls, folder: Path) -> Shelf:
        names = (path.relative_to(folder).as_posix() for path in folder.glob("[!.]*/[!.]*"))
        return cls(frozenset(names), lambda name: _bytes(folder / name, MAX_ARTIFACT_BYTES))

    def entry(self, name: str) -> Entry | None:
        """The entry of that name, if it is one."""
        found = self._found(name)
        return found if isinstance(found, Entry) else None

    def notice(self, name: str) -> Notice | None:
        """The notice of that name, if it is one and as it was signed."""
        found = self._found(name)
        if not isinstance(found, Notice) or (found.signature and not is_signed(found.to_document())):
            return None
        return found

    def _found(self, name: str) -> Entry | Notice | None:
        try:
            return parse(name, self.read(name))
        except (EntryError, OSError):
            return None

    def handles(self, own: str) -> dict[str, str]:
        """Every handle with its kind. Only `own`'s is looked up: the others' do not matter to it."""
        kinds = {name.split("/")[0]: "student" for name in sorted(self.names)}
        mine = (self.entry(name) for name in sorted(self.names) if name.startswith(f"{own}/"))
        first = next(filter(None, mine), None)
        if own in kinds and first is None:
            del kinds[own]
        elif first is not None:
            kinds[own] = first.kind
        return kinds


def files_of(entry: Entry, artifact: bytes | None) -> dict[str, bytes]:
    """The files of an entry, the JSON last, by their names below `entries/`. Raises EntryError."""
    files = {} if artifact is None else {f"{entry.path}.fw": _checked(artifact, entry)}
    text = entry.to_json().encode("ascii")
    if len(text) > MAX_ENTRY_BYTES:
        raise EntryError(f"the entry is larger than {MAX_ENTRY_BYTES:,} bytes, and could not be read again")
    return {**files, f"{entry.path}.json": text}


def is_posted(entry: Entry, shelf: Shelf, settings: Settings = DEFAULTS) -> bool:
    """Whether this very entry is there. Raises EntryError where it may not be added."""
    for name in sorted(name for name in shelf.names if name.endswith(f"/{entry.file_name}")):
        if name == f"{entry.path}.json":
            if not _same(shelf.entry(name), entry):
                raise EntryError(f"{name} already holds a different entry; entries are never changed")
            return True
        other = shelf.entry(name)
        if other is not None and other.submission_sha256 == entry.submission_sha256:
            raise EntryError(f"this record is already posted as {other.handle}")
    obstacle = why_not(entry.handle, entry.kind, shelf.handles(entry.handle))
    if obstacle is not None:
        raise EntryError(f"{entry.handle} {obstacle}: choose another handle")
    if entry.corrects is not None and f"{entry.handle}/{entry.corrects[0]}" not in shelf.names:
        raise EntryError(f"there is no entry {entry.handle}/{entry.corrects[0]} to correct")
    check_attempts(entry, shelf, settings)
    return False


def check_attempts(entry: Entry, shelf: Shelf, settings: Settings) -> None:
    """Raise EntryError where the handle has had its attempts of the day that this run was graded on.

    A run in which the grader failed leaves nothing to post and so is none; a correction is none either.
    """
    most = settings.attempts_a_day
    if most is None or entry.kind != "student" or entry.corrects is not None:
        return
    start = f"{entry.handle}/{entry.started:%Y%m%d}T"
    found = (shelf.entry(name) for name in shelf.names if name.startswith(start) and name.endswith(".json"))
    if sum(each is not None and each.corrects is None for each in found) >= most:
        raise EntryError(
            f"{entry.handle} has posted {most} of {most} entries of {entry.started:%Y-%m-%d} (UTC): the next one "
            "counts tomorrow"
        )


def _same(one: Entry | None, other: Entry) -> bool:
    """Whether two entries say the same, whoever signed them."""
    if one is None:
        return False
    return replace(one, signature=None, anatomy_json=None) == replace(
        other, signature=None, anatomy_json=None
    )


def post_notice(notice: Notice, folder: Path) -> Path:
    """Write a notice beside its entry. Raises EntryError where there is no such entry."""
    check_notice(notice, Shelf.of_folder(folder))
    path = folder / notice.handle / notice.file_name
    _write_once(path, notice.to_json().encode("ascii"))
    return path


def check_notice(notice: Notice, shelf: Shelf) -> None:
    """Raise EntryError unless the notice is about an entry that is there, and is to be its newest.

    Only notices with the same key are looked at: those of others may not count.
    """
    if shelf.entry(f"{notice.handle}/{notice.entry}") is None:
        raise EntryError(f"there is no entry {notice.handle}/{notice.entry}")
    own, digits = f"{notice.handle}/", f"-{notice.entry[17:24]}-"
    for name in sorted(name for name in shelf.names if name.startswith(own) and digits in name):
        other = shelf.notice(name)
        if other is None or other.entry != notice.entry or other.at <= notice.at:
            continue
        if (other.signature or [None])[0] == (notice.signature or [None])[0]:
            raise EntryError(
                f"{name} is of a later time, and the newest notice counts: is the clock right, here and where that "
                "one was made?"
            )


def read_artifact(path: Path) -> bytes | None:
    """The packed model in that file, or None where there is none, or one that is too large to be kept."""
    if not path.is_file() or path.stat().st_size > MAX_ARTIFACT_BYTES:
        return None
    return _bytes(path, MAX_ARTIFACT_BYTES)


def _checked(artifact: bytes, entry: Entry) -> bytes:
    if hashlib.sha256(artifact).hexdigest() != entry.artifact_sha256:
        raise EntryError("the artifact is not the one that was measured: its SHA-256 is another")
    if len(artifact) != entry.bytes:
        raise EntryError(f"the artifact has {len(artifact):,} bytes, and the record says {entry.bytes:,}")
    return artifact


def parse(name: str, data: bytes) -> Entry | Notice:
    """Read a file of that name below `entries/`. Raises EntryError where it is none, or belongs elsewhere."""
    if len(data) > MAX_ENTRY_BYTES:
        raise EntryError(f"larger than {MAX_ENTRY_BYTES:,} bytes")
    try:
        document = parse_json(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise EntryError("not UTF-8 text") from None
    is_notice = isinstance(document, dict) and document.get("schema") == NOTICE_SCHEMA
    found = Notice.from_document(document) if is_notice else Entry.from_document(document)
    if name != f"{found.handle}/{found.file_name}":
        raise EntryError(f"its content belongs in {found.handle}/{found.file_name}")
    return found


def _bytes(path: Path, most: int) -> bytes:
    if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
        raise EntryError("not a regular file")
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise EntryError(f"larger than {most:,} bytes")
    return data


def _reason(problem: EntryError | OSError) -> str:
    return problem.strerror or "unreadable" if isinstance(problem, OSError) else str(problem)


def _write_once(path: Path, data: bytes) -> bool:
    """Make `path` with these bytes in one step. False, with nothing changed, if it is there."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
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


def newest(notices: Iterable[Notice]) -> dict[str, Notice]:
    """The notice that counts for each entry, by `<handle>/<entry's file name>`."""
    ordered = sorted(notices, key=lambda notice: (notice.at, notice.file_name))
    return {f"{notice.handle}/{notice.entry}": notice for notice in ordered}

"""From a result's folder to an entry on the board: read, check, sign, and put it where it belongs.

place = Place(folder=Path("leaderboard/entries"))
place.post([prepare(Path("results/ann/result.json"), "quiet-heron")])
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from leaderboard.documents import EntryError, parse_json
from leaderboard.entry import Entry
from leaderboard.notice import Notice
from leaderboard.repository import push
from leaderboard.settings import FILE_NAME, Settings
from leaderboard.signing import Key
from leaderboard.store import Shelf, check_notice, files_of, is_posted, post, post_notice, read_artifact

MAX_RECORD_BYTES = 16 * 1024 * 1024
ARTIFACT = "model.fw"  # beside result.json


@dataclass(frozen=True)
class Prepared:
    """An entry that is ready to be posted, with its artifact if that was at hand."""

    entry: Entry
    artifact: bytes | None


@dataclass(frozen=True)
class Posted:
    """One that was posted; `is_new` is False where it had been there already."""

    entry: Entry
    is_new: bool
    settings: Settings

    def __str__(self) -> str:
        """What the poster may know: in the blind phase, no score."""
        if self.settings.is_blind:
            return f"received, valid, {self.entry.bytes:,} bytes: {self.entry.path}.json"
        standing = f"score {self.entry.score:.3f}" if self.entry.ranked else "not ranked"
        return (
            f"{'posted' if self.is_new else 'already posted'} as {self.entry.handle} ({standing}, "
            f"{self.entry.bytes:,} bytes, {self.entry.accuracy_percent:.2f} %): {self.entry.path}.json"
        )


@dataclass(frozen=True)
class Place:
    """Where entries are kept: a folder, or a branch of a Git repository."""

    folder: Path | None = None
    repo: str | None = None
    branch: str = "leaderboard"

    def post(self, prepared: Sequence[Prepared], refused: list[str] | None = None) -> list[Posted]:
        """Post all of them; to a repository, in one commit. Raises EntryError and OSError.

        Args:
            refused: where it is given, an entry that may not be posted gets a sentence there and stops no other.
        """
        if self.folder is not None:
            settings = Settings.read(self.folder / FILE_NAME)
            done: list[Posted] = []
            for one in prepared:
                with _refusing(one, refused):
                    done.append(Posted(one.entry, post(one.entry, one.artifact, self.folder)[1], settings))
            return done
        posted: list[Posted] = []
        before = [] if refused is None else list(refused)

        def add(shelf: Shelf, settings: Settings) -> Mapping[str, bytes]:
            posted.clear()
            if refused is not None:
                refused[:] = before
            files: dict[str, bytes] = {}
            for one in prepared:
                known = Shelf(
                    shelf.names | set(files), lambda name: files[name] if name in files else shelf.read(name)
                )
                with _refusing(one, refused):
                    is_new = not is_posted(one.entry, known, settings)
                    if is_new:
                        files.update(files_of(one.entry, one.artifact))
                    posted.append(Posted(one.entry, is_new, settings))
            return files

        handles = sorted({one.entry.handle for one in prepared})
        push(self._url, self.branch, add, f"Entries of {', '.join(handles)}\n")
        return posted

    def post_notice(self, notice: Notice) -> None:
        """Post a notice about an entry that is there. Raises EntryError and OSError."""
        if self.folder is not None:
            post_notice(notice, self.folder)
            return

        def add(shelf: Shelf, settings: Settings) -> Mapping[str, bytes]:
            check_notice(notice, shelf)
            name = f"{notice.handle}/{notice.file_name}"
            return {} if name in shelf.names else {name: notice.to_json().encode("ascii")}

        push(self._url, self.branch, add, f"Notice about {notice.handle}/{notice.entry}\n")

    @property
    def _url(self) -> str:
        assert self.repo is not None
        return self.repo


@contextmanager
def _refusing(one: Prepared, refused: list[str] | None) -> Iterator[None]:
    try:
        yield
    except EntryError as problem:
        if refused is None:
            raise
        refused.append(f"{one.entry.handle}: {problem}")


def prepare(
    result: Path,
    handle: str | None,
    *,
    baseline: str | None = None,
    corrects: tuple[str, str] | None = None,
    key: Key | None = None,
) -> Prepared:
    """Read a result and the artifact beside it, and make the entry of them; signed, if there is a key.

    Raises EntryError, naming the file.
    """
    from leaderboard.anatomy import anatomy_of  # the grader's small machines need NumPy only here

    try:
        record = read_record(result)
        artifact = read_artifact(result.with_name(ARTIFACT))
        if baseline is not None and handle is None:
            handle = slug(baseline)
        anatomy = None if artifact is None else anatomy_of(artifact)
        entry = Entry.from_record(record, handle, baseline=baseline, anatomy=anatomy, corrects=corrects)
        files_of(entry, artifact)  # that the artifact is the one measured is better known before than after
    except EntryError as problem:
        raise EntryError(f"{result}: {problem}") from None
    return Prepared(entry if key is None else entry.signed(key), artifact)


def submission_of(result: Path) -> str:
    """The name of the submission in a record: private, it never gets into an entry. Raises EntryError."""
    record = read_record(result)
    submission = record.get("submission") if isinstance(record, dict) else None
    name = submission.get("id") if isinstance(submission, dict) else None
    if not isinstance(name, str):
        raise EntryError(f"{result}: this is no valid result record: submission.id is missing")
    return name


def read_record(path: Path) -> object:
    """Parse a result record. Raises EntryError."""
    if path.is_dir():
        raise EntryError("this is a folder; name the result.json in it")
    if not path.is_file():
        raise EntryError("there is no such file")
    with path.open("rb") as file:
        data = file.read(MAX_RECORD_BYTES + 1)
    if len(data) > MAX_RECORD_BYTES:
        raise EntryError(f"larger than {MAX_RECORD_BYTES:,} bytes, which no result record is")
    try:
        return parse_json(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise EntryError("this is not UTF-8 text") from None


def slug(name: str) -> str:
    """A baseline's name as a handle.

    >>> slug("8 bits, per tensor")
    '8-bits-per-tensor'
    """
    words = re.findall(r"[a-z0-9]+", name.lower())
    return "-".join(words)[:32].strip("-")

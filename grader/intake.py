"""From what the user names to the one file that is graded; nothing else of a submission is opened.

A submission comes as a `compression.py`, as a folder that holds `assignment/compression.py`, or as a
zip of either. Links are not followed and nothing but a regular file is read: a link could name the
solution, a FIFO would never end.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from grader import UnusableError

WANTED = PurePosixPath("assignment/compression.py")
LARGEST_SOURCE = 1 * 2**20
LARGEST_ZIP = 512 * 2**20
MOST_MEMBERS = 100_000
LARGEST_DIRECTORY = 16 * 2**20
"""Of a zip's own list of members, which is read whole and takes ten times as much memory."""


@dataclass(frozen=True)
class Source:
    """The one file taken: its bytes, and how to speak of it.

    id: the name of the folder or zip that it came in, or its own where that is not compression.py; fit for a
        file name.
    content: all of it, or its first megabyte and a byte where it is `too_large`.
    """

    id: str
    source: str
    content: bytes
    sha256: str
    size_bytes: int

    @property
    def too_large(self) -> bool:
        return self.size_bytes > LARGEST_SOURCE


def take(path: Path) -> Source:
    """The submission at `path`. Raises UnusableError with one sentence where there is none."""
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError) as error:
        raise UnusableError(f"there is nothing at {path}") from error
    if stat.S_ISLNK(mode):
        raise UnusableError(f"{path} is a link: name the file or folder itself")
    if stat.S_ISDIR(mode):
        return from_folder(path)
    if not stat.S_ISREG(mode):
        raise UnusableError(f"{path} is neither a file nor a folder")
    if path.suffix.lower() == ".zip":
        return from_zip(path)
    if path.suffix.lower() != ".py":
        raise UnusableError(f"{path} is not a compression.py, a folder that holds one, or a zip")
    name = path.stem if path.name != WANTED.name else named_after(Path(os.path.abspath(path)).parent)
    return source_from(name, path, *read_regular(path))


def from_folder(path: Path) -> Source:
    if is_link(path / WANTED.parent):
        raise UnusableError(f"{path / WANTED.parent} is a link: the folder itself is needed")
    file = path / WANTED
    try:
        os.lstat(file)
    except (FileNotFoundError, NotADirectoryError) as error:
        hint = f" (grade {path / WANTED.name} itself?)" if (path / WANTED.name).is_file() else ""
        raise UnusableError(f"{path} holds no {WANTED}{hint}") from error
    except OSError as error:
        raise UnusableError(f"{file} cannot be read ({error.strerror})") from error
    return source_from(named_after(Path(os.path.abspath(path))), path, *read_regular(file))


def file_within(path: Path) -> Path:
    """What is graded of a submission at `path`: of a folder its one file, else (a file, a zip) the path itself."""
    return path / WANTED if path.is_dir() else path


def named_after(folder: Path) -> str:
    """The submission's name: its folder's, or the folder's above where that is just `assignment`."""
    return (folder.parent if folder.name == WANTED.parent.name else folder).name


def is_link(path: Path) -> bool:
    return os.path.islink(path)


def read_regular(path: Path) -> tuple[bytes, str, int]:
    """A regular file's first bytes, the SHA-256 of all of it, and its size; never waits on a FIFO."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        what = "is a link" if is_link(path) else f"cannot be read ({error.strerror})"
        raise UnusableError(f"{path} {what}: a regular file is needed") from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise UnusableError(f"{path} is {what}: a regular file is needed")
    with os.fdopen(descriptor, "rb") as file:
        return read_limited(file)


def read_limited(file: IO[bytes]) -> tuple[bytes, str, int]:
    content, digest, size = b"", hashlib.sha256(), 0
    while chunk := file.read(2**16):
        size += len(chunk)
        digest.update(chunk)
        if len(content) <= LARGEST_SOURCE:
            content += chunk
        if size > LARGEST_ZIP:
            raise UnusableError(f"the file is larger than {LARGEST_ZIP // 2**20} MiB")
    return content[: LARGEST_SOURCE + 1], digest.hexdigest(), size


def from_zip(path: Path) -> Source:
    """The `assignment/compression.py` of a zip, at its top or in one folder (as GitHub packs them)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if directory_bytes(file) > LARGEST_DIRECTORY:
                raise UnusableError(f"{path} holds far too many files: zip {WANTED} alone")
            with zipfile.ZipFile(file) as archive:
                member = wanted_member(path, archive.infolist())
                with archive.open(member) as content:
                    return source_from(path.stem, path, *read_limited(content))
    except BROKEN_ZIP as error:
        raise UnusableError(f"{path} is a broken zip ({error})") from error
    except RuntimeError as error:  # what zipfile raises for a member with a password
        raise UnusableError(f"{path} cannot be unpacked ({error})") from error


BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    MemoryError,
)
"""What `zipfile` raises for bytes that are no zip, or no longer."""


def directory_bytes(file: IO[bytes]) -> int:
    """The size of a zip's list of members, as `ZipFile` is about to take it; 0 where there is none."""
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    return 0 if end is None else int(end[zipfile._ECD_SIZE])  # type: ignore[attr-defined]


def wanted_member(path: Path, members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    if len(members) > MOST_MEMBERS:
        raise UnusableError(f"{path} holds more than {MOST_MEMBERS:,} files")
    names = {member: PurePosixPath(member.filename) for member in members}
    own = {member: name for member, name in names.items() if "__MACOSX" not in name.parts}
    found = [m for m, name in own.items() if name.parts[-2:] == WANTED.parts] or [
        m for m, name in own.items() if name.name == WANTED.name
    ]
    if not found:
        raise UnusableError(f"{path} holds no {WANTED}")
    shallowest = min(len(own[member].parts) for member in found)
    found = [member for member in found if len(own[member].parts) == shallowest]
    if len(found) > 1:
        raise UnusableError(
            f"{path} holds {len(found)} files that could be the submission, such as {found[0].filename}: "
            "keep only one"
        )
    mode = found[0].external_attr >> 16
    if found[0].is_dir() or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
        raise UnusableError(f"{found[0].filename} in {path} is no regular file")
    return found[0]


def source_from(name: str, path: Path, content: bytes, sha256: str, size_bytes: int) -> Source:
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:60] or "submission"
    return Source(slug, str(path), content, sha256, size_bytes)

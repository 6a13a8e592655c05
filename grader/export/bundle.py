"""Zips and folders for other systems: which files go in, and the same bytes each time they are made."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from grader import GraderError, UnusableError
from grader.record import write_whole
from grader.rules import ROOT

Files = dict[str, bytes]
"""What a bundle holds: names with forward slashes, and contents."""

KINDS = (".py", ".toml", ".json", ".npz")
LOCK = Path(__file__).with_name("requirements.txt")
"""Every package that grading needs, pinned and with its hashes."""
WHEN = (2026, 1, 1, 0, 0, 0)
PROGRAMS = (".sh", "run_autograder")


def source_files(*folders: str, without: Iterable[str] = ()) -> Files:
    """Code and data of these folders of the repository, less those below `without`."""
    found = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in KINDS and not any(name.startswith(f"{each}/") for each in without):
                found[name] = read(path)
    return found


def as_json(document: object) -> bytes:
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise GraderError(f"{path} cannot be read: {error.strerror}") from error


def write_zip(files: Files, path: Path) -> None:
    """All files in one zip. Raises UnusableError where there is no folder for it."""
    if path.is_dir() or not path.parent.is_dir():
        raise UnusableError(f"a zip is written to a file in a folder that exists, and {path} is none")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, so that the mode counts
            entry.external_attr = (0o755 if name.endswith(PROGRAMS) else 0o644) << 16
            archive.writestr(entry, data)
    write_whole(path, content.getvalue())


def write_folder(files: Files, path: Path, mark: str) -> None:
    """All files in one folder, which takes the place of an earlier one; `mark` is a file that tells it.

    Raises UnusableError where something else is there already.
    """
    if not path.parent.is_dir():
        raise UnusableError(f"there is no folder {path.parent} to write {path.name} in")
    if os.path.lexists(path) and not (path / mark).is_file() and not is_empty(path):
        raise UnusableError(
            f"{path} is there already and is not from this command: name another, or remove it"
        )
    made = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        for name, data in files.items():
            file = made / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        made.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        made.rename(path)
    except OSError as error:
        raise GraderError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def is_empty(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())

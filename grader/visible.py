"""What a worker may read of this machine: Python's own library, what it links to, and the given code.

No other package is among them (one of them carries digits with their labels), nor anything of the grader
but what the worker itself is made of.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from grader.rules import ROOT

OWN_FILES = (
    "assignment",
    *(f"grader/{name}.py" for name in ("__init__", "lock", "syscalls", "wire", "worker")),
)
"""What a worker imports of this repository."""

SYSTEM_FOLDERS = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib")
LINKING = ("/etc/ld.so.cache", "/etc/alternatives")
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
PACKAGES = ("site-packages", "dist-packages")


def python() -> Path:
    """The interpreter itself, not a virtual environment's link to it."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def given_code() -> dict[str, Path]:
    """All that a worker can import beside Python's own library: names on its path, and where they are."""
    packages = Path(np.__file__).resolve().parent.parent
    numpy_files = {name: packages / name for name in ("numpy", "numpy.libs") if (packages / name).exists()}
    return {name: ROOT / name for name in OWN_FILES} | numpy_files


@cache
def libraries() -> tuple[Path, ...]:
    """The folders that hold Python's library and all that it links to; packages lie among them."""
    folders = [Path(sys.base_prefix).resolve() / "lib", *map(Path, SYSTEM_FOLDERS)]
    return tuple(dict.fromkeys(folder for folder in folders if folder.is_dir()))


def package_folders() -> list[Path]:
    """The folders of installed packages within `libraries`: to be hidden."""
    return [
        path
        for folder in libraries()
        if not folder.is_symlink()
        for python_folder in folder.glob("python3*")
        for path in (python_folder / name for name in PACKAGES)
        if path.is_dir()
    ]


@cache
def library_parts() -> tuple[Path, ...]:
    """The same as `libraries` less the packages, as the paths that make it up."""
    return tuple(dict.fromkeys(part for folder in libraries() for part in _parts(folder)))


def _parts(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not path.exists():
            continue  # a link to nowhere
        if path.name.startswith("python3") and path.is_dir():
            yield from (part for part in sorted(path.iterdir()) if part.name not in PACKAGES)
        else:
            yield path


def open_to_all(path: Path) -> bool:
    """Whether a user without rights of its own can get to the path and read it."""
    parents = all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)
    needed = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
    return parents and os.stat(path).st_mode & needed == needed

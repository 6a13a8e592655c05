"""Whether this machine has what the assignment needs, and whether its files are the grader's.

A release carries `assignment/release.json`: the hash of every given file, and with which Python, NumPy
and BLAS the grader that made it runs. "It passes on my laptop" begins with a look at these.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .data import DataError, load_mnist
from .seam import LocalSubmission, SubmissionError
from .shared_model import model_card, shared_model
from .workbench import COMPRESSION_FILE

ROOT = Path(__file__).resolve().parent.parent
RELEASE_FILE = ROOT / "assignment" / "release.json"
SCHEMA = "featherweight/release/v1"
DECIDING = ("assignment/", "tests_public/", "pyproject.toml", "requirements.txt")
"""What of a release decides a result; a student's README is their own affair."""

VERSIONS = {"python": "Python", "numpy": "NumPy", "blas": "BLAS"}


def versions() -> dict[str, str]:
    """Of what a result may depend on: Python, NumPy, and the BLAS that NumPy was built with."""
    blas = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
    }


def file_sha256(path: Path) -> str:
    """Of the file's bytes; of a text's with plain newlines, which Git on Windows may change."""
    content = path.read_bytes()
    if path.suffix != ".npz":
        content = content.replace(b"\r\n", b"\n")
    return hashlib.sha256(content).hexdigest()


def read_release(path: Path | None = None) -> dict[str, Any] | None:
    """What the release says of itself, or None outside a release. Raises DataError."""
    path = path or RELEASE_FILE
    try:
        release = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}): take it from the course again") from error
    whole = isinstance(release, dict) and {"versions", "files", "own"} <= release.keys()
    if not whole or release.get("schema") != SCHEMA:
        raise DataError(f"{path} is not a release's description: take it from the course again")
    return release


def doctor(
    load: Callable[[], Any] = load_mnist, root: Path = ROOT, say: Callable[[str], None] = print
) -> bool:
    """Say how each thing is that is needed, a line for each; whether all of them are well."""
    well = True
    for line, is_fault in comparison(root):
        say(f"{'FAIL' if is_fault else 'ok  '}  {line}")
        well = well and not is_fault
    compression = root / COMPRESSION_FILE.relative_to(ROOT)
    checks: dict[str, Callable[[], str]] = {
        "shared model": lambda: (
            f"{model_card()['accuracy_percent']['test']:.2f} % on test, {shared_model()!r}"
        ),
        "data": lambda: described(load()),
        "compression.py": lambda: f"imports ({LocalSubmission(compression).load().__file__})",
    }
    for name, check in checks.items():
        try:
            say(f"ok    {name}: {check()}")
        except (DataError, SubmissionError) as error:
            well = False
            say(f"FAIL  {name}: {error}")
    return well


def comparison(root: Path = ROOT) -> Iterator[tuple[str, bool]]:
    """Here beside the grader, as (line, whether it is a fault): one line where the given files agree.

    Another version of Python or NumPy is named, and is no fault: a right answer is right in all of
    them. Another given file is one: the grader uses its own.
    """
    own = versions()
    try:
        release = read_release(root / RELEASE_FILE.relative_to(ROOT))
    except DataError as error:
        yield str(error), True
        return
    if release is None:
        yield f"{spelled(own)}; no release, so no given files to compare", False
        return
    theirs = release["versions"]
    given = {name: sha256 for name, sha256 in release["files"].items() if name.startswith(DECIDING)}
    changed = list(differing(given, root))
    words = [spelled(own)]
    if other := [f"{label} {theirs[key]}" for key, label in VERSIONS.items() if own[key] != theirs[key]]:
        words.append(f"the grader has {', '.join(other)}")
    words.append(f"{len(given) - len(changed)} of {len(given)} given files are the grader's")
    yield (
        "; ".join(words) if changed or other else f"as the grader: {spelled(own)}, {len(given)} given files",
        False,
    )
    for name, here in changed:
        found = "is missing" if here is None else f"is {here[:12]}"
        yield f"{name} {found}, the grader's is {given[name][:12]}: take it from the course again", True


def differing(given: dict[str, str], root: Path) -> Iterator[tuple[str, str | None]]:
    """Names of given files that are not the grader's, with the hash of what is there instead."""
    for name, sha256 in given.items():
        try:
            here = file_sha256(root / name)
        except OSError:
            here = None
        if here != sha256:
            yield name, here


def spelled(found: dict[str, str]) -> str:
    return ", ".join(f"{label} {found[key]}" for key, label in VERSIONS.items())


def described(mnist: Any) -> str:
    sizes = ", ".join(f"{len(part):,}" for part in (mnist.train, mnist.validation, mnist.test))
    return f"{mnist.name}, {sizes} images for training, validation and test"

"""The student repository, ready to be a template: `python -m grader release DEST`.

What is in it stands in `student/manifest.toml`, file by file, and nothing else gets in: the hidden tests
and the solution lie in other folders, and no folder is ever copied. Releasing again is one more commit
there, made by Git itself, so it is whole or it did not happen; the student's own file is not part of it.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assignment.data import DataError
from assignment.doctor import SCHEMA, file_sha256, read_release, versions
from grader import GraderError, UnusableError, __version__
from grader.rules import ROOT

STUDENT = Path(__file__).with_name("student")
MANIFEST = STUDENT / "manifest.toml"
CONSTRAINTS = "constraints.txt"
RELEASE_FILE = "assignment/release.json"
AUTHOR = {"NAME": "Featherweight", "EMAIL": "featherweight@example.invalid"}

EXAMPLES = """\
examples:
  python -m grader release student-repo
      a new repository with one commit: push it, and mark it as a template
  python -m grader release student-repo
      again, after a change here: one more commit there, and no compression.py is touched

exit code: 0 when DEST is released or was up to date; 1 when the release itself failed; 2 when DEST
cannot be released to (not empty and no release, or given files with uncommitted changes).
"""


@dataclass(frozen=True)
class Manifest:
    """What is released: `given` as it is, `written` from `student/`, lock files, a description, and what
    becomes the student's own: the stub, and `own` beside it."""

    given: tuple[str, ...]
    stub: str
    own: tuple[str, ...]
    kept_back: tuple[str, ...]
    written: dict[str, str]
    locks: dict[str, list[str]]

    def names(self) -> set[str]:
        return {*self.given, *self.written, *self.locks, *self.students(), RELEASE_FILE}

    def students(self) -> tuple[str, ...]:
        return (self.stub, *self.own)


def read_manifest(path: Path = MANIFEST) -> Manifest:
    facts = tomllib.loads(path.read_text(encoding="utf-8"))
    given, own, kept_back = (tuple(facts[name]) for name in ("given", "own", "kept_back"))
    return Manifest(given, facts["stub"], own, kept_back, facts["written"], facts["locks"])


def add_command(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "release",
        help="make the student repository, or bring it up to date",
        description="Write the student repository to DEST: stubs, given code, public tests, workflow.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "dest", metavar="DEST", type=Path, help="a new or empty folder, or an earlier release"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    print(release(options.dest))
    return 0


def release(dest: Path, source: Path = ROOT) -> str:
    """Release `source` to `dest`; a sentence that says what was done.

    Raises UnusableError, with nothing changed, where `dest` cannot be released to; GraderError where
    there is something wrong with what is to be released.
    """
    dest = Path(os.path.abspath(dest))
    is_new = not dest.exists() or (dest.is_dir() and not any(dest.iterdir()))
    if not is_new and not (dest / ".git").exists():
        raise UnusableError(f"{dest} is not empty and is no release: name a new folder")
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{dest.name}.", dir=dest.parent) as folder:
            staged = Path(folder) / "release"
            manifest = read_manifest(source / MANIFEST.relative_to(ROOT))
            stage(staged, manifest, source)
            return create(staged, dest) if is_new else update(staged, dest, manifest)
    except OSError as error:
        raise GraderError(f"{dest} cannot be released to: {error}") from error


def stage(staged: Path, manifest: Manifest, source: Path) -> None:
    """Every file of the release in a folder of its own."""
    origin = {name: source / name for name in (*manifest.given, *manifest.students())}
    origin |= {name: source / "grader" / "student" / own for name, own in manifest.written.items()}
    for name, path in origin.items():
        if path.is_symlink() or not path.is_file():
            raise GraderError(f"{path} is to be released and is no regular file: correct {MANIFEST.name}")
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, staged / name)
    if filled := filled_in((staged / manifest.stub).read_text(encoding="utf-8")):
        raise GraderError(f"{source / manifest.stub} is not the stub: {filled[0]} has a body")
    constraints = (source / CONSTRAINTS).read_text(encoding="utf-8")
    for name, packages in manifest.locks.items():
        (staged / name).write_text(locked(name, packages, constraints), encoding="utf-8", newline="\n")
    described = json.dumps(description(staged, manifest), indent=2) + "\n"
    (staged / RELEASE_FILE).write_text(described, encoding="utf-8", newline="\n")


def filled_in(stub: str) -> list[str]:
    """Public functions that do more than to say that they are not implemented yet."""
    functions = [node for node in ast.parse(stub).body if isinstance(node, ast.FunctionDef)]
    return [
        each.name for each in functions if each.name[0] != "_" and not isinstance(each.body[-1], ast.Raise)
    ]


def locked(name: str, packages: list[str], constraints: str) -> str:
    """The lock file of this name: of each package, the lines with its exact version. Raises GraderError."""
    lines = [line for line in constraints.splitlines() if re.match(r"[a-z]", line)]
    found = {package: [line for line in lines if line.split("==")[0] == package] for package in packages}
    if missing := [package for package, pins in found.items() if not pins]:
        raise GraderError(f"{CONSTRAINTS} pins no version of {', '.join(missing)}")
    head = f"# Every package with its version: python -m pip install --no-deps -r {name}\n"
    return head + "".join(f"{line}\n" for pins in found.values() for line in pins)


def description(staged: Path, manifest: Manifest) -> dict[str, Any]:
    """What `assignment/release.json` says: versions here, and the hash of each file that is not the student's."""
    names = sorted(manifest.names() - {RELEASE_FILE, *manifest.students()})
    return {
        "schema": SCHEMA,
        "grader": __version__,
        "versions": versions(),
        "own": {name: file_sha256(staged / name) for name in manifest.students()},
        "files": {name: file_sha256(staged / name) for name in names},
    }


def create(staged: Path, dest: Path) -> str:
    """The first commit, made aside and moved into place in one step."""
    names = files_in(staged)
    git(staged, "init", "--quiet", "--template=", "--initial-branch=main")
    git(staged, "add", "--all")
    git(staged, "commit", "--quiet", "--no-verify", "--message=Release the assignment")
    if dest.exists():
        dest.rmdir()
    staged.rename(dest)
    return f"released {len(names)} files to {dest}"


def update(staged: Path, dest: Path, manifest: Manifest) -> str:
    """One more commit with what is new: made in Git's store alone, then moved to by `merge --ff-only`."""
    try:
        before = read_release(dest / RELEASE_FILE)
    except DataError as error:
        raise UnusableError(str(error)) from error
    if before is None:
        raise UnusableError(f"{dest} is not empty and is no release: name a new folder")
    names = manifest.names()
    own = {name: fate(staged, dest, before, name) for name in manifest.students()}
    note = "".join(f"; {name} {what}" for name, what in own.items() if what)
    taken = names - {name for name, what in own.items() if what != REPLACED}
    gone = set(before["files"]) - names
    status = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    if dirty := git(dest, *status, "--", *sorted(taken | gone)):
        changed = ", ".join(entry[3:] for entry in dirty.split("\0") if entry)
        raise UnusableError(f"{dest} has uncommitted changes to given files ({changed}): commit or undo them")
    commit = committed(staged, dest, taken, gone)
    if commit is None:
        return f"{dest} is up to date{note}"
    git(dest, "merge", "--quiet", "--ff-only", commit)
    return f"updated {dest}{note}"


REPLACED = "is the new one, since nobody had edited the old"
LEFT = "has changed since, and is left alone here because it was edited"


def fate(staged: Path, dest: Path, before: dict[str, Any], name: str) -> str | None:
    """What becomes of a file that is the student's own: None where it is the same as last time."""
    old, here = {**before["files"], **before["own"]}.get(name), dest / name
    if file_sha256(staged / name) == old:
        return None
    there = file_sha256(here) if here.is_file() else None
    return REPLACED if there == old else LEFT


def committed(staged: Path, dest: Path, taken: set[str], gone: set[str]) -> str | None:
    """A commit on top of `dest`'s, with `taken` as staged and without `gone`; None where nothing changes."""
    with tempfile.TemporaryDirectory() as folder:
        aside = {"GIT_INDEX_FILE": str(Path(folder, "index")), "GIT_WORK_TREE": str(staged)}
        store = {**aside, "GIT_DIR": git(dest, "rev-parse", "--absolute-git-dir").strip()}
        git(staged, "read-tree", "HEAD", **store)
        if gone:
            git(staged, "rm", "--quiet", "--cached", "--ignore-unmatch", "--", *sorted(gone), **store)
        git(staged, "add", "--force", "--", *sorted(taken), **store)
        tree = git(staged, "write-tree", **store).strip()
        if tree == git(dest, "rev-parse", "HEAD^{tree}").strip():
            return None
        message = "Update the assignment"
        return git(staged, "commit-tree", tree, "-p", "HEAD", "-m", message, **store).strip()


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def git(folder: Path, *arguments: str, **environment: str) -> str:
    """What Git prints: with nobody's settings, nobody's hooks, and one author. Raises GraderError."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    own |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "TZ": "UTC", "LC_ALL": "C"}
    own |= {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in AUTHOR.items()}
    settings = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.autocrlf=false", "-c", "gc.auto=0")
    command = ["git", *settings, *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, env={**own, **environment}, capture_output=True, text=True, encoding="utf-8"
        )
    except FileNotFoundError as error:
        raise GraderError("git is not installed: a release is a Git repository") from error
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise GraderError(f"git {arguments[0]} in {folder}: {reason[0] if reason else 'failed'}")
    return done.stdout

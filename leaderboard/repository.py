"""Posting to a branch of a Git repository, from many places at once.

    pushed = push("git@example.org:course/board.git", "leaderboard", add, "Entry of quiet-heron")

Nothing is checked out. The new files become one commit on top of the newest state of the branch, and the push is
refused by the server unless it is still the newest; then all is done again on the newer one, a random moment
later. So every state that the branch ever has is complete, and a crash at any moment leaves the one before.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

from leaderboard.documents import EntryError, shown
from leaderboard.settings import FILE_NAME, Settings
from leaderboard.store import Shelf

FOLDER = "entries"
MOST_ATTEMPTS = 200
LONGEST_WAIT_SECONDS = 15.0
PATIENCE_SECONDS = 600
SECONDS = 120  # for one command of Git
MOVED = ("[rejected]", "cannot lock ref", "fetch first", "failed to update ref", "reference already exists")

Add = Callable[[Shelf, Settings], Mapping[str, bytes]]


def push(url: str, branch: str, add: Add, message: str) -> None:
    """Add files to the branch, which is made if it is not there.

    Args:
        add: is given what the branch holds, and returns the files to add by their names below `entries/`; none if
            there is nothing to do. It is called again whenever somebody else was first, and may raise EntryError.

    Raises:
        EntryError: the repository cannot be reached or written, or `add` says no.
    """
    with tempfile.TemporaryDirectory(prefix="featherweight-") as folder, _one_at_a_time(f"{url} {branch}"):
        git = Git(Path(folder), url)
        begin = time.monotonic()
        for attempt in range(MOST_ATTEMPTS):
            looked = time.monotonic()
            tip = git.fetch(branch)
            names = git.names(tip)
            files = add(git.shelf(tip, names), git.settings(tip, names))
            if not files or git.push(git.commit(tip, files, message), branch):
                return
            if time.monotonic() - begin > PATIENCE_SECONDS:
                break
            took = time.monotonic() - looked
            time.sleep(random.uniform(0, min(LONGEST_WAIT_SECONDS, took * 2**attempt)))
    raise EntryError(f"{shown(url)}: somebody else was first {attempt + 1} times; post again later")


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    """Let processes of one machine and user wait for one another, which is quicker than being refused in turns.

    The lock is the kernel's and ends with its process. Other machines know nothing of it, nor does it matter.
    """
    if fcntl is None:
        yield
        return
    digest = hashlib.sha256(f"{os.getuid()} {name}".encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir(), f"featherweight-{digest}.lock")
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:  # somebody's file of that name: no reason not to post
        yield
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def download(url: str, branch: str, folder: Path) -> Path:
    """The entries of the branch as they are now, in a new folder. Raises EntryError."""
    command = [
        "git",
        "clone",
        "--quiet",
        "--depth=1",
        "--single-branch",
        "--branch",
        branch,
        "--",
        url,
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=_environment())
    if done.returncode:
        raise EntryError(f"{shown(url)}: {_last_line(done.stderr)}")
    return folder / FOLDER


class Git:
    """A bare repository for one post: objects, and no files."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.run("init", "--quiet", "--bare")
        self.run("remote", "add", "origin", url)

    def run(self, *arguments: str, given: bytes = b"", **environment: str) -> bytes:
        """What the command prints. Raises EntryError with what it complains about."""
        done = self.attempt(*arguments, given=given, **environment)
        if done.returncode:
            raise EntryError(f"{shown(self.url)}: {_last_line(done.stderr.decode('utf-8', 'replace'))}")
        return done.stdout

    def attempt(
        self, *arguments: str, given: bytes = b"", **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        command = ["git", "--git-dir", str(self.folder), *arguments]
        variables = {**_environment(), **environment}
        try:
            return subprocess.run(command, input=given, capture_output=True, env=variables, timeout=SECONDS)
        except FileNotFoundError:
            raise EntryError("git is not installed") from None
        except subprocess.TimeoutExpired:
            raise EntryError(f"{shown(self.url)}: no answer in {SECONDS} s") from None

    def fetch(self, branch: str) -> str | None:
        """The branch's newest commit, its trees without the files; None where there is no such branch."""
        fetched = self.attempt(
            "fetch", "--quiet", "--depth=1", "--filter=blob:none", "origin", f"refs/heads/{branch}"
        )
        if fetched.returncode == 0:
            return (self.folder / "FETCH_HEAD").read_text("ascii").split()[0]
        complaint = fetched.stderr.decode("utf-8", "replace")
        if "couldn't find remote ref" in complaint:
            return None
        raise EntryError(f"{shown(self.url)}: {_last_line(complaint)}")

    def names(self, tip: str | None) -> frozenset[str]:
        """What lies below `entries/`."""
        if tip is None:
            return frozenset()
        listed = self.run("ls-tree", "-r", "-z", "--name-only", tip, f"{FOLDER}/").decode("utf-8", "replace")
        return frozenset(path.removeprefix(f"{FOLDER}/") for path in listed.split("\0") if path)

    def shelf(self, tip: str | None, names: frozenset[str]) -> Shelf:
        inside = frozenset(name for name in names if name.count("/") == 1)
        return Shelf(inside, lambda name: self.run("cat-file", "blob", f"{tip}:{FOLDER}/{name}"))

    def settings(self, tip: str | None, names: frozenset[str]) -> Settings:
        if FILE_NAME not in names:
            return Settings()
        place = f"{FOLDER}/{FILE_NAME}"
        text = self.run("cat-file", "blob", f"{tip}:{place}").decode("utf-8", "replace")
        return Settings.from_text(text, place)

    def commit(self, tip: str | None, files: Mapping[str, bytes], message: str) -> str:
        """A commit that adds the files to those of `tip`. Nobody sees it yet."""
        if tip is None:
            self.run("read-tree", "--empty")
        else:
            self.run("read-tree", tip)
        lines = []
        for name, data in files.items():
            blob = self.run("hash-object", "-w", "--stdin", given=data).decode().strip()
            lines.append(f"100644 {blob}\t{FOLDER}/{name}\n")
        self.run("update-index", "--add", "--index-info", given="".join(lines).encode())
        tree = self.run("write-tree", "--missing-ok").decode().strip()
        parents = [] if tip is None else ["-p", tip]
        identity = {
            f"GIT_{role}_{part}": os.environ.get(f"GIT_{role}_{part}", default)
            for role in ("AUTHOR", "COMMITTER")
            for part, default in (("NAME", "featherweight"), ("EMAIL", "featherweight@example.invalid"))
        }
        made = self.run("commit-tree", tree, *parents, given=message.encode(), **identity)
        return made.decode().strip()

    def push(self, commit: str, branch: str) -> bool:
        """Make it the branch's newest. False where the branch has moved on; raises EntryError for all else."""
        done = self.attempt("push", "--quiet", "origin", f"{commit}:refs/heads/{branch}")
        complaint = done.stderr.decode("utf-8", "replace")
        if done.returncode and not any(sign in complaint for sign in MOVED):
            raise EntryError(f"{shown(self.url)}: {_last_line(complaint)}")
        return done.returncode == 0


def _environment() -> dict[str, str]:
    """Git in English, asking nobody, and untouched by the repository that we may be in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_DIR")}
    for name in ("GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"):
        kept.pop(name, None)
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("hint:")]
    return shown(lines[-1] if lines else "git failed without a word", quote=False)

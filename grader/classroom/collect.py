"""Fetch one file of each student's repository, and note which commit it is from and how that was chosen.

    python -m grader collect ROSTER.csv --out DIR
    python3 -m grader.classroom.collect ROSTER.csv --out DIR     the same, where nothing is installed

Repositories are fetched without a work tree: nothing of them is checked out, run or followed, so a link in one
arrives as the text that it is. Into DIR/HANDLE go assignment/compression.py and `commit`; into DIR/collected.csv the
roster with what was found. STUDENTS_TOKEN, where set, reads repositories on GitHub.

Which commit: the roster's own `commit`; else, with --take tag, that of the last `submit/*` tag by its name; with
--take due, the last that a server saw before the student's deadline, which --pins lists; else the newest of the default
branch. Dates in commits and tags are whatever their author wrote, and are not looked at.

Where a repository cannot be reached, the file of an earlier collect stands, if it would have been chosen in the same way,
and its line says so. Nothing that was collected is ever removed, and `collected.csv` is whole after every student.
"""

from __future__ import annotations

import argparse
import base64
import csv
import io
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from grader import UnusableError
from grader.classroom.lateness import read_time
from grader.classroom.roster import COLLECTED, COLUMNS, COMMIT, HANDLE, Student, read_roster, read_rows

WANTED = "assignment/compression.py"
LARGEST_BYTES = 2 * 2**20
ADDRESS = re.compile(r"(https://|ssh://|git://|file:///|/|\./|[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+:)[^\s]+")
TAKES = ("newest", "tag", "due")
FETCH_SECONDS = 600
LARGEST_PACK = 2**30
LARGEST_ANSWER = 2**24
MOST_MEMORY = 2**31
BOUNDED = ("fetch.fsckObjects=true", "fetch.unpackLimit=1", "core.bigFileThreshold=8m")
"""What a fetch brings is one pack, which the limit above can bound, and no large file of it is held in memory."""
BY_TAG = "the last tag by name: "
KEPT = ", of an earlier collect: the repository could not be reached"
QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes"}
OF_A_REPOSITORY = {
    f"GIT_{name}"
    for name in ("ALTERNATE_OBJECT_DIRECTORIES", "COMMON_DIR", "DIR", "INDEX_FILE", "NAMESPACE",
                 "OBJECT_DIRECTORY", "SHALLOW_FILE", "WORK_TREE")
}  # fmt: skip

Sightings = dict[str, list[tuple[datetime, str]]]
"""For each handle: when a server saw which commit."""


class CollectError(Exception):
    """This repository gives no submission; the message says why."""


class UnreachableError(CollectError):
    """Nor does it say that it has none: the network, the server or the permission to read it is missing."""


def read_pins(path: Path) -> Sightings:
    """A CSV file with the columns handle, commit and observed; a line for each push that a server saw.

    Raises UnusableError, with the line.
    """
    rows = read_rows(path)
    header = [cell.lower() for cell in rows[0][1]] if rows else []
    if not {"handle", "commit", "observed"} <= set(header):
        raise UnusableError(
            f"{path} needs the columns handle, commit and observed, and has {', '.join(header)}"
        )
    seen: Sightings = defaultdict(list)
    for line, cells in rows[1:]:
        facts = dict(zip(header, cells, strict=False))
        if not HANDLE.fullmatch(facts.get("handle", "")) or not re.fullmatch(
            "[0-9a-f]{40,64}", facts.get("commit", "")
        ):
            raise UnusableError(
                f"{path}, line {line} is no handle with a whole commit: {', '.join(cells)[:200]}"
            )
        try:
            seen[facts["handle"]].append((read_time(facts.get("observed", "")), facts["commit"]))
        except ValueError as error:
            raise UnusableError(f"{path}, line {line}: {error}") from error
    return seen


@dataclass(frozen=True)
class Repository:
    """A bare copy of a student's repository, of as little of it as will do.

    Where git is made to reach the repository itself and cannot, that is an UnreachableError.
    """

    store: Path
    address: str

    def git(self, *arguments: str) -> bytes:
        """Raises CollectError with what git says."""
        settings = [part for setting in BOUNDED for part in ("-c", setting)]
        command = ["git", "-C", str(self.store), *settings, *arguments]
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaint:
            with subprocess.Popen(
                command,
                env={**surroundings(), **QUIET, **login()},
                stdin=subprocess.DEVNULL,
                stdout=output,  # files, for the limit on them bounds what a server says, too
                stderr=complaint,
                start_new_session=True,  # no terminal to ask for a password on, and one group to end
                preexec_fn=set_limits,
            ) as running:
                try:
                    running.wait(FETCH_SECONDS)
                except BaseException as error:
                    os.killpg(running.pid, signal.SIGKILL)  # git's helper that talks to the server, too
                    if isinstance(error, subprocess.TimeoutExpired):
                        raise CollectError(f"git took more than {FETCH_SECONDS} s") from error
                    raise
            if running.returncode:
                complaint.seek(0)
                said = " ".join(complaint.read(LARGEST_ANSWER).decode("utf-8", "replace").split())
                raise CollectError(printable(said) or f"git {arguments[0]} failed")
            if os.fstat(output.fileno()).st_size > LARGEST_ANSWER:
                most = f"{LARGEST_ANSWER // 2**20} MiB"
                raise CollectError(f"git {arguments[0]} answered with more than {most}")
            output.seek(0)
            return output.read()

    def reach(self, *arguments: str) -> bytes:
        try:
            return self.git(*arguments)
        except CollectError as error:
            raise UnreachableError(str(error)) from error

    def fetch(self, what: str) -> str:
        """Fetch one commit, branch or tag; the commit."""
        self.git("init", "--quiet", "--bare", "--template=", ".")
        self.reach("fetch", "--quiet", "--depth=1", "--no-tags", "--", self.address, what)
        commit = self.git("rev-parse", "FETCH_HEAD^{commit}").decode().strip()
        if COMMIT.fullmatch(what) and not commit.startswith(what):
            raise CollectError(
                f"{what} is a branch or tag of that name, and no commit: name all of its digits"
            )
        return commit

    def last_tag(self) -> str | None:
        """The last `submit/*` tag, its numbers compared as numbers: submit/10 comes after submit/9."""
        self.git("init", "--quiet", "--bare", "--template=", ".")
        found = self.reach("ls-remote", "--refs", "--", self.address, "refs/tags/submit/*")
        said = found.decode("utf-8", "replace")
        names = [line.split("\t", 1)[1] for line in said.split("\n") if "\t" in line]
        return max(names, key=natural, default=None)

    def file(self, commit: str) -> bytes:
        """The one file of a commit that was fetched; its size is asked for first."""
        try:
            size = int(self.git("cat-file", "-s", f"{commit}:{WANTED}"))
            if self.git("cat-file", "-t", f"{commit}:{WANTED}").strip() != b"blob":
                raise CollectError(f"{WANTED} is no file in commit {commit[:12]}")
        except CollectError as error:
            raise CollectError(f"there is no {WANTED} in commit {commit[:12]}") from error
        if size > LARGEST_BYTES:
            raise CollectError(f"{WANTED} is larger than {LARGEST_BYTES // 2**20} MiB")
        return self.git("cat-file", "blob", f"{commit}:{WANTED}")


def set_limits() -> None:
    """For git, before it starts: no file of its own may fill this disk, and no list of refs this memory."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_PACK, LARGEST_PACK))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))


def surroundings() -> dict[str, str]:
    """The environment less what would have git work on the repository that we may be in, as from a hook of it."""
    return {name: value for name, value in os.environ.items() if name not in OF_A_REPOSITORY}


def login() -> dict[str, str]:
    """The token, for GitHub alone, as settings in git's environment: everybody may read a process's arguments."""
    token = os.environ.get("STUDENTS_TOKEN")
    if not token:
        return {}
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    number = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    return {
        "GIT_CONFIG_COUNT": str(number + 1),
        f"GIT_CONFIG_KEY_{number}": "http.https://github.com/.extraheader",
        f"GIT_CONFIG_VALUE_{number}": f"Authorization: Basic {basic}",
    }


def printable(text: str) -> str:
    """A stranger's text for a cell: at a semicolon, some spreadsheets begin another, which could be a formula."""
    return "".join(c if c.isprintable() and c != ";" else "?" for c in text)[:300]


def natural(name: str) -> list[tuple[int, int, str]]:
    """What to sort a name by. A number is its length and its digits: `int` takes no more than 4,300 of them."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    numbers = [part.lstrip("0") if part[0] in "0123456789" else None for part in parts]
    return [
        (0, 0, part) if number is None else (1, len(number), number)
        for part, number in zip(parts, numbers, strict=True)
    ]


def collected(
    student: Student, take: str, seen: Sightings, out: Path, earlier: Student | None = None
) -> Student:
    """The student's line with what was found; the file is written below `out`. earlier: their line of last time."""
    folder, what, how, observed = out / student.handle, "", "", ""
    with tempfile.TemporaryDirectory(prefix="featherweight-collect-") as store:
        try:
            if not ADDRESS.fullmatch(student.repository):
                raise CollectError(
                    f"the roster's repository is no address: {printable(student.repository) or 'empty'}"
                )
            repository = Repository(Path(store), student.repository)
            what, how, observed = wanted(student, take, seen, repository)
            commit = repository.fetch(what)
            content = repository.file(commit)
        except CollectError as error:
            if isinstance(error, UnreachableError) and stands(earlier, what, how, take, folder):
                assert earlier is not None
                return replace(
                    student,
                    commit=earlier.commit,
                    chosen_by=f"{how or earlier.chosen_by.removesuffix(KEPT)}{KEPT}",
                    observed=observed or earlier.observed,
                    path=student.handle,
                    missing="",
                )
            return replace(student, missing=str(error), path="", commit="", chosen_by="", observed="")
    write(folder / WANTED, content)
    write(folder / "commit", f"{commit}\n".encode())
    if not observed:
        observed = max(
            (spelled(time) for time, pushed in seen.get(student.handle, []) if pushed == commit), default=""
        )
        observed = student.observed or observed
    return replace(student, commit=commit, chosen_by=how, observed=observed, path=student.handle, missing="")


def stands(earlier: Student | None, what: str, how: str, take: str, folder: Path) -> bool:
    """Whether the file of an earlier collect is one that this collect could have chosen.

    what, how: what was to be fetched; empty where not even that could be asked. Another commit than the one that is
    wanted, or one that was chosen in another way, is nobody's submission.
    """
    if earlier is None or earlier.missing or not (folder / WANTED).is_file():
        return False
    was = earlier.chosen_by.removesuffix(KEPT)
    if re.fullmatch("[0-9a-f]{7,64}", what):
        return earlier.commit.startswith(what)
    return was == how if how else take == "tag" and was.startswith(BY_TAG)


def wanted(student: Student, take: str, seen: Sightings, repository: Repository) -> tuple[str, str, str]:
    """What to fetch, in words how that was chosen, and when a server saw it, where that is known."""
    if student.commit:
        return student.commit, "the roster's commit", student.observed
    if take == "tag":
        tag = repository.last_tag()
        if tag is None:
            raise CollectError("there is no tag submit/* in the repository")
        return tag, f"{BY_TAG}{printable(tag.removeprefix('refs/tags/'))}", ""
    if take == "due":
        if not student.due:
            raise CollectError("--take due needs a time in the roster's column due")
        until = read_time(student.due) + timedelta(hours=student.extension)
        in_time = [pair for pair in seen.get(student.handle, []) if pair[0] <= until]
        if not in_time:
            raise CollectError(f"no server saw a commit before {spelled(until)}")
        time, commit = max(in_time)
        return commit, f"the last that a server saw by {spelled(until)}", spelled(time)
    return "HEAD", "the newest of the default branch", ""


def spelled(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def write(path: Path, content: bytes) -> None:
    """All of a file or nothing; here without NumPy, which the grader's own way of doing so would import."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), 0o644)
    os.replace(temporary, path)


def collect(roster: Path, out: Path, take: str = "newest", pins: Path | None = None) -> list[Student]:
    """Fetch everybody's file. Raises UnusableError for a broken roster; a broken repository is a line with a reason."""
    if take == "due" and pins is None:
        raise UnusableError("--take due needs --pins FILE: a commit's own date can be forged")
    students = read_roster(roster)
    seen = read_pins(pins) if pins is not None else {}
    out.mkdir(parents=True, exist_ok=True)
    earlier = (
        {each.handle: each for each in read_roster(out / COLLECTED)} if (out / COLLECTED).is_file() else {}
    )
    found: list[Student] = []
    for number, student in enumerate(students):
        if student.repository.startswith("./"):
            student = replace(student, repository=str((roster.parent / student.repository).resolve()))
        line = collected(student, take, seen, out, earlier.get(student.handle))
        why = f"missing: {line.missing}" if line.missing else f"{line.commit[:12]} ({line.chosen_by})"
        print(f"{student.handle}: {why}", flush=True)
        found.append(line)
        ahead = [earlier.get(each.handle) or not_yet(each) for each in students[number + 1 :]]
        write_lines(out / COLLECTED, [*found, *ahead])
    return found


def not_yet(student: Student) -> Student:
    return replace(student, missing="not collected yet", path="", commit="", chosen_by="", observed="")


def write_lines(path: Path, students: list[Student]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows([student.__dict__ for student in students])
    write(path, text.getvalue().encode())


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "roster",
        metavar="ROSTER.csv",
        type=Path,
        help="CSV: handle, repository, and a commit where it is not to be chosen",
    )
    command.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="a folder for the files and collected.csv"
    )
    command.add_argument("--take", choices=TAKES, default="newest", help="which commit (default: newest)")
    command.add_argument(
        "--pins",
        metavar="FILE",
        type=Path,
        help="for --take due; CSV: handle, commit, observed, a line for each push",
    )


def run_collect(options: argparse.Namespace) -> int:
    """The exit code: 0, whoever is missing."""
    found = collect(options.roster, options.out, options.take, options.pins)
    missing = sum(bool(student.missing) for student in found)
    kept = sum(student.chosen_by.endswith(KEPT) for student in found)
    of_these = f" ({kept} of an earlier collect: collect again)" if kept else ""
    print(f"collected {len(found) - missing} of {len(found)}{of_these}; written: {options.out / COLLECTED}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m grader.classroom.collect", description=__doc__)
    add_arguments(parser)
    try:
        return run_collect(parser.parse_args())
    except UnusableError as error:
        print(f"grader: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

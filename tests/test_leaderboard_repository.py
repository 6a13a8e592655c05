"""Posting to a real bare repository: many at once lose nothing, and a crash leaves what was there."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from leaderboard_records import entry, record, write_record

from leaderboard import __main__, repository, store
from leaderboard.documents import EntryError
from leaderboard.posting import Place, Prepared
from leaderboard.settings import Settings
from leaderboard.store import Shelf

ROOT = Path(__file__).parents[1]
ARTIFACT = (ROOT / "tests" / "golden" / "trained-tiny.fw").read_bytes()
WRITERS = 50


@pytest.fixture
def bare(tmp_path: Path) -> str:
    folder = tmp_path / "board.git"
    git("init", "--quiet", "--bare", str(folder))
    return str(folder)


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


def listed(bare: str, commit: str = "leaderboard") -> list[str]:
    return git("--git-dir", bare, "ls-tree", "-r", "--name-only", commit).split()


def prepared(label: str, handle: str | None = None) -> Prepared:
    figures: dict[str, Any] = {
        "bytes": len(ARTIFACT),
        "artifact_sha256": hashlib.sha256(ARTIFACT).hexdigest(),
    }
    return Prepared(entry(handle or f"writer-{label}", label, **figures), ARTIFACT)


def post_one(url: str, number: int, machine: Path, gate: Any) -> None:
    tempfile.tempdir = str(machine)
    gate.wait()
    (posted,) = Place(repo=url).post([prepared(str(number))])
    assert posted.is_new


def test_fifty_writers_at_once_lose_nothing_and_double_nothing(bare: str, tmp_path: Path) -> None:
    """As if from 5 machines with 10 processes each: those of a machine wait for one another, machines do not.

    Every state on the way is complete as well: one more entry, and its artifact with it.
    """
    machines = [tmp_path / f"machine-{number}" for number in range(5)]
    for machine in machines:
        machine.mkdir()
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(WRITERS)
    writers = [
        context.Process(target=post_one, args=(bare, number, machines[number % 5], gate))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    expected = sorted(
        f"entries/{prepared(str(n)).entry.path}.{kind}" for n in range(WRITERS) for kind in ("fw", "json")
    )
    assert listed(bare) == expected
    commits = git("--git-dir", bare, "rev-list", "leaderboard").split()
    assert [len(listed(bare, commit)) for commit in commits] == [2 * n for n in range(WRITERS, 0, -1)]
    git("--git-dir", bare, "fsck", "--strict")
    contents = store.read_all(repository.download(bare, "leaderboard", tmp_path / "copy"))
    assert (len(contents.entries), len(contents.artifacts or {}), contents.refused) == (WRITERS, WRITERS, ())


def test_posting_twice_is_one_commit(bare: str) -> None:
    place = Place(repo=bare)
    assert [posted.is_new for posted in place.post([prepared("1")])] == [True]
    assert [posted.is_new for posted in place.post([prepared("1")])] == [False]
    assert git("--git-dir", bare, "rev-list", "--count", "leaderboard").strip() == "1"


def test_other_files_of_the_branch_stay_and_so_do_other_branches(bare: str, tmp_path: Path) -> None:
    work = tmp_path / "work"
    git("clone", "--quiet", bare, str(work))
    (work / "README.md").write_text("ours")
    (work / "entries").mkdir()
    (work / "entries" / "board.toml").write_text('phase = "blind"')
    git("-C", str(work), "add", ".")
    git(
        "-C",
        str(work),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "commit",
        "--quiet",
        "--message",
        "Start",
    )
    git("-C", str(work), "push", "--quiet", "origin", "HEAD:leaderboard", "HEAD:main")
    main = git("--git-dir", bare, "rev-parse", "main")
    (posted,) = Place(repo=bare).post([prepared("1")])
    assert str(posted).startswith(f"received, valid, {len(ARTIFACT)} bytes")
    assert {"README.md", "entries/board.toml"} < set(listed(bare))
    assert git("--git-dir", bare, "rev-parse", "main") == main


def test_somebody_else_was_first_and_all_is_looked_at_again(
    bare: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our look and our push, somebody on another machine takes a handle that looks like ours."""
    commit = repository.Git.commit
    others = [prepared("twin", "morn1ng-owl")]

    def late(self: repository.Git, *arguments: Any) -> str:
        if others:
            monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
            Place(repo=bare).post([others.pop()])
        return commit(self, *arguments)

    monkeypatch.setattr(repository.Git, "commit", late)
    with pytest.raises(EntryError, match="morning-owl could be taken for morn1ng-owl"):
        Place(repo=bare).post([prepared("owl", "morning-owl")])
    assert len(listed(bare)) == 2


def test_a_push_that_arrived_without_our_knowing_is_no_second_entry(
    bare: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = repository.Git.push

    def lose_the_answer(self: repository.Git, *arguments: str) -> bool:
        push(self, *arguments)
        return False

    monkeypatch.setattr(repository.Git, "push", lose_the_answer)
    (posted,) = Place(repo=bare).post([prepared("1")])
    assert not posted.is_new
    assert git("--git-dir", bare, "rev-list", "--count", "leaderboard").strip() == "1"


def test_killed_at_any_moment_the_branch_stays_whole(bare: str, tmp_path: Path) -> None:
    """A writer is killed after 20 different times, among them before, in and after its push."""
    Place(repo=bare).post([prepared("first")])
    context = multiprocessing.get_context("fork")
    begin = time.monotonic()
    Place(repo=bare).post([prepared("second")])
    usual = time.monotonic() - begin
    for number in range(20):
        writer = context.Process(target=Place(repo=bare).post, args=([prepared(f"killed-{number}")],))
        writer.start()
        writer.join(usual * number / 14)
        if writer.is_alive() and writer.pid is not None:
            os.kill(writer.pid, signal.SIGKILL)
        writer.join()
    git("--git-dir", bare, "fsck", "--strict")
    Place(repo=bare).post([prepared("last")])
    contents = store.read_all(repository.download(bare, "leaderboard", tmp_path / "copy"))
    assert len(contents.entries) == len(contents.artifacts or {}) == len(listed(bare)) // 2
    assert contents.refused == ()


def test_notices_go_to_the_branch_too(bare: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = prepared("1")
    Place(repo=bare).post([made])
    name = f"{made.entry.path}.json"
    arguments = ["notice", "withdraw", name, "--reason", "on request", "--repo", bare]
    assert __main__.main(arguments) == 0
    assert [path for path in listed(bare) if path.endswith("-withdraw.json")]
    assert __main__.main(["notice", "withdraw", "x" + name, "--reason", "no", "--repo", bare]) == 2
    assert "there is no entry" in capsys.readouterr().err
    arguments = ["build", "--repo", bare, "--out", str(tmp_path / "site"), "--mark-unverified"]
    assert __main__.main(arguments) == 0
    assert "on request" in (tmp_path / "site" / "index.html").read_text()


def test_by_command_from_another_process(bare: str, tmp_path: Path) -> None:
    results = []
    for label in ("a", "b"):
        results.append(write_record(tmp_path / f"{label}.json", record(label)))
    command = [sys.executable, "-m", "leaderboard", "post", *map(str, results), "--repo", bare]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["posted", "posted"]
    assert git("--git-dir", bare, "rev-list", "--count", "leaderboard").strip() == "1"
    assert len(listed(bare)) == 2


@pytest.mark.parametrize("url", ["/nowhere/board.git", "file:///nowhere"])
def test_a_repository_that_is_none_is_one_sentence(url: str) -> None:
    with pytest.raises(EntryError, match="nowhere"):
        Place(repo=url).post([prepared("1")])
    with pytest.raises(EntryError, match="nowhere"):
        repository.download(url, "leaderboard", Path("/tmp/never"))


def test_a_server_that_says_no_is_not_asked_again(bare: str) -> None:
    hook = Path(bare) / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'only on Mondays' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(EntryError, match="board"):
        Place(repo=bare).post([prepared("1")])


def test_whoever_never_gets_through_is_told(bare: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "MOST_ATTEMPTS", 3)
    monkeypatch.setattr(repository, "LONGEST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(repository.Git, "push", lambda *_: False)
    with pytest.raises(EntryError, match="somebody else was first 3 times"):
        Place(repo=bare).post([prepared("1")])


def test_what_posting_looks_at_is_the_same_in_a_folder_and_a_branch(bare: str, tmp_path: Path) -> None:
    made = prepared("1")
    Place(repo=bare).post([made])
    Place(folder=tmp_path / "entries").post([made])
    seen: list[Shelf] = []

    def look(shelf: Shelf, settings: Settings) -> dict[str, bytes]:
        seen.append(shelf)
        assert shelf.entry(f"{made.entry.path}.json") == made.entry
        assert settings == Settings()
        return {}

    repository.push(bare, "leaderboard", look, "nothing")
    assert seen[0].names == Shelf.of_folder(tmp_path / "entries").names

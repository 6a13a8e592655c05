"""Collecting: one file of a pinned commit, from repositories that mean no good, and a roster that Excel wrote."""

from __future__ import annotations

import csv
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from grader import UnusableError
from grader.classroom import collect as collect_module
from grader.classroom.collect import CollectError, Repository, collect, read_pins
from grader.classroom.roster import COLLECTED, read_class, read_roster
from tests.classroom import wait_until
from tests.grading import ROOT, run_grader


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=ada", "-c", "user.email=ada@example.invalid")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, text: str) -> str:
    (folder / "assignment" / "compression.py").write_text(text)
    return committed(folder)


def committed(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=work")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path) -> Path:
    folder = tmp_path / "ada"
    (folder / "assignment").mkdir(parents=True)
    git(folder, "init", "--quiet")
    git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    commit(folder, "first = 1\n")
    return folder


def roster(folder: Path, *lines: str, header: str = "handle,repository,commit") -> Path:
    path = folder / "roster.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def text_of(out: Path, handle: str = "quiet-heron") -> str:
    return (out / handle / "assignment" / "compression.py").read_text()


def rows(out: Path) -> dict[str, dict[str, str]]:
    with (out / COLLECTED).open(newline="") as file:
        return {row["handle"]: row for row in csv.DictReader(file)}


def test_one_file_of_the_newest_commit_is_collected(tmp_path, repository):
    (repository / "result.json").write_text("{}")
    newest = committed(repository)
    done = run_grader("collect", roster(tmp_path, f"quiet-heron,{repository},"), "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.py")}
    assert files == {"quiet-heron/assignment/compression.py"}
    assert (tmp_path / "out" / "quiet-heron" / "commit").read_text().strip() == newest
    row = rows(tmp_path / "out")["quiet-heron"]
    assert (row["commit"], row["chosen_by"]) == (newest, "the newest of the default branch")


def test_it_needs_no_package_as_the_workflow_runs_it(tmp_path, repository):
    """The job that holds the token installs nothing: Python's own library has to do."""
    path = roster(tmp_path, f"quiet-heron,{repository},")
    bare = [sys.executable, "-S", "-m", "grader.classroom.collect", path, "--out", tmp_path / "out"]
    done = subprocess.run(bare, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert text_of(tmp_path / "out") == "first = 1\n"


def test_a_pinned_commit_is_collected_though_newer_ones_are_there(tmp_path, repository):
    pinned = git(repository, "rev-parse", "HEAD")
    commit(repository, "second = 2\n")
    collect(roster(tmp_path, f"quiet-heron,{repository},{pinned}"), tmp_path / "out")
    assert text_of(tmp_path / "out") == "first = 1\n"
    assert rows(tmp_path / "out")["quiet-heron"]["chosen_by"] == "the roster's commit"


def test_the_last_tag_is_the_one_with_the_highest_number(tmp_path, repository):
    for number in (9, 10, 2):
        commit(repository, f"n = {number}\n")
        git(repository, "tag", f"submit/{number}")
    git(repository, "tag", "zzz")
    collect(roster(tmp_path, f"quiet-heron,{repository},"), tmp_path / "out", "tag")
    assert text_of(tmp_path / "out") == "n = 10\n"
    assert rows(tmp_path / "out")["quiet-heron"]["chosen_by"] == "the last tag by name: submit/10"


def test_a_tag_of_any_length_stops_nobody(tmp_path, repository):
    head = git(repository, "rev-parse", "HEAD")
    (repository / ".git" / "packed-refs").write_text(f"{head} refs/tags/submit/{'9' * 5000}\n")
    found = collect(roster(tmp_path, f"quiet-heron,{repository},"), tmp_path / "out", "tag")
    assert [(each.commit, each.missing) for each in found] == [(head, "")]


def test_an_answer_without_end_is_not_held_in_memory(tmp_path, repository, monkeypatch):
    head = git(repository, "rev-parse", "HEAD")
    names = "".join(f"{head} refs/tags/submit/{number}\n" for number in range(100))
    (repository / ".git" / "packed-refs").write_text(names)
    monkeypatch.setattr(collect_module, "LARGEST_ANSWER", 5000)
    found = collect(roster(tmp_path, f"quiet-heron,{repository},"), tmp_path / "out", "tag")
    assert "git ls-remote answered with more than" in found[0].missing


def test_a_repository_that_would_fill_the_disk_is_missing(tmp_path, repository, monkeypatch):
    (repository / "noise").write_bytes(random.Random(0).randbytes(300_000))
    committed(repository)
    monkeypatch.setattr(collect_module, "LARGEST_PACK", 100_000)
    found = collect(roster(tmp_path, f"quiet-heron,file://{repository},"), tmp_path / "out")
    assert found[0].missing
    monkeypatch.setattr(collect_module, "LARGEST_PACK", 1_000_000)
    found = collect(roster(tmp_path, f"quiet-heron,file://{repository},"), tmp_path / "out")
    assert not found[0].missing


def test_the_last_commit_that_a_server_saw_in_time_counts_whatever_its_date_says(tmp_path, repository):
    """The late commit is dated before the deadline by its author."""
    early = git(repository, "rev-parse", "HEAD")
    (repository / "assignment" / "compression.py").write_text("late = 1\n")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--date=2020-01-01T00:00:00Z", "--message=back then")
    late = git(repository, "rev-parse", "HEAD")
    pins = tmp_path / "pins.csv"
    pins.write_text(
        "handle,commit,observed\n"
        f"quiet-heron,{early},2026-11-01T10:00:00Z\n"
        f"quiet-heron,{late},2026-11-01T12:30:00+00:00\n"
    )
    header = "handle,repository,due,extension_hours"
    line = f"quiet-heron,{repository},2026-11-01T12:00:00+01:00"
    collect(roster(tmp_path, f"{line},", header=header), tmp_path / "out", "due", pins)
    assert text_of(tmp_path / "out") == "first = 1\n"
    assert rows(tmp_path / "out")["quiet-heron"]["observed"] == "2026-11-01T10:00:00Z"
    collect(roster(tmp_path, f"{line},2", header=header), tmp_path / "extended", "due", pins)
    assert text_of(tmp_path / "extended") == "late = 1\n"
    with pytest.raises(UnusableError, match="date can be forged"):
        collect(roster(tmp_path, line), tmp_path / "out", "due")


def test_a_link_arrives_as_the_text_that_it_is(tmp_path, repository):
    (repository / "assignment" / "compression.py").unlink()
    (repository / "assignment" / "compression.py").symlink_to("/etc/passwd")
    committed(repository)
    collect(roster(tmp_path, f"quiet-heron,{repository},"), tmp_path / "out")
    assert not (tmp_path / "out/quiet-heron/assignment/compression.py").is_symlink()
    assert text_of(tmp_path / "out") == "/etc/passwd"


def test_who_is_missing_has_a_line_with_the_reason_and_stops_nobody(tmp_path, repository):
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    large = tmp_path / "large"
    (large / "assignment").mkdir(parents=True)
    git(large, "init", "--quiet")
    commit(large, "#" * (2**21 + 1))
    lines = [f"no-one,{tmp_path}/nowhere,", f"no-commit,{empty},", f"too-large,{large},",
             "no-address,--upload-pack=touch x,", "by-program,ext::sh -c true,",
             f"quiet-heron,{repository},"]  # fmt: skip
    out = tmp_path / "out"
    found = {student.handle: student for student in collect(roster(tmp_path, *lines), out)}
    assert {name for name, student in found.items() if student.missing} == set(found) - {"quiet-heron"}
    assert "is larger than 2 MiB" in found["too-large"].missing
    assert "is no address" in found["no-address"].missing
    assert "is no address" in found["by-program"].missing
    assert {path.name for path in out.iterdir()} == {"quiet-heron", COLLECTED}
    again = {student.handle: student for student in read_class(out)}
    assert again["no-one"].missing == found["no-one"].missing
    assert again["quiet-heron"].path == str(out / "quiet-heron")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"name,repository\nada,x\n", "has no column 'handle'"),
        (b"handle,commit\n../../etc,\n", "line 2: a handle is"),
        (b"handle,commit\nada,--option\n", "line 2: a commit is"),
        (b"handle\nada\nada\n", "more than one line for ada"),
        (b"handle,extention_hours\nada,4\n", "is 'extension_hours' meant"),
        (b"handle,due\nada,2026-11-01T10:00\n", "has no zone"),
        (b"handle,late_rule\nada,10 percent\n", "a late rule is like"),
        (b"handle,extension_hours\nada,-3\n", "extension_hours is a number of hours"),
        (b"handle,name\nada,\xff\xfe\n", "is not UTF-8"),
        (b"handle\nada,x,y\n", "more cells than the header"),
        (b'handle,name\nada,"never closed\n', "is not CSV"),
        (b"handle,name\nada,\x1b[31m\n", "a character that cannot be printed"),
        (b"handle\n", "no student"),
    ],
)
def test_a_roster_that_is_none_says_where(tmp_path, content, sentence):
    (tmp_path / "roster.csv").write_bytes(content)
    with pytest.raises(UnusableError, match=sentence):
        read_roster(tmp_path / "roster.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rosters_are_read_as_spreadsheets_write_them(tmp_path, encoding, delimiter):
    lines = [["Handle", "Name", "Student ID", "Remark"], ["ada", "L\u00f6velace, Ada", "007", "=1+1"]]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    (tmp_path / "roster.csv").write_bytes(f"{text}\r\n\r\n".encode(encoding))
    [student] = read_roster(tmp_path / "roster.csv")
    assert (student.handle, student.name, student.student_id) == ("ada", "L\u00f6velace, Ada", "007")


def test_a_repository_that_cannot_be_reached_loses_nothing_collected_earlier(tmp_path, repository):
    """A network that is gone for a while: the earlier file stands, with its commit, and the line says so."""
    git(repository, "tag", "submit/1")
    path, out = roster(tmp_path, f"quiet-heron,{repository},"), tmp_path / "out"
    [before] = collect(path, out)
    repository.rename(tmp_path / "away")
    for _ in range(2):
        [kept] = collect(path, out)
        assert (kept.commit, kept.missing, kept.path) == (before.commit, "", "quiet-heron")
        assert kept.chosen_by == (
            "the newest of the default branch, of an earlier collect: the repository could not be reached"
        )
        assert text_of(out) == "first = 1\n"
    done = run_grader("collect", path, "--out", out)
    assert "collected 1 of 1 (1 of an earlier collect: collect again)" in done.stdout
    [by_tag] = collect(path, out, "tag")
    assert "does not" in by_tag.missing or "not appear to be" in by_tag.missing
    assert text_of(out) == "first = 1\n", "its file is there still, and is not taken for a tag's"
    (tmp_path / "away").rename(repository)
    assert collect(path, out) == [before]


def test_a_kept_file_of_another_commit_is_not_taken_for_the_one_in_time(tmp_path, repository):
    """Where the late commit was collected first, and the one in time cannot be fetched, the late one must not count."""
    early = git(repository, "rev-parse", "HEAD")
    late = commit(repository, "late = 1\n")
    out = tmp_path / "out"
    collect(roster(tmp_path, f"quiet-heron,{repository},"), out)
    repository.rename(tmp_path / "away")
    [line] = collect(roster(tmp_path, f"quiet-heron,{repository},{early}"), out)
    assert line.missing
    assert line.commit == ""
    (tmp_path / "out" / COLLECTED).unlink()
    (tmp_path / "away").rename(repository)
    collect(roster(tmp_path, f"quiet-heron,{repository},{late}"), out)
    repository.rename(tmp_path / "away")
    [line] = collect(roster(tmp_path, f"quiet-heron,{repository},{late}"), out)
    assert (line.commit, line.missing) == (late, "")


def test_a_file_that_a_student_took_away_is_missing(tmp_path, repository):
    path, out = roster(tmp_path, f"quiet-heron,{repository},"), tmp_path / "out"
    collect(path, out)
    git(repository, "rm", "--quiet", "assignment/compression.py")
    committed(repository)
    [line] = collect(path, out)
    assert "there is no assignment/compression.py in commit" in line.missing


def test_a_collect_that_is_stopped_leaves_a_whole_list(tmp_path, repository, monkeypatch):
    """Those who were not reached have their lines of last time, or say that they were not collected yet."""
    lines = [f"{name},{repository}," for name in ("first", "second", "third")]
    path, out = roster(tmp_path, *lines[:2]), tmp_path / "out"
    collect(path, out)
    commit(repository, "second = 2\n")
    path = roster(tmp_path, *lines)
    real = collect_module.collected

    def stopped(student, *arguments):
        if student.handle == "second":
            raise KeyboardInterrupt
        return real(student, *arguments)

    monkeypatch.setattr(collect_module, "collected", stopped)
    with pytest.raises(KeyboardInterrupt):
        collect(path, out)
    found = rows(out)
    assert text_of(out, "first") == "second = 2\n"
    assert text_of(out, "second") == "first = 1\n"
    assert found["first"]["commit"] != found["second"]["commit"] != ""
    assert found["third"]["missing"] == "not collected yet"


def test_a_branch_named_like_the_pinned_commit_is_not_taken_for_it(tmp_path, repository):
    pinned = git(repository, "rev-parse", "HEAD")
    commit(repository, "later = 1\n")
    git(repository, "branch", pinned[:8])
    git(repository, "branch", pinned)
    lines = (f"quiet-heron,{repository},{pinned[:8]}", f"calm-wren,{repository},{pinned}")
    found = {each.handle: each for each in collect(roster(tmp_path, *lines), tmp_path / "out")}
    assert "is a branch or tag of that name" in found["quiet-heron"].missing
    assert text_of(tmp_path / "out", "calm-wren") == "first = 1\n"


def test_a_tags_name_cannot_begin_another_cell(tmp_path, repository):
    git(repository, "tag", "submit/1;=cmd|'/C-calc'!A0")
    collect(roster(tmp_path, f"quiet-heron,{repository},"), tmp_path / "out", "tag")
    assert text_of(tmp_path / "out") == "first = 1\n"
    assert ";" not in (tmp_path / "out" / COLLECTED).read_text()


def test_a_server_that_never_answers_leaves_no_process_behind(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"https://127.0.0.1:{silent.getsockname()[1]}/ada"
        monkeypatch.setattr(collect_module, "FETCH_SECONDS", 1)
        (found,) = collect(roster(tmp_path, f"quiet-heron,{address},"), tmp_path / "out")
        wait_until(lambda: not any(address in (each.info["cmdline"] or ()) for each in processes()), 20)
    assert found.missing == "git took more than 1 s"


def processes() -> list[psutil.Process]:
    found = psutil.process_iter(["cmdline", "status"])
    return [each for each in found if each.info["status"] != psutil.STATUS_ZOMBIE]


def test_the_token_is_in_no_processs_arguments_and_reaches_github_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("STUDENTS_TOKEN", "secret")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "git").write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\nPATH=${{PATH#*:}} exec git "$@"\n'
    )
    (tmp_path / "git").chmod(0o755)
    asked = ("config", "--get-urlmatch", "http.extraheader")
    repository = Repository(tmp_path, "")
    assert b"Authorization: Basic" in repository.git(*asked, "https://github.com/a/b")
    with pytest.raises(CollectError):
        repository.git(*asked, "https://example.org/a/b")
    assert "example.org" in (tmp_path / "arguments").read_text()
    assert "Basic" not in (tmp_path / "arguments").read_text()


def test_a_line_of_pins_that_is_too_short_is_named(tmp_path):
    (tmp_path / "pins.csv").write_text(f"commit,handle,observed\n{'a' * 40}\n")
    with pytest.raises(UnusableError, match="line 2 is no handle"):
        read_pins(tmp_path / "pins.csv")


def test_the_repository_that_we_are_in_is_let_be(tmp_path, repository, monkeypatch):
    own = tmp_path / "own"
    git(tmp_path, "init", "--quiet", str(own))
    before = sorted(own.rglob("*"))
    monkeypatch.setenv("GIT_DIR", str(own / ".git"))
    collect(roster(tmp_path, f"quiet-heron,{repository},"), tmp_path / "out")
    assert text_of(tmp_path / "out") == "first = 1\n"
    assert sorted(own.rglob("*")) == before

"""What a killed class leaves under the temporary directory is removed by the next, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile

import pytest

from grader.classroom.folders import LOCK, PREFIX, own_folder, remove_abandoned
from tests.grading import ROOT

HOLD = "import sys; from grader.classroom.folders import own_folder\nwith own_folder() as f:\n    print(f, flush=True); sys.stdin.read()"


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def holder() -> tuple[subprocess.Popen[str], str]:
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_folder_is_removed_when_who_made_it_was_killed_and_not_before(tmp_path):
    process, folder = holder()
    open(os.path.join(folder, "left"), "w").close()
    assert remove_abandoned() == []
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert [str(each) for each in remove_abandoned()] == [folder]
    assert not list(tmp_path.glob(f"{PREFIX}*"))


def test_a_folder_that_ends_as_it_should_leaves_nothing(tmp_path):
    with own_folder() as folder:
        assert (folder / LOCK).is_file()
        assert remove_abandoned() == [], "a process does not remove what it holds itself"
    assert not list(tmp_path.iterdir())


def test_what_is_not_ours_is_let_be(tmp_path):
    """A link, a file, a folder without the lock, a folder whose lock is a link: a stranger's, or just being made."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / LOCK).touch()
    (tmp_path / f"{PREFIX}link").symlink_to(precious)
    (tmp_path / f"{PREFIX}file").touch()
    (tmp_path / f"{PREFIX}new").mkdir()
    (tmp_path / f"{PREFIX}odd").mkdir()
    (tmp_path / f"{PREFIX}odd" / LOCK).symlink_to(precious / LOCK)
    (tmp_path / "another-program").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert remove_abandoned() == []
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's folder")
def test_another_users_folder_is_let_be(tmp_path):
    process, folder = holder()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    os.chown(folder, 12345, 12345)
    assert remove_abandoned() == []


def test_the_next_class_removes_what_a_killed_one_left(tmp_path):
    from tests.classroom import class_command, graded, kill_at, make_class, small_suites
    from tests.grading import RIGHT

    place = make_class(tmp_path / "in", dict.fromkeys(("ada", "bob", "cyn", "dan"), RIGHT))
    suites, out = small_suites(tmp_path / "suites"), tmp_path / "out"
    kill_at(class_command(place, out, suites, "--jobs", 1), out, 1)
    for folder in tmp_path.glob(f"{PREFIX}*"):
        (folder / "left").touch()
    made = {folder.name for folder in tmp_path.glob(f"{PREFIX}*")}
    graded(place, out, suites)
    assert not {folder.name for folder in tmp_path.glob(f"{PREFIX}*")} & made

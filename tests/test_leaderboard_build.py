"""Building: one folder, whole or not at all, and never in the place of something else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from leaderboard_page import BOARD, Page, post_all, rows
from leaderboard_records import entry, record, write_record

from leaderboard import __main__, site, store
from leaderboard.site import build


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.fixture
def no_plot(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests about folders: drawing takes a second each time."""
    monkeypatch.setattr(site, "pareto_svg", lambda groups, narrow: "<svg></svg>")


@pytest.mark.usefixtures("no_plot")
def test_every_row_leads_to_its_own_entry(tmp_path: Path) -> None:
    build(post_all(tmp_path / "entries", *BOARD), tmp_path / "site")
    for made in BOARD:
        copy = tmp_path / "site" / "entries" / made.handle / made.file_name
        assert copy.read_bytes() == (tmp_path / "entries" / made.handle / made.file_name).read_bytes()


def test_same_entries_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    entries = post_all(tmp_path / "entries", *BOARD)
    for name, seed in (("one", "1"), ("two", "2")):
        command = [
            sys.executable,
            "-m",
            "leaderboard",
            "build",
            "--entries",
            entries,
            "--out",
            tmp_path / name,
        ]
        subprocess.run(
            command, check=True, env={**os.environ, "PYTHONHASHSEED": seed}, cwd=Path(__file__).parents[1]
        )
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


@pytest.mark.usefixtures("no_plot")
def test_the_build_time_is_shown_only_when_given(tmp_path: Path) -> None:
    entries = post_all(tmp_path / "entries", *BOARD)
    arguments = ["build", "--entries", str(entries), "--out", str(tmp_path / "site")]
    assert __main__.main(arguments) == 0
    assert "This page was built" not in (tmp_path / "site" / "index.html").read_text("utf-8")
    assert __main__.main([*arguments, "--built", "2026-03-05T01:30:00+01:00"]) == 0
    assert "2026-03-05 at 00:30 UTC" in (tmp_path / "site" / "index.html").read_text("utf-8")
    assert __main__.main([*arguments, "--built", "now"]) == 0
    for wrong in ("yesterday", "2026-03-05T01:30:00"):
        assert __main__.main([*arguments, "--built", wrong]) == 2


@pytest.mark.usefixtures("no_plot")
def test_a_file_that_is_no_entry_is_named_and_the_rest_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = post_all(tmp_path / "entries", *BOARD)
    (entries / "ann" / "broken.json").write_text('{"schema": "featherweight/entry/v1"}')
    (entries / "bob" / "moved.json").write_text(BOARD[0].to_json())
    (entries / "bob" / "binary.json").write_bytes(b"\xff")
    (entries / "bob" / "huge.json").write_text(" " * (store.MAX_ENTRY_BYTES + 1))
    (entries / "bob" / "link.json").symlink_to(tmp_path / "elsewhere")
    (entries / "bob" / "folder.json").mkdir()
    (entries / "README.md").write_text("not an entry, and not in a handle's folder")
    assert __main__.main(["build", "--entries", str(entries), "--out", str(tmp_path / "site")]) == 1
    captured = capsys.readouterr()
    assert "from 6 entries" in captured.out
    text = Page((tmp_path / "site" / "index.html").read_text("utf-8")).text
    for said in (
        "ann/broken.json",
        "bob/moved.json: its content belongs in ann/",
        "bob/binary.json: not UTF-8 text",
        "bob/huge.json: larger than",
        "bob/link.json: not a regular file",
        "bob/folder.json: not a regular file",
    ):
        assert said in text
        assert said.split(":")[0] in captured.err
    assert "README" not in text


@pytest.mark.usefixtures("no_plot")
def test_a_new_build_replaces_the_old_as_a_whole(tmp_path: Path) -> None:
    entries = post_all(tmp_path / "entries", BOARD[0], BOARD[2])
    build(entries, tmp_path / "site")
    (entries / "bob" / BOARD[2].file_name).unlink()
    build(entries, tmp_path / "site")
    assert not (tmp_path / "site" / "entries" / "bob").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["entries", "site"]


@pytest.mark.usefixtures("no_plot")
@pytest.mark.parametrize("step", ["_write", "_swap", "render"])
def test_a_failed_build_leaves_the_old_site_as_it_was(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = post_all(tmp_path / "entries", *BOARD)
    build(entries, tmp_path / "site")
    before = tree(tmp_path / "site")
    post_all(entries, entry("late"))

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(site, step, crash)
    with pytest.raises(KeyboardInterrupt):
        build(entries, tmp_path / "site")
    assert tree(tmp_path / "site") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["entries", "site"]


@pytest.mark.usefixtures("no_plot")
def test_a_rename_that_fails_brings_the_old_site_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = post_all(tmp_path / "entries", *BOARD)
    build(entries, tmp_path / "site")
    before = tree(tmp_path / "site")
    rename = Path.rename

    def fail_for_the_new(path: Path, target: Path) -> Path:
        if ".new-" in path.name:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new)
    code = __main__.main(["build", "--entries", str(entries), "--out", str(tmp_path / "site")])
    assert code == 1
    assert "No space left on device" in capsys.readouterr().err
    assert tree(tmp_path / "site") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["entries", "site"]


@pytest.mark.usefixtures("no_plot")
def test_a_folder_that_is_no_site_is_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = post_all(tmp_path / "entries", *BOARD)
    thesis = tmp_path / "home" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    site_with_git = tmp_path / "pages"
    build(entries, site_with_git)
    (site_with_git / ".git").mkdir()
    for out in (thesis.parent, thesis, tmp_path, entries, entries / "site", site_with_git):
        assert __main__.main(["build", "--entries", str(entries), "--out", str(out)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert thesis.read_text() == "years of work"
    assert (site_with_git / ".git").is_dir()
    assert len(store.read_all(entries)[0]) == len(BOARD)


@pytest.mark.usefixtures("no_plot")
def test_an_empty_folder_may_become_the_site(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    build(post_all(tmp_path / "entries", *BOARD), tmp_path / "site")
    assert (tmp_path / "site" / "index.html").is_file()


def test_a_mistyped_entries_folder_is_not_an_empty_board(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = __main__.main(["build", "--entries", str(tmp_path / "entires"), "--out", str(tmp_path / "site")])
    assert code == 2
    assert "there is no folder" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_post_then_build_as_a_user_does_it(tmp_path: Path) -> None:
    result = write_record(tmp_path / "result.json", record())
    root = Path(__file__).parents[1]
    base = [sys.executable, "-m", "leaderboard"]
    for arguments in (["post", result, "--handle", "reference"], ["build", "--out", tmp_path / "site"]):
        command = [*base, *map(str, arguments), "--entries", str(tmp_path / "entries")]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        assert len(done.stdout.splitlines()) == 1
    page = Page((tmp_path / "site" / "index.html").read_text("utf-8"))
    assert rows(page)[0][:5] == ["1", "reference", "7.500", "98.00 ± 0.39", "4,096"]


@pytest.mark.usefixtures("no_plot")
def test_the_site_can_be_served_to_others(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        build(post_all(tmp_path / "entries", *BOARD), tmp_path / "site")
    finally:
        os.umask(umask)
    for path in (tmp_path / "site").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)
    assert (tmp_path / "site").stat().st_mode & 0o777 == 0o755

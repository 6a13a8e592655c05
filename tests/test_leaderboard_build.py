"""Building: one folder, whole or not at all, and never in the place of something else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from leaderboard_page import BOARD, Page, post_all, rows
from leaderboard_records import entry, record, write_record

from leaderboard import __main__, pages, site, store
from leaderboard.board import Board, Trust
from leaderboard.documents import EntryError
from leaderboard.serve import server

NOW = datetime(2026, 3, 5, 0, 30, tzinfo=UTC)
TRUST = Trust(mark_unverified=True)


def build(entries: Path, out: Path) -> Board:
    return site.build(entries, out, TRUST, NOW)


def command(entries: Path, out: Path) -> list[str]:
    return ["build", "--entries", str(entries), "--out", str(out), "--mark-unverified"]


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_every_row_leads_to_its_own_page_and_entry(tmp_path: Path) -> None:
    build(post_all(tmp_path / "entries", *BOARD), tmp_path / "site")
    for made in BOARD:
        copy = tmp_path / "site" / "entries" / f"{made.path}.json"
        assert copy.read_bytes() == (tmp_path / "entries" / f"{made.path}.json").read_bytes()
        page = Page(copy.with_suffix(".html").read_text("utf-8"))
        assert f"../../entries/{made.path}.json" in page.links
        assert f"{made.bytes:,}" in page.text


def test_same_entries_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    entries = post_all(tmp_path / "entries", *BOARD)
    for name, seed in (("one", "1"), ("two", "2")):
        arguments = [*command(entries, tmp_path / name), "--built", "2026-03-05T01:30:00+01:00"]
        subprocess.run(
            [sys.executable, "-m", "leaderboard", *arguments],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[1],
        )
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_every_page_says_when_it_was_built(tmp_path: Path) -> None:
    entries = post_all(tmp_path / "entries", *BOARD)
    arguments = command(entries, tmp_path / "site")
    assert __main__.main([*arguments, "--built", "2026-03-05T01:30:00+01:00"]) == 0
    for path in (tmp_path / "site").rglob("*.html"):
        assert "last built on" in path.read_text("utf-8")
        assert "2026-03-05 at 00:30 UTC" in path.read_text("utf-8")
    assert __main__.main(arguments) == 0
    assert f"{datetime.now(UTC):%Y-%m-}" in (tmp_path / "site" / "index.html").read_text("utf-8")
    for wrong in ("yesterday", "2026-03-05T01:30:00"):
        assert __main__.main([*arguments, "--built", wrong]) == 2


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
    assert __main__.main(command(entries, tmp_path / "site")) == 1
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


def test_a_new_build_replaces_the_old_as_a_whole(tmp_path: Path) -> None:
    entries = post_all(tmp_path / "entries", BOARD[0], BOARD[2])
    build(entries, tmp_path / "site")
    (entries / "bob" / BOARD[2].file_name).unlink()
    build(entries, tmp_path / "site")
    assert not (tmp_path / "site" / "entries" / "bob").exists()
    assert not (tmp_path / "site" / "handles" / "bob.html").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["entries", "site"]


@pytest.mark.parametrize("step", ["_write", "_swap", "pages"])
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
    assert __main__.main(command(entries, tmp_path / "site")) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert tree(tmp_path / "site") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["entries", "site"]


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
        assert __main__.main(command(entries, out)) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert thesis.read_text() == "years of work"
    assert (site_with_git / ".git").is_dir()
    assert len(store.read_all(entries).entries) == len(BOARD)


def test_an_empty_folder_may_become_the_site(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    build(post_all(tmp_path / "entries", *BOARD), tmp_path / "site")
    assert (tmp_path / "site" / "index.html").is_file()


def test_a_mistyped_entries_folder_is_not_an_empty_board(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(command(tmp_path / "entires", tmp_path / "site")) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_post_then_build_as_a_user_does_it(tmp_path: Path) -> None:
    result = write_record(tmp_path / "result.json", record())
    entries = tmp_path / "entries"
    posting = ["post", str(result), "--handle", "reference", "--entries", str(entries)]
    for arguments in (posting, command(entries, tmp_path / "site")):
        done = subprocess.run(
            [sys.executable, "-m", "leaderboard", *arguments],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            check=True,
        )
        assert len(done.stdout.splitlines()) == 1
    page = Page((tmp_path / "site" / "index.html").read_text("utf-8"))
    assert rows(page)[0][:5] == ["1", "reference", "7.500", "98.00 ± 0.39", "4,096"]


def test_the_site_can_be_served_to_others(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        build(post_all(tmp_path / "entries", *BOARD), tmp_path / "site")
    finally:
        os.umask(umask)
    for path in (tmp_path / "site").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)
    assert (tmp_path / "site").stat().st_mode & 0o777 == 0o755


def test_serve_shows_the_site_to_this_machine_alone(tmp_path: Path) -> None:
    build(post_all(tmp_path / "entries", *BOARD), tmp_path / "site")
    with server(tmp_path / "site", 0) as running:
        assert running.server_address[0] == "127.0.0.1"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{running.server_address[1]}/"
            with urllib.request.urlopen(address) as answer:
                assert answer.read() == (tmp_path / "site" / "index.html").read_bytes()
        finally:
            running.shutdown()
            thread.join()
    with pytest.raises(EntryError, match="there is no site"):
        server(tmp_path / "entries", 0)


def test_more_rows_than_a_page_holds_go_on_on_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_ROWS", 2)
    made = [entry(f"h{n}x", score=9 - n, bytes=4096 + n) for n in range(5)]
    pages._environment.cache_clear()
    build(post_all(tmp_path / "entries", *made), tmp_path / "site")
    pages._environment.cache_clear()
    shown = []
    for name in ("index.html", "board/mnist-public-mlp-2.html", "board/mnist-public-mlp-3.html"):
        page = Page((tmp_path / "site" / name).read_text("utf-8"))
        shown += [row[:2] for row in rows(page)]
        links = [link for link in page.links if "mnist-public-mlp" in link]
        for link in links:
            assert ((tmp_path / "site" / name).parent / link.split("#")[0]).resolve().is_file()
        assert len(links) == 3
    assert shown == [[str(n + 1), f"h{n}x"] for n in range(5)]

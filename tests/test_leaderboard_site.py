"""The page: right numbers, hostile text as text, links that resolve, the same bytes for the same entries."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from leaderboard_records import entry, record, write_record

from leaderboard import __main__, site, store
from leaderboard.entry import Entry
from leaderboard.site import build, render

VOID = {"meta", "link", "br", "img", "hr", "input", "path", "circle", "use"}


class Page(HTMLParser):
    """Reads a page strictly: every element closed in order. Collects what the tests ask for."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.tables: list[list[list[str]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.start(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.start(tag, attributes)

    def start(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attributes
        named = dict(attributes)
        if named.get("id"):
            self.ids.append(str(named["id"]))
        if tag in ("a", "use", "link"):
            self.links.append(str(named["href"]))
        if "src" in named:
            self.sources.append(str(named["src"]))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.text += data
        if self.open and {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data


def rows(page: Page, table: int = 0) -> list[list[str]]:
    """A table's body, white space made single."""
    return [[" ".join(cell.split()) for cell in row] for row in page.tables[table][1:]]


def post_all(folder: Path, *entries: Entry) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for made in entries:
        store.post(made, folder)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


BOARD = (
    entry(
        "ann", "1", score=7.4321, bytes=6912, accuracy_percent=97.86, flags=["two runs gave different bytes"]
    ),
    entry("ann", "2", score=7.0, bytes=8000, accuracy_percent=97.9),
    entry("bob", "3", score=7.9876, bytes=3566, accuracy_percent=98.34),
    entry("cat", "4", score=8.1, bytes=2476, accuracy_percent=98.26, division="open"),
    entry("dan", "5", score=5.0, bytes=9012, accuracy_percent=96.4, data="mnist-5k", split="full"),
    entry("eve", "6", score=0.0, bytes=17000, ranked=False, flags=["over the budget"]),
)


def test_rows_show_the_numbers_of_the_entries() -> None:
    page = Page(board_html())
    # 97.86 / 6.75 KiB = 14.50; Wilson's half-width at 97.86 % of 5,000 images is 0.40, at 98.34 % 0.36.
    bob, ann = rows(page)
    assert bob[:7] == ["1", "bob", "7.988", "98.34 ± 0.36", "3,566", "flyweight", "28.24"]
    assert bob[7:] == ["1", "2026-03-04", "0123456…"]
    assert ann[:4] == ["2", "anntwo runs gave different bytes", "7.432", "97.86 ± 0.40"]
    assert ann[4:8] == ["6,912", "bantamweight", "14.50", "2"]
    assert rows(page, 1)[0][:5] == ["1", "cat", "8.100", "98.26 ± 0.36", "2,476"]
    exact = [value for name, value in page.attributes if name == "value"]
    assert {"7.4321", "6912", "97.86"} <= set(exact)


def test_fallback_runs_and_unranked_ones_have_tables_of_their_own() -> None:
    page = Page(board_html())
    assert len(page.tables) == 5
    names = [row[1][:3] for table in range(2) for row in rows(page, table)]
    assert names == ["bob", "ann", "cat"]
    assert [row[:2] for row in rows(page, 2)] == [["1", "dan"]]
    assert [row[:4] for row in rows(page, 3)] == [["eve", "over the budget", "98.00 ± 0.39", "17,000"]]
    assert "1,000 images" in page.text


def test_a_shared_rank_is_marked() -> None:
    assert [row[0] for row in rows(Page(render([entry("ann"), entry("bob"), entry("cat", score=1.0)])))] == [
        "1=",
        "1=",
        "3",
    ]


def test_published_results_are_marked_as_not_measured_here() -> None:
    page = Page(board_html())
    assert [row[:3] for row in rows(page, 4)] == [
        ["Deep Compression", "98.42", "27 KB"],
        ["Entropy Penalized Reparameterization", "98.1", "8.56 KB"],
    ]
    assert "Not measured here" in page.text
    assert "Han et al. 2016" in page.text
    assert "https://arxiv.org/abs/1510.00149" in page.links


def test_fallback_plot_has_no_published_results() -> None:
    assert "Han et al. 2016" not in Page(render([BOARD[4]])).text


def test_mixed_rules_are_said() -> None:
    made = record("x")
    made["grader"]["rules_sha256"] = "0" * 64
    assert "2 versions of the rules" in render([BOARD[0], Entry.from_record(made, "zoe")])
    assert "versions of the rules" not in board_html()


@cache
def board_html() -> str:
    return render(BOARD)


@pytest.fixture
def no_plot(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests about folders: drawing takes a second each time."""
    monkeypatch.setattr(site, "pareto_svg", lambda groups, narrow: "<svg></svg>")


HOSTILE = '</td><script>alert("x")</script>&amp;\u202egnp.exe\u0007' + "{{ 7 * 7 }}"


def test_hostile_commit_and_flags_are_text() -> None:
    made = record("x", flags=[HOSTILE, "y" * 1000, "\ud800"])
    made["submission"]["commit"] = "<b>" + HOSTILE
    unranked = record("z", ranked=False, flags=[HOSTILE])
    html = render([Entry.from_record(made, "mallory"), Entry.from_record(unranked, "mallory")])
    page = Page(html)
    html.encode("utf-8")
    assert not {"script", "b"} & set(page.tags)
    assert not {"\u202e", "\u0007"} & set(html)
    assert '</td><script>alert("x")</script>&amp;\\u202egnp.exe\\x07{{ 7 * 7 }}' in page.text
    assert "49" not in rows(page)[0][1]


def test_hostile_file_names_are_text(tmp_path: Path) -> None:
    folder = tmp_path / "entries" / '<img src=x onerror="alert(1)">'
    folder.mkdir(parents=True)
    (folder / "<script>.json").write_text("{}")
    build(tmp_path / "entries", tmp_path / "site")
    page = Page((tmp_path / "site" / "index.html").read_text("utf-8"))
    assert not {"script", "img"} & set(page.tags)
    assert '<img src=x onerror="alert(1)">/<script>.json' in page.text


def test_nothing_is_loaded_from_elsewhere_and_no_script_runs() -> None:
    html = board_html()
    page = Page(html)
    assert page.sources == []
    assert "script" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert not re.search(r"@import|url\((?!#)", html)
    assert re.search(r"default-src 'none'", html)


def test_every_link_resolves_and_no_id_is_used_twice(tmp_path: Path) -> None:
    build(post_all(tmp_path / "entries", *BOARD), tmp_path / "site")
    page = Page((tmp_path / "site" / "index.html").read_text("utf-8"))
    assert len(page.ids) == len(set(page.ids))
    local = [link for link in page.links if not link.startswith(("https://", "data:"))]
    assert len(local) > 10
    for link in local:
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert (tmp_path / "site" / link).is_file()
    clips = re.findall(r"url\(#([^)]+)\)", (tmp_path / "site" / "index.html").read_text("utf-8"))
    assert set(clips) <= set(page.ids)


@pytest.mark.usefixtures("no_plot")
def test_every_row_leads_to_its_own_entry(tmp_path: Path) -> None:
    build(post_all(tmp_path / "entries", *BOARD), tmp_path / "site")
    for made in BOARD:
        copy = tmp_path / "site" / "entries" / made.handle / made.file_name
        assert copy.read_bytes() == (tmp_path / "entries" / made.handle / made.file_name).read_bytes()


def test_tables_are_tables_for_screen_readers() -> None:
    html = board_html()
    assert html.count("<caption") == html.count("<table") == 5
    assert html.count('scope="row"') == 7
    assert html.count('<html lang="en">') == html.count("<h1>") == html.count("<main") == 1


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


def test_an_empty_board_says_how_to_post(tmp_path: Path) -> None:
    (tmp_path / "entries").mkdir()
    build(tmp_path / "entries", tmp_path / "site")
    page = Page((tmp_path / "site" / "index.html").read_text("utf-8"))
    assert "python -m leaderboard post" in page.text
    assert "0 entries from 0 handles" in page.text
    assert len(page.tables) == 1


def test_a_board_without_ranked_entries_says_so() -> None:
    page = Page(render([BOARD[5]]))
    assert "No entry is ranked yet" in page.text
    assert [row[0] for row in rows(page)] == ["eve"]


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


def test_plot_draws_every_ranked_entry_the_front_and_the_names() -> None:
    html = board_html()
    wide = html[html.index('class="plot wide"') : html.index('class="plot narrow"')]
    assert "bob" in wide
    assert "cat" in wide
    assert "var(--plot-front)" in wide
    assert "#0101" not in wide
    assert json.loads(json.dumps(wide)).count("<svg") == 1


def test_a_full_score_and_one_byte_can_be_drawn() -> None:
    Page(render([entry("ann", bytes=1, accuracy_percent=100.0, accuracy_per_kib=102400.0)]))
    Page(render([entry("ann", bytes=900_000_000, accuracy_percent=0.0)]))

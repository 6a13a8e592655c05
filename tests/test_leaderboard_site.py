"""The page: right numbers, hostile text as text, links that resolve, the same bytes for the same entries."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from leaderboard_page import BOARD, Page, post_all, rows
from leaderboard_records import entry, record

from leaderboard.entry import Entry
from leaderboard.site import build, render


def test_rows_show_the_numbers_of_the_entries() -> None:
    page = Page(board_html())
    # 97.86 / 6.75 KiB = 14.50; Wilson's half-width at 97.86 % of 5,000 images is 0.40, at 98.34 % 0.36.
    bob, ann = rows(page)
    assert bob[:7] == ["1", "bob", "7.988", "98.34 ± 0.36", "3,566", "middleweight", "28.24"]
    assert bob[7:] == ["1", "2026-03-04", "0123456…"]
    assert ann[:4] == ["2", "anntwo runs gave different bytes", "7.432", "97.86 ± 0.40"]
    assert ann[4:8] == ["6,912", "", "14.50", "2"]
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


def test_tables_are_tables_for_screen_readers() -> None:
    html = board_html()
    assert html.count("<caption") == html.count("<table") == 5
    assert html.count('scope="row"') == 7
    assert html.count('<html lang="en">') == html.count("<h1>") == html.count("<main") == 1


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

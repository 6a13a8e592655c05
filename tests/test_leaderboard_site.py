"""The pages: right numbers, hostile text as text, links that resolve, and the same board as JSON, CSV and feed."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from functools import cache
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from leaderboard_page import BOARD, Page, post_all, rows
from leaderboard_records import bits, entry, record, sha256

from leaderboard import __main__, site
from leaderboard.board import Board, Trust, assemble
from leaderboard.documents import EntryError
from leaderboard.entry import Entry
from leaderboard.feeds import board_csv, board_json, feed
from leaderboard.final import Final
from leaderboard.pages import pages, techniques
from leaderboard.store import Contents

NOW = datetime(2026, 4, 1, tzinfo=UTC)
PACKAGE = Path(site.__file__).parent


def board_of(*entries: Entry, final: Final | None = None) -> Board:
    return assemble(Contents(entries), Trust(mark_unverified=True), NOW, final)


def render(*entries: Entry, final: Final | None = None) -> dict[str, str]:
    return dict(pages(board_of(*entries, final=final)))


def index(*entries: Entry) -> str:
    return render(*entries)["index.html"]


@cache
def board_html() -> str:
    return index(*BOARD)


def test_rows_show_the_numbers_of_the_entries() -> None:
    page = Page(board_html())
    # 97.86 / 6.75 KiB = 14.50; Wilson's half-width at 97.86 % of 5,000 images is 0.40, at 98.34 % 0.36.
    bob, ann = rows(page)
    assert bob[:7] == ["1", "bob", "7.988", "98.34 ± 0.36", "3,566", "28.24", "middleweight"]
    assert bob[7:] == ["1", "2026-03-04", "unverified"]
    assert ann[:4] == ["2", "anntwo runs gave different bytes", "7.432", "97.86 ± 0.40"]
    assert ann[4:8] == ["6,912", "14.50", "", "2"]
    assert rows(page, 1)[0][:5] == ["1", "cat", "8.100", "98.26 ± 0.36", "2,476"]
    exact = [value for name, value in page.attributes if name == "value"]
    assert {"7.4321", "6912", "97.86"} <= set(exact)


def test_fallback_runs_and_unranked_ones_have_tables_of_their_own() -> None:
    page = Page(board_html())
    assert len(page.tables) == 5
    names = [row[1][:3] for table in range(2) for row in rows(page, table)]
    assert names == ["bob", "ann", "cat"]
    assert [row[:2] for row in rows(page, 2)] == [["1", "dan"]]
    assert [row[:5] for row in rows(page, 4)] == [["eve", "flagged", "over the budget", "98.00", "17,000"]]
    assert "1,000 images" in page.text


def test_a_shared_rank_is_marked() -> None:
    found = rows(Page(index(entry("ann"), entry("bob"), entry("cat", score=1.0))))
    assert [row[0] for row in found] == ["1=", "1=", "3"]


def test_published_results_and_baselines_are_apart_and_said_to_be() -> None:
    page = Page(index(*BOARD, entry("eight-bits", "b", baseline="8 bits <b>", score=9.9)))
    assert [row[:3] for row in rows(page, 4)] == [
        ["Deep Compression", "98.42", "27 KB"],
        ["Entropy Penalized Reparameterization", "98.1", "8.56 KB"],
    ]
    assert "Not measured here" in page.text
    assert "Han et al. 2016" in page.text
    assert "https://arxiv.org/abs/1510.00149" in page.links
    assert [row[:2] for row in rows(page, 3)] == [["8 bits <b>", "9.900"]]
    assert [row[0] for row in rows(page, 0)] == ["1", "2"]


def test_fallback_plot_has_no_published_results() -> None:
    assert "Han et al. 2016" not in Page(index(BOARD[4])).text


def test_mixed_rules_are_said() -> None:
    made = record("x")
    made["grader"]["rules_sha256"] = "0" * 64
    assert "2 versions of the rules" in index(BOARD[0], Entry.from_record(made, "zoe"))
    assert "versions of the rules" not in board_html()


HOSTILE = '</td><script>alert("x")</script>&amp;\u202egnp.exe\u0007' + "{{ 7 * 7 }}"


def test_hostile_commit_flags_and_reasons_are_text() -> None:
    made = record("x", flags=[HOSTILE, "y" * 10_000, "\ud800"])
    made["submission"]["commit"] = "<b>" + HOSTILE
    unranked = record("z", ranked=False, flags=[HOSTILE])
    corrects = (Entry.from_record(unranked, "mallory").file_name, HOSTILE)
    found = render(
        Entry.from_record(made, "mallory", corrects=corrects),
        Entry.from_record(unranked, "mallory"),
        entry("hostile", "b", baseline=HOSTILE[:60]),
    )
    for name, html in found.items():
        html.encode("utf-8")
        page = Page(html)
        scripts = re.findall(r"<script(?! defer src=\"[./a-z]+\.js\">)", html)
        assert (scripts, "b" in page.tags) == ([], False), name
        assert not {"\u202e", "\u0007"} & set(html), name
        assert "49" not in [" ".join(cell.split()) for table in page.tables for row in table for cell in row]
    assert (
        '</td><script>alert("x")</script>&amp;\\u202egnp.exe\\x07{{ 7 * 7 }}'
        in Page(found["index.html"]).text
    )


def test_hostile_file_names_are_text(tmp_path: Path) -> None:
    folder = tmp_path / "entries" / '<img src=x onerror="alert(1)">'
    folder.mkdir(parents=True)
    (folder / "<script>.json").write_text("{}")
    site.build(tmp_path / "entries", tmp_path / "site", Trust(), NOW)
    page = Page((tmp_path / "site" / "index.html").read_text("utf-8"))
    assert "img" not in page.tags
    assert '<img src=x onerror="alert(1)">/<script>.json' in page.text


def test_nothing_is_loaded_from_elsewhere() -> None:
    for name, html in render(*BOARD).items():
        page = Page(html)
        assert all(re.fullmatch(r"(\.\./)*[a-z]+\.js", source) for source in page.sources), name
        assert not [key for key, _ in page.attributes if key.startswith("on") or key == "style"], name
        assert "default-src 'none'" in unescape(html)
    for asset in (*PACKAGE.glob("templates/*.css"), *PACKAGE.glob("templates/*.js")):
        assert not re.search(
            r"@import|url\(|https?:|fetch\(|XMLHttp|innerHTML|eval\(", asset.read_text("utf-8")
        ), asset


def test_every_link_resolves_and_no_id_is_used_twice(tmp_path: Path) -> None:
    site.build(post_all(tmp_path / "entries", *BOARD), tmp_path / "site", Trust(mark_unverified=True), NOW)
    count = 0
    for path in (tmp_path / "site").rglob("*.html"):
        page = Page(path.read_text("utf-8"))
        assert len(page.ids) == len(set(page.ids)), path
        for link in [*page.links, *page.sources]:
            if link.startswith(("https://", "data:")):
                continue
            file, _, fragment = link.partition("#")
            target = (path.parent / file.split("?")[0]).resolve() if file else path
            assert target.is_file(), (path, link)
            assert not fragment or fragment in Page(target.read_text("utf-8")).ids, (path, link)
            count += 1
    assert count > 100


def test_tables_are_tables_for_screen_readers() -> None:
    for name, html in render(*BOARD).items():
        assert html.count("<caption") == html.count("<table"), name
        assert html.count('<html lang="en">') == html.count("<h1") == html.count("<main") == 1, name
    assert board_html().count('scope="row"') == 7


def test_an_empty_board_says_how_to_post(tmp_path: Path) -> None:
    (tmp_path / "entries").mkdir()
    site.build(tmp_path / "entries", tmp_path / "site", Trust(), NOW)
    page = Page((tmp_path / "site" / "index.html").read_text("utf-8"))
    assert "python -m leaderboard post" in page.text
    assert "0 entries from 0 handles" in page.text
    assert len(page.tables) == 1


def test_a_board_without_ranked_entries_says_so() -> None:
    page = Page(index(BOARD[5]))
    assert "No entry is ranked yet" in page.text
    assert [row[0] for row in rows(page, 1)] == ["eve"]


def test_plot_draws_every_ranked_entry_the_front_and_lines_of_equal_score() -> None:
    html = board_html()
    wide = html[html.index('class="plot wide"') : html.index('class="plot narrow"')]
    assert wide.count("<svg") == 1
    assert [
        len(re.findall(rf'<(?:circle|path) class="{kind}"', wide)) for kind in ("mlp", "open", "front")
    ] == [2, 1, 1]
    assert "bob, rank 1 MLP: 3,566 bytes, 98.34 %, score 7.988" in wide
    # 98.4 % in 1,066,440 / 2**8 = 4,166 bytes scores 8: the line of score 8 goes through there, and is labelled.
    assert 'class="score"' in wide
    assert "score 8</text>" in wide


def test_a_full_score_and_one_byte_can_be_drawn() -> None:
    Page(index(entry("ann", bytes=1, accuracy_percent=100.0, accuracy_per_kib=102400.0)))
    Page(index(entry("ann", bytes=900_000_000, accuracy_percent=0.0)))


def test_thousands_of_rows_are_points_and_not_elements() -> None:
    made = [
        entry(f"h{n}x", bytes=2000 + n, accuracy_percent=95 + n / 200, score=6 + n / 1000) for n in range(300)
    ]
    html = index(*made)
    wide = html[html.index('class="plot wide"') : html.index('class="plot narrow"')]
    dots = re.search(r'class="dots mlp" d="([^"]*)"', wide)
    assert dots is not None
    assert dots[1].count("M") + wide.count("<circle") == 300
    assert wide.count("<circle") <= 120


def test_the_progression_steps_through_the_records() -> None:
    made = [
        entry(f"h{n}x", score=score, started=f"2026-03-{n + 1:02}T00:00:00Z")
        for n, score in enumerate([5, 4, 6, 7])
    ]
    html = index(*made)
    part = html[html.index("The record over time") :]
    wide = part[part.index('class="plot wide"') : part.index('class="plot narrow"')]
    assert [name in wide for name in ("h0x,", "h1x,", "h2x,", "h3x,")] == [True, False, True, True]
    assert "The record over time" not in index(entry("ann"))


def test_an_entry_page_works_its_numbers_out() -> None:
    made = entry("ann", bytes=8192, accuracy_percent=97.2, score=6.021)
    text = " ".join(Page(render(made)[f"entries/{made.path}.html"]).text.split())
    assert "4,860 of 5,000 images read right = 97.20 %" in text
    assert "q = (97.20 \N{MINUS SIGN} 90) / (98.40 \N{MINUS SIGN} 90) = 0.8571" in text
    assert "log₂(1,066,440 / 8,192) = 7.0244: 6.021" in text
    assert "97.20 / (8,192 / 1,024) = 12.15" in text


def test_techniques_are_what_the_file_shows() -> None:
    def array(layer: str, shape: list[int], zeros: int, levels: int) -> dict:
        return {"layer": layer, "array": "weight", "shape": shape, "bytes": 100.0, "coding": "grid",
                "entropy_bytes": 150.0, "zeros": zeros, "levels": levels}  # fmt: skip

    found = dict(
        techniques(
            {
                "arrays": [
                    array("Dense(784, 40)", [784, 40], 28224, 15),
                    array("Dense(40, 10)", [40, 10], 0, 7),
                ]
            }
        )
    )
    assert found == {
        "Pruning": "88.9 % of 31,760 weights are exactly zero",
        "Quantization": "at most 15 different values in a layer, zero aside",
        "Fewer neurons": "40 hidden units, where the shared model has 300-100",
        "Context coding": "100 bytes below the zero-order entropy of its symbols",
    }
    conv = dict(
        techniques({"arrays": [array("Conv2D(1, 4, 5, stride=1, padding=2)", [4, 1, 5, 5], 0, 9000)]})
    )
    assert set(conv) == {"Another architecture", "Context coding"}


def test_json_follows_its_schema_and_says_what_the_page_says() -> None:
    schema = json.loads((PACKAGE / "leaderboard.schema.json").read_text())
    document = json.loads(board_json(board_of(*BOARD)))
    jsonschema.validate(document, schema)
    rows_found = [
        (g["division"], r["rank"], r["handle"], r["bytes"]) for g in document["groups"] for r in g["rows"]
    ]
    assert rows_found[:3] == [("mlp", 1, "bob", 3566), ("mlp", 2, "ann", 6912), ("open", 1, "cat", 2476)]
    states = {each["handle"]: (each["state"], each["reason"]) for each in document["entries"]}
    assert states["eve"] == ("flagged", "over the budget")
    assert len(document["entries"]) == len(BOARD)


def test_csv_has_a_line_for_each_row_and_no_formulas() -> None:
    lines = list(csv.DictReader(io.StringIO(board_csv(board_of(*BOARD)))))
    assert [(line["handle"], line["rank"], line["bytes"]) for line in lines][:2] == [
        ("bob", "1", "3566"),
        ("ann", "2", "6912"),
    ]
    assert len(lines) == 4
    assert not [value for line in lines for value in line.values() if value[:1] in ("=", "+", "@", "-")]


def test_the_feed_is_atom_and_each_entry_has_its_own_lasting_id() -> None:
    made = [*BOARD, entry("zoe", flags=[HOSTILE])]
    root = ElementTree.fromstring(feed(board_of(*made)))
    atom = "{http://www.w3.org/2005/Atom}"
    ids = [each.findtext(f"{atom}id") for each in root.findall(f"{atom}entry")]
    assert len(set(ids)) == len(made)
    again = ElementTree.fromstring(feed(board_of(*made, entry("new", started="2026-03-30T00:00:00Z"))))
    assert set(ids) < {each.findtext(f"{atom}id") for each in again.findall(f"{atom}entry")}
    for name in ("title", "id", "updated"):
        assert root.findtext(f"{atom}{name}")


def final_document(*rows_given: tuple[Entry, float, float, range]) -> dict:
    return {
        "schema": "featherweight/final/v1",
        "key": "ab" * 16,
        "key_sha256": sha256("key"),
        "rules_sha256": sha256("rules"),
        "data": "mnist",
        "images": "jittered private half",
        "n_images": 5000,
        "rows": [
            {
                "artifact_sha256": made.artifact_sha256,
                "bytes": made.bytes,
                "division": made.division,
                "accuracy_percent": accuracy,
                "score": score,
                "score_before": made.score,
                "correct": bits(wrong)["correct"],
            }
            for made, accuracy, score, wrong in rows_given
        ],
    }


def test_the_shake_up_ranks_the_frozen_rows_by_the_final_figures(tmp_path: Path) -> None:
    # ann led on images that all could tune on; bob and cat, equal in size, are now ahead and differ by luck alone.
    ann, bob = entry("ann", score=9.0, bytes=3000), entry("bob", score=8.0, bytes=4000)
    cat, dan = entry("cat", score=7.9, bytes=4000), entry("dan", score=7.0, bytes=5000)
    document = final_document(
        (ann, 95.0, 5.0, range(250)), (bob, 98.0, 7.8, range(100)), (cat, 97.98, 7.7, range(101))
    )
    final = Final.from_document(document)
    found = render(ann, bob, cat, dan, final=final)
    page = Page(found["index.html"])
    shown = [(row[0], row[1].split()[0], row[2], row[3], row[4]) for row in rows(page)]
    assert shown == [
        ("1=", "2", "bob", "7.800", "8.000"),
        ("1=", "2", "cat", "7.700", "7.900"),
        ("3", "1", "ann", "5.000", "9.000"),
    ]
    assert "Not measured again, so without a final rank: dan" in " ".join(page.text.split())
    assert "abab" in page.text
    assert [row[1] for row in rows(Page(found["frozen.html"]))] == ["ann", "bob", "cat", "dan"]
    jsonschema.validate(
        json.loads(board_json(board_of(ann, bob, cat, dan, final=final))),
        json.loads((PACKAGE / "leaderboard.schema.json").read_text()),
    )
    (tmp_path / "final.json").write_text(json.dumps(document))
    arguments = [
        "build",
        "--entries",
        str(post_all(tmp_path / "e", ann, bob)),
        "--out",
        str(tmp_path / "site"),
    ]
    assert __main__.main([*arguments, "--final", str(tmp_path / "final.json"), "--mark-unverified"]) == 0
    assert (tmp_path / "site" / "frozen.html").is_file()


def test_who_copies_a_published_model_takes_nothing_from_who_made_it() -> None:
    ann = entry("ann", score=9.0, bytes=3000)
    eve = entry("eve", score=2.0, bytes=3000, artifact_sha256=ann.artifact_sha256)  # held down by the canary
    document = final_document((ann, 97.0, 8.0, range(150)), (eve, 97.0, 2.0, range(150)))
    for step in (1, -1):
        final = Final.from_document({**document, "rows": document["rows"][::step]})
        page = Page(render(ann, eve, final=final)["index.html"])
        assert [(row[2], row[3]) for row in rows(page)] == [("ann", "8.000"), ("eve", "2.000")]


def test_what_is_no_final_measurement_is_one_sentence(tmp_path: Path) -> None:
    document = final_document((entry("ann"), 95.0, 5.0, range(250)))
    document["rows"][0]["correct"] = "AAAA"
    with pytest.raises(EntryError, match="correct must have a bit for each of 5000 images"):
        Final.from_document(document)
    (tmp_path / "final.json").write_text("[]")
    with pytest.raises(EntryError, match=r"final\.json: the file is not valid"):
        Final.read(tmp_path / "final.json")
    with pytest.raises(EntryError, match="cannot be read"):
        Final.read(tmp_path / "nowhere.json")

"""The site in a real browser: Debian's Chromium, driven by Playwright.

One site serves all tests: a gallery of real packed models and a class of 300 generated entries. It is opened from disk,
as a visitor may.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import leaderboard_class
import numpy as np
import pytest

from assignment.data import load_mnist
from leaderboard import ranking
from leaderboard.board import Board, Trust
from leaderboard.pages import PAGE_ROWS
from leaderboard.serve import server
from leaderboard.signing import public_key
from leaderboard.site import build

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ROOT = Path(__file__).parents[1]
ENTRIES = 300

pytestmark = [
    pytest.mark.xdist_group("leaderboard-browser"),
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"), reason="needs Chromium (apt-get install chromium)"
    ),
]


class Site:
    """A built site, and pages of it in one browser."""

    def __init__(self, folder: Path, board: Board, browser: Any) -> None:
        self.folder, self.board, self.browser = folder, board, browser
        self.said: list[str] = []  # what pages complained of
        self.asked: list[str] = []  # what they loaded

    def open(self, path: str = "index.html", width: int = 1280, base: str = "", **options: Any) -> Any:
        context = self.browser.new_context(viewport={"width": width, "height": 900}, **options)
        page = context.new_page()
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: self.said.append(dialog.message))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto((base or self.folder.as_uri() + "/") + path)
        return page

    def group(self, division: str) -> ranking.Group:
        return next(
            group
            for section in self.board.sections
            for group in section.groups
            if (group.data, group.division) == ("mnist", division)
        )

    def entry_of(self, handle: str) -> Any:
        return next(entry for entry in self.board.entries if entry.handle == handle)

    def page_of(self, handle: str) -> str:
        return f"entries/{self.entry_of(handle).path}.html"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    from playwright.sync_api import sync_playwright

    assert CHROMIUM is not None, "continuous integration has a browser: apt-get install chromium"
    folder = tmp_path_factory.mktemp("board")
    leaderboard_class.write_class(folder / "entries", ENTRIES)
    trust = Trust(frozenset({public_key(leaderboard_class.KEY)}))
    board = build(folder / "entries", folder / "site", trust, datetime(2026, 6, 1, tzinfo=UTC))
    assert board.refused == ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield Site(folder / "site", board, browser)
        browser.close()


@pytest.fixture(autouse=True)
def quiet(request: pytest.FixtureRequest) -> Iterator[None]:
    """No page complains of anything, or loads anything from elsewhere."""
    found: Site = request.getfixturevalue("site")
    found.said.clear()
    found.asked.clear()
    yield
    assert found.said == []
    assert not [url for url in found.asked if not url.startswith(("file://", "data:", "http://127.0.0.1:"))]
    for context in found.browser.contexts:
        context.close()


def column(page: Any, division: str, field: str) -> list[str]:
    cells = page.locator(f"#mnist-public-{division} tbody [data-field={field}]")
    texts = cells.all_inner_texts()
    return [text.split("\n")[0] if field == "handle" else " ".join(text.split()) for text in texts]


def query(page: Any) -> str:
    return unquote(page.url.partition("?")[2])


def test_a_click_on_a_head_sorts_and_the_address_keeps_it(site: Site) -> None:
    page = site.open()
    rows = site.group("mlp").rows
    assert column(page, "mlp", "handle")[:3] == [row.entry.handle for row in rows[:3]]
    head = page.locator("#mnist-public-mlp th[data-key=bytes]")
    head.locator("button").click()
    smallest = sorted(row.entry.bytes for row in rows)
    assert column(page, "mlp", "bytes") == [f"{size:,}" for size in smallest[:PAGE_ROWS]]
    assert head.get_attribute("aria-sort") == "ascending"
    assert query(page) == "sort=bytes"
    head.locator("button").click()
    assert column(page, "mlp", "bytes") == [f"{size:,}" for size in smallest[::-1][:PAGE_ROWS]]
    assert head.get_attribute("aria-sort") == "descending"
    page.reload()
    assert column(page, "mlp", "bytes")[0] == f"{smallest[-1]:,}"
    page.locator("#mnist-public-mlp th[data-key=rank] button").click()
    assert query(page) == ""
    assert column(page, "mlp", "handle")[:3] == [row.entry.handle for row in rows[:3]]


def test_a_sorted_row_is_the_row_of_the_page(site: Site) -> None:
    """What the script writes is what the page has without it, cell by cell."""
    plain = site.open(java_script_enabled=False)
    page = site.open("index.html?sort=rank")
    for division in ("mlp", "open"):
        inner = f"#mnist-public-{division} tbody"
        assert page.locator(inner).inner_text() == plain.locator(inner).inner_text()
        links = f"{inner} a"
        assert page.locator(links).evaluate_all(
            "all => all.map((a) => a.getAttribute('href'))"
        ) == plain.locator(links).evaluate_all("all => all.map((a) => a.getAttribute('href'))")


def test_filters_and_search_choose_rows_of_all_pages(site: Site) -> None:
    page = site.open()
    page.locator("[name=division]").select_option("open")
    assert page.locator("#mnist-public-mlp").is_hidden()
    page.get_by_label("Class").select_option("cruiserweight")
    expected = [row.entry.handle for row in site.group("open").rows if row.weight_class == "cruiserweight"]
    assert expected
    assert column(page, "open", "handle") == expected
    total = sum(len(group.rows) for section in site.board.sections for group in section.groups)
    assert page.locator(".found").inner_text() == f"{len(expected)} of {total} rows"
    page.get_by_role("button", name="Clear").click()
    last = site.group("mlp").rows[-1].entry.handle
    page.get_by_label("Search").fill(last.upper())
    assert column(page, "mlp", "handle") == [last]
    assert query(page) == f"q={last}"
    page.get_by_label("Search").fill("nobody at all")
    assert page.locator("#mnist-public-mlp tbody").inner_text().strip() == "No row fits."
    page.go_back()


def test_pages_of_a_table_turn_and_come_to_the_same_rows_as_the_static_ones(site: Site) -> None:
    rows = site.group("mlp").rows
    assert len(rows) > PAGE_ROWS
    page = site.open()
    page.locator("#mnist-public-mlp .pager a", has_text="2").click()
    second = [row.entry.handle for row in rows[PAGE_ROWS : 2 * PAGE_ROWS]]
    assert column(page, "mlp", "handle") == second
    assert "page=2" in query(page)
    plain = site.open(java_script_enabled=False)
    plain.locator("#mnist-public-mlp .pager a", has_text="2").click()
    assert column(plain, "mlp", "handle") == second


def test_ones_own_row_is_shown_wherever_it_is(site: Site) -> None:
    row = site.group("mlp").rows[PAGE_ROWS + 3]
    page = site.open(f"index.html?me={row.entry.handle}")
    me = page.locator(".me")
    assert f"has rank {row.rank} of {len(site.group('mlp').rows)} in the MLP division" in me.inner_text()
    assert page.locator("tr.mine").count() == 0
    me.get_by_role("button").first.click()
    mine = page.locator("#mnist-public-mlp tr.mine [data-field=handle]").inner_text()
    assert mine.split("\n")[0] == row.entry.handle
    assert page.evaluate("document.activeElement.closest('tr').className") == "mine"
    page.goto(page.url.split("?")[0] + "?me=<img src=x>")
    assert "No ranked row is <img src=x>'s." in page.locator(".me").inner_text()


def test_without_scripts_the_board_is_complete(site: Site) -> None:
    page = site.open(java_script_enabled=False)
    assert page.locator(".controls").is_hidden()
    assert len(column(page, "mlp", "handle")) == PAGE_ROWS
    assert page.locator(".plot.wide svg").first.is_visible()
    assert page.locator(".plot.wide svg a").first.get_attribute("href").startswith("entries/")
    page.goto(site.folder.as_uri() + "/" + site.page_of("painter"))
    assert "The drawing box needs a script" in page.locator("noscript").inner_text()
    assert page.locator(".desk").is_hidden()
    for part in ("#ledger", "#techniques", "#weights", "#confusion", "#replay"):
        assert page.locator(part).is_visible()
    assert page.locator(".ledger rect").count() == 7
    assert page.locator(".histograms svg").count() == 6


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_sticks_out_and_all_can_be_read(site: Site, scheme: Any) -> None:
    for path in ("index.html", site.page_of("painter"), "about.html", "handles/painter.html"):
        page = site.open(path, width=360, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 28)"
        assert dark is (scheme == "dark")
    page = site.open(width=360)
    assert page.locator(".plot.narrow svg").first.is_visible()
    assert page.locator(".plot.wide svg").first.is_hidden()
    page.get_by_label("Sort").select_option("bytes")
    smallest = min(row.entry.bytes for row in site.group("mlp").rows)
    assert column(page, "mlp", "bytes")[0].endswith(f"{smallest:,}")


def test_the_keyboard_alone_sorts_turns_pages_and_follows_links(site: Site) -> None:
    page = site.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('th')?.dataset.key") == "score":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    assert query(page) == "sort=-score"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("Boolean(document.activeElement.closest('tbody'))"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/entries/**")


def test_the_plot_tells_what_is_under_the_pointer_and_leads_there(site: Site) -> None:
    page = site.open()
    row = site.group("mlp").rows[0]
    circle = page.locator(".plot.wide").first.locator(f"a[href='entries/{row.entry.path}.html'] circle")
    circle.scroll_into_view_if_needed()
    box = circle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tip = page.locator(".tip").first
    assert f"{row.entry.handle}rank {row.rank} mlp, score {row.entry.score:.3f}" in tip.inner_text().replace(
        "\n", ""
    )
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**/entries/**")


def seen(page: Any) -> np.ndarray:
    """The 28 x 28 pixels that the model was given, 0 to 255."""
    alphas = page.evaluate(
        "[...document.querySelector('.seen .small').getContext('2d').getImageData(0, 0, 28, 28).data]"
        ".filter((_, place) => place % 4 === 3)"
    )
    return np.array(alphas).reshape(28, 28)


def draw(page: Any, points: list[tuple[float, float]]) -> None:
    box = page.locator(".paper").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


RING = [(0.5 + 0.2 * np.sin(t), 0.45 - 0.32 * np.cos(t)) for t in np.linspace(0, 2 * np.pi, 25)]
DRAWINGS = {
    0: [RING],
    1: [[(0.8, 0.1), (0.78, 0.6)]],  # small and in a corner: it is scaled and centred
    7: [[(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]],
}


@pytest.mark.parametrize("digit", DRAWINGS)
def test_a_drawn_digit_is_centred_as_mnist_is_and_answered(digit: int, site: Site) -> None:
    page = site.open(site.page_of("painter"))
    page.locator(".paper").scroll_into_view_if_needed()
    for stroke in DRAWINGS[digit]:
        draw(page, stroke)
    assert re.match(rf"It reads a {digit} \(\d+\.\d %\)\.", page.locator(".verdict").inner_text())
    shares = [float(text.split()[0]) for text in page.locator(".percent").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=0.6)
    assert int(np.argmax(shares)) == digit
    image = seen(page)
    rows, columns = np.nonzero(image > 8)
    assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
    centre = [(image * grid).sum() / image.sum() for grid in np.mgrid[0:28, 0:28]]
    assert centre == pytest.approx([13.5, 13.5], abs=0.55)
    page.get_by_role("button", name="Clear").click()
    assert page.locator(".verdict").inner_text().startswith("Draw")
    assert seen(page).sum() == 0


def test_a_digit_can_be_drawn_by_keyboard(site: Site) -> None:
    page = site.open(site.page_of("painter"))
    page.locator(".paper").focus()
    for key in ["ArrowUp"] * 5 + [" "] + ["ArrowDown"] * 10 + [" "]:
        page.keyboard.press(key)
    assert page.locator(".verdict").inner_text().startswith("It reads a 1")
    assert page.locator(".pen").inner_text() == "pen up, 50 % across, 75 % down"
    page.keyboard.press("Delete")
    assert page.locator(".verdict").inner_text().startswith("Draw")


needs_mnist = pytest.mark.skipif(load_mnist().name != "mnist", reason="needs the full MNIST")


@pytest.mark.full_mnist
@needs_mnist
def test_test_images_are_offered_as_the_record_says_they_were_read(site: Site) -> None:
    entry = site.entry_of("painter")
    page = site.open(site.page_of("painter"))
    for kind, said in (("right", "and is right"), ("wrong", "and is wrong: it is a")):
        buttons = page.locator(f".digit.{kind}")
        assert buttons.count() == 6
        for place in range(6):
            button = buttons.nth(place)
            button.click()
            assert said in page.locator(".verdict").inner_text()
            number = int(button.get_attribute("data-place"))
            label = load_mnist().test.labels[::2][number]
            assert int(button.get_attribute("data-label")) == label
            assert (entry.answers >> (4999 - number)) & 1 == (kind == "right")


LOGITS = """(images) => images.map((text) => {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const pixels = Float32Array.from(bytes, (value) => Math.fround(value / 255));
  const data = document.querySelector("[data-artifact]").dataset.artifact;
  window.model ??= Featherweight.unpack(Uint8Array.from(atob(data), (character) => character.charCodeAt(0)));
  return [...Featherweight.forward(window.model, pixels)];
})"""


@pytest.mark.parametrize("name", ["trained-pooled-2k", "trained-convolutional-697"])
def test_the_browsers_logits_of_200_test_digits_are_pythons(name: str, site: Site) -> None:
    artifact, model, _ = leaderboard_class.measured(name)
    images = load_mnist().test.images[:200]
    page = site.open(site.page_of(name.removeprefix("trained-")))
    assert base64.b64decode(page.locator("[data-artifact]").get_attribute("data-artifact")) == artifact
    pixels = [base64.b64encode(np.rint(image * 255).astype(np.uint8).tobytes()).decode() for image in images]
    logits = np.array(page.evaluate(LOGITS, pixels))
    expected = model.forward(images)
    assert np.abs(logits - expected).max() <= 2e-5 * np.abs(expected).max()
    assert (logits.argmax(axis=1) == expected.argmax(axis=1)).all()


def test_the_printed_command_gives_the_numbers_of_the_row(site: Site, tmp_path: Path) -> None:
    """Copied from the page, run in the site's folder: bytes, accuracy and score as the row has them."""
    page = site.open(site.page_of("painter"))
    command = page.locator(".replay code").inner_text().split()
    assert command[:4] == ["python", "-m", "grader", "score"]
    done = subprocess.run(
        [sys.executable, *command[1:]],
        cwd=site.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    entry = site.entry_of("painter")
    printed = " ".join(done.stdout.split())
    for figure in (f"{entry.bytes:,}", f"{entry.accuracy_percent:.2f} %", f"{entry.score:.3f}"):
        assert figure in printed
        assert figure.removesuffix(" %") in page.locator(".figures").inner_text()


def test_hostile_texts_are_texts(site: Site) -> None:
    hostile = next(entry for entry in site.board.entries if leaderboard_class.HOSTILE in entry.flags)
    page = site.open(f"entries/{hostile.path}.html")
    said = page.locator(".flag:not(.inline)").first.inner_text()
    assert said.startswith('</td><script>alert("x")</script>\\u202egnp.exe\\x07 <b>yyy')
    assert "<b></td><script>" in page.locator("#replay ~ dl").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    page = site.open(f"index.html?q={hostile.handle}")
    assert page.evaluate("document.querySelectorAll('script:not([src]), td b, th b').length") == 0


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light")])
def test_axe_finds_no_violation(site: Site, width: int, scheme: Any) -> None:
    """The script of axe-core itself, put into pages whose policy lets no other in."""
    import axe_playwright_python

    script = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
    paths = ["index.html?me=painter&sort=bytes", site.page_of("painter")]
    if (width, scheme) == (1280, "light"):
        paths += ["about.html", "handles/painter.html", f"board/{site.group('mlp').key}-2.html"]
    for path in paths:
        page = site.open(path, width=width, color_scheme=scheme, bypass_csp=True)
        page.evaluate(script)
        found = page.evaluate("axe.run({ preload: false }).then((all) => all.violations)")
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == [], path


def test_it_works_under_any_address(site: Site) -> None:
    with (
        server(site.folder.parent, 0)
        if (site.folder.parent / "index.html").exists()
        else _served(site) as running
    ):
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            base = f"http://127.0.0.1:{running.server_address[1]}/site/"
            page = site.open("index.html?sort=bytes", base=base)
            assert (
                column(page, "mlp", "bytes")[0] == f"{min(r.entry.bytes for r in site.group('mlp').rows):,}"
            )
            page.goto(base + site.page_of("painter"))
            page.locator(".digit, .paper").first.click()
            assert page.locator(".verdict").inner_text().startswith("It reads a")
        finally:
            running.shutdown()
            thread.join()


def _served(site: Site) -> Any:
    (site.folder.parent / "index.html").write_text("a page above the site")
    return server(site.folder.parent, 0)


def test_pages_stay_light(site: Site) -> None:
    """What a visitor's browser loads for the board, and for an entry with its model: bytes as they are on disk."""

    def weight(*names: str) -> int:
        return sum((site.folder / name).stat().st_size for name in names)

    assert weight("index.html", "style.css", "board.js", "rows.js") < 330_000
    assert weight(site.page_of("painter"), "style.css", "draw.js", "decoder.js") < 190_000
    rows = (site.folder / "rows.js").stat().st_size
    shown = sum(len(group.rows) for section in site.board.sections for group in section.groups)
    assert rows / shown < 220

"""How long the board takes to appear with 5,000 entries, in Chromium, and what it weighs.

    python benchmarks/leaderboard_page.py

First paint, and the moment when sorting and filters work, from `performance.timing` of pages opened from disk, each in a
new browser; the median of several. The class is generated as the tests generate theirs (tests/leaderboard_class.py).
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import leaderboard_class  # noqa: E402

from leaderboard.board import Trust  # noqa: E402
from leaderboard.signing import public_key  # noqa: E402
from leaderboard.site import build  # noqa: E402

LOADED = ("index.html", "style.css", "board.js", "rows.js")
PAINT = """() => ({
  paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
  ready: performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd,
})"""


def main() -> int:
    """Build the site in a temporary folder, open it, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=5000)
    parser.add_argument("--handles", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("bench: needs Chromium: apt-get install chromium", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        leaderboard_class.write_class(place / "entries", options.entries, options.handles)
        begin = time.process_time()
        trust = Trust(frozenset({public_key(leaderboard_class.KEY)}))
        board = build(place / "entries", place / "site", trust, datetime.now(UTC))
        seconds = time.process_time() - begin
        found = [opened(place / "site" / "index.html", chromium) for _ in range(options.runs)]
        rows = sum(len(group.rows) for section in board.sections for group in section.groups)
        print(f"{len(board.entries):,} entries, {rows:,} rows; built in {seconds:.0f} s of CPU time")
        for name in LOADED:
            data = (place / "site" / name).read_bytes()
            print(f"{name:12} {len(data):9,} bytes {len(gzip.compress(data, 9)):9,} compressed")
        for name in ("paint", "ready"):
            print(
                f"{name:12} {statistics.median(each[name] for each in found):9,.0f} ms, median of {len(found)}"
            )
    return 0


def opened(page: Path, chromium: str) -> dict[str, float]:
    """Open the page in a new browser and ask when it was painted and ready."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(page.as_uri())
        tab.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        found: dict[str, float] = tab.evaluate(PAINT)
        browser.close()
    return found


if __name__ == "__main__":
    sys.exit(main())

"""The pages of the site, as HTML text: what each of them shows of the board, put into its template.

    for name, text in pages(board): ...      # ("index.html", "<!doctype html>...")

Pages are complete without a script, ask for nothing from elsewhere, and work from disk.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from leaderboard import ranking
from leaderboard.anatomy import shared_histograms, test_digits
from leaderboard.board import Board, Section
from leaderboard.entry import Entry
from leaderboard.feeds import received_order
from leaderboard.notice import Notice
from leaderboard.pictures import histogram_svg, ledger_svg
from leaderboard.plot import pareto_svg, progression_svg
from leaderboard.published import published
from leaderboard.ranking import Group, Row
from leaderboard.significance import TEST_IMAGES, accuracy_interval
from leaderboard.text import fixed, visible

TEMPLATES = Path(__file__).with_name("templates")
PAGE_ROWS = 50
MOST_EMBEDDED_BYTES = 64 * 1024
DIGITS = 6  # of those read right, and of those read wrong
SPLITS = {
    "public": "the public half of the test images",
    "private": "the private half of the test images",
    "full": "all test images",
}
DATA = {"mnist": "MNIST", "mnist-5k": "MNIST, 5,000-image fallback"}
DIVISIONS = {"mlp": "MLP", "open": "Open"}


def pages(board: Board) -> Iterator[tuple[str, str]]:
    """Every page of the site, with its path."""
    page = partial(_render, board)
    yield "about.html", page("about.html.j2", 0, worked=_worked(board), keys=_keys(board))
    if board.settings.is_blind:
        yield "index.html", page("blind.html.j2", 0, received=received_order(board))
        return
    ups = [up for section in board.sections for up in section.shake_ups]
    live = "frozen.html" if ups else "index.html"
    if ups:
        yield "index.html", page("final.html.j2", 0, ups=ups)
    sections = [_section(board, section) for section in board.sections]
    yield (
        live,
        page("index.html.j2", 0, sections=sections, published=published(), is_frozen=bool(ups), live=live),
    )
    for section in board.sections:
        for group in section.groups:
            for number in range(2, page_count(group) + 1):
                shown = group.rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
                name = f"board/{group.key}-{number}.html"
                yield name, page("rows.html.j2", 1, group=group, rows=shown, number=number, live=live)
    yield from _entry_pages(board, page)
    by_handle: dict[str, list[Entry]] = {}
    for entry in board.entries:
        by_handle.setdefault(entry.handle, []).append(entry)
    for handle, entries in by_handle.items():
        newest = sorted(entries, key=lambda entry: (entry.started, entry.path), reverse=True)
        yield f"handles/{handle}.html", page("handle.html.j2", 1, handle=handle, entries=newest, live=live)


def page_count(group: Group) -> int:
    return -(-len(group.rows) // PAGE_ROWS)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    environment.filters["fixed"] = fixed
    environment.globals.update(
        weight_class=ranking.weight_class,
        quality=ranking.quality,
        halvings=ranking.halvings,
        interval=lambda entry: _half_width(entry),
        classes=[name for _, name in reversed(ranking.WEIGHT_CLASSES)],
        limits={name: limit for limit, name in ranking.WEIGHT_CLASSES},
        reference_bytes=ranking.REFERENCE_BYTES,
        reference_accuracy=ranking.REFERENCE_ACCURACY_PERCENT,
        floor_percent=ranking.FLOOR_PERCENT,
        test_images=TEST_IMAGES,
        splits=SPLITS,
        datas=DATA,
        divisions=DIVISIONS,
        page_rows=PAGE_ROWS,
        page_count=page_count,
        feather=Markup((TEMPLATES / "feather.svg").read_text("utf-8").strip()),
    )
    return environment


def _render(board: Board, template: str, depth: int, **context: Any) -> str:
    """A page that lies `depth` folders below the site's own."""
    return _environment().get_template(template).render(board=board, root="../" * depth, **context)


def _half_width(entry: Entry) -> float:
    low, high = accuracy_interval(entry.accuracy_percent, TEST_IMAGES[entry.data, entry.split])
    return (high - low) / 2


def _page_of(entry: Entry) -> str:
    return f"entries/{entry.path}.html"


def _section(board: Board, section: Section) -> dict[str, Any]:
    alike = [entry for entry in board.baselines if (entry.data, entry.split) == (section.data, section.split)]
    records = sum(len(group.records) for group in section.groups)
    return {
        "section": section,
        "pareto": [
            (shape, Markup(pareto_svg(section, published(), alike, shape == "narrow", _page_of)))
            for shape in ("wide", "narrow")
        ],
        "progression": [
            (shape, Markup(progression_svg(section, shape == "narrow", _page_of)))
            for shape in ("wide", "narrow")
        ]
        if records > len(section.groups)
        else [],
        "baselines": alike,
        "has_earlier": any(len(group.rows) < len(group.entries) for group in section.groups),
    }


def _entry_pages(board: Board, page: Any) -> Iterator[tuple[str, str]]:
    rows: dict[str, tuple[Group, Row]] = {}
    for section in board.sections:
        for group in section.groups:
            rows.update((row.entry.path, (group, row)) for row in group.rows)
    notices: dict[str, list[Notice]] = {}
    for notice in board.notices:
        notices.setdefault(f"{notice.handle}/{notice.entry}", []).append(notice)
    for entry in board.entries:
        ranked = rows.get(entry.path)
        artifact = board.artifacts.get(entry.path)
        anatomy = entry.anatomy
        yield (
            _page_of(entry),
            page(
                "entry.html.j2",
                2,
                entry=entry,
                state=board.states[entry.path],
                doubt=board.doubts.get(entry.path),
                group=ranked and ranked[0],
                row=ranked and ranked[1],
                images=TEST_IMAGES[entry.data, entry.split],
                notices=notices.get(f"{entry.path}.json", []),
                has_artifact=artifact is not None,
                embedded=_embedded(artifact),
                digits=_digits(entry) if artifact is not None else {"right": [], "wrong": []},
                anatomy=anatomy,
                techniques=techniques(anatomy) if anatomy else [],
                ledger=Markup(ledger_svg(anatomy["arrays"])) if anatomy else "",
                before=_histograms(shared_histograms()) if anatomy else [],
                after=_histograms(anatomy["histograms"]) if anatomy else [],
                most=max((max(line) for line in entry.confusion), default=0) if entry.confusion else 0,
            ),
        )


def _embedded(artifact: bytes | None) -> str:
    if artifact is None or len(artifact) > MOST_EMBEDDED_BYTES:
        return ""
    return base64.b64encode(artifact).decode("ascii")


def _histograms(found: Sequence[dict[str, Any]]) -> list[tuple[str, Markup]]:
    return [(each["layer"], Markup(histogram_svg(each["counts"], each["limit"]))) for each in found]


def _digits(entry: Entry) -> dict[str, list[dict[str, Any]]]:
    """A few test images that the model read right, one of each of some digits, and a few that it read wrong."""
    found: dict[str, list[dict[str, Any]]] = {"right": [], "wrong": []}
    had = None if entry.answers is None else test_digits(entry.data, entry.split)
    if had is None or entry.answers is None:
        return found
    images, labels = had
    bits = f"{entry.answers:0{len(labels)}b}"
    start = int(entry.artifact_sha256[:4], 16) % len(labels)
    seen: set[int] = set()
    for place in [*range(start, len(labels)), *range(start)]:
        kind = "right" if bits[place] == "1" else "wrong"
        label = int(labels[place])
        if len(found[kind]) < DIGITS and (kind == "wrong" or label not in seen):
            if kind == "right":
                seen.add(label)
            pixels = base64.b64encode(images[place].tobytes()).decode("ascii")
            found[kind].append({"place": place, "label": label, "pixels": pixels})
        if all(len(each) == DIGITS for each in found.values()):
            break
    return found


def techniques(anatomy: dict[str, Any]) -> list[tuple[str, str]]:
    """What the file itself shows of how it was made, each with the number that shows it."""
    weights = [row for row in anatomy["arrays"] if row["array"] == "weight"]
    if not weights:
        return []
    sizes = [_size(row["shape"]) for row in weights]
    zeros, levels = sum(row["zeros"] for row in weights), max(row["levels"] for row in weights)
    found = []
    if zeros >= 0.05 * sum(sizes):
        found.append(
            ("Pruning", f"{100 * zeros / sum(sizes):.1f} % of {sum(sizes):,} weights are exactly zero")
        )
    if levels <= 4096:
        found.append(("Quantization", f"at most {levels:,} different values in a layer, zero aside"))
    dense = [row["shape"] for row in weights if row["layer"].startswith("Dense")]
    if len(dense) == len(weights):
        hidden = "-".join(str(shape[1]) for shape in dense[:-1]) or "no"
        if [shape[1] for shape in dense[:-1]] != [300, 100]:
            found.append(("Fewer neurons", f"{hidden} hidden units, where the shared model has 300-100"))
    else:
        found.append(
            (
                "Another architecture",
                ", ".join(row["layer"].split(",")[0].rstrip(")") + ")" for row in weights),
            )
        )
    cost, entropy = (sum(row[name] for row in anatomy["arrays"]) for name in ("bytes", "entropy_bytes"))
    if cost < entropy:
        found.append(
            ("Context coding", f"{entropy - cost:,.0f} bytes below the zero-order entropy of its symbols")
        )
    return found


def _size(shape: Sequence[int]) -> int:
    size = 1
    for side in shape:
        size *= side
    return size


def _keys(board: Board) -> list[str]:
    """The keys whose signatures count here."""
    return sorted(
        {e.signature[0] for e in board.entries if e.signature is not None and e.path not in board.doubts}
    )


def _worked(board: Board) -> list[Entry]:
    """The leader of each division, as examples for how the score works."""
    if board.settings.is_blind or not board.sections:
        return []
    return [group.rows[0].entry for group in board.sections[0].groups]

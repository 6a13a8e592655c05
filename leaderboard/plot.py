"""The two plots of a board, drawn as SVG that lives inside the page.

    pareto_svg(section, published(), baselines, narrow=False)   # accuracy against bytes, with lines of equal score
    progression_svg(section, narrow=False)                      # the best score over time

They are complete without a script. Colours are CSS variables, so that one drawing serves light and dark; shapes
say what colours say. What a pointer is told about a point is in the links' titles and, for all rows, in rows.js,
which places them by the numbers in `data-scale`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from itertools import pairwise
from math import floor, log, log2

from leaderboard.board import Section
from leaderboard.entry import Entry
from leaderboard.published import Published
from leaderboard.ranking import REFERENCE_BYTES, WEIGHT_CLASSES, Group, pareto_front, quality
from leaderboard.significance import accuracy_interval
from leaderboard.text import visible

MOST_LINKS = 60  # points of a group that are links; the others are one path
MOST_BARS = 40  # rows of a group with error bars; with more of them, nobody could tell one from another
CHARACTER = 6.6  # about how wide a letter is
LINE = 15.0
LARGEST_PLOTTED_BYTES = 40_000
LEAST_OCTAVES, LEAST_ERRORS = 4.0, 6.0  # the least that a plot spans: 16 times the bytes, 6 times the errors
TICKS_PERCENT = (50, 80, 90, 95, 97, 98, 98.5, 99, 99.5, 99.8)
DIVISIONS = {"mlp": "MLP", "open": "Open"}

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Frame:
    """Where a plot's own numbers lie in the drawing."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float

    def across(self, share: float) -> float:
        return self.left + share * (self.right - self.left)

    def up(self, share: float) -> float:
        return self.bottom - share * (self.bottom - self.top)


WIDE = Frame(1120, 520, 58, 1104, 16, 464)
NARROW = Frame(400, 430, 46, 392, 14, 376)
WIDE_TIME = Frame(1120, 300, 58, 1104, 16, 262)
NARROW_TIME = Frame(400, 300, 46, 392, 14, 262)


class Scale:
    """From bytes and accuracy to the drawing: both logarithmic, the latter in the errors."""

    def __init__(self, frame: Frame, points: Sequence[tuple[int, float]]) -> None:
        self.frame = frame
        sizes = [size for size, _ in points]
        shares = [accuracy for _, accuracy in points]
        self.x = self._at_least(LEAST_OCTAVES, log2(min(sizes)) - 0.55, log2(max(sizes)) + 0.45)
        low, high = self._error(min(shares)), self._error(max(shares))
        room = 0.09 * (high - low) + 0.06
        self.y = self._at_least(log(LEAST_ERRORS), low - room, high + 1.6 * room)

    @staticmethod
    def _at_least(span: float, low: float, high: float) -> tuple[float, float]:
        """A board of a few entries shows where they are, and not how they differ alone."""
        more = max(0.0, span - (high - low)) / 2
        return low - more, high + more

    @staticmethod
    def _error(accuracy_percent: float) -> float:
        return -log(max(100 - accuracy_percent, 0.02))

    def across(self, size_bytes: float) -> float:
        return self.frame.across((log2(size_bytes) - self.x[0]) / (self.x[1] - self.x[0]))

    def up(self, accuracy_percent: float) -> float:
        return self.frame.up((self._error(accuracy_percent) - self.y[0]) / (self.y[1] - self.y[0]))

    def place(self, entry: Entry | Published) -> tuple[float, float]:
        return self.across(entry.bytes), self.up(entry.accuracy_percent)

    def within(self, accuracy_percent: float) -> float:
        """As `up`, and no further than the frame."""
        return min(max(self.up(accuracy_percent), self.frame.top), self.frame.bottom)

    def holds(self, x: float, y: float) -> bool:
        frame = self.frame
        return frame.left <= x <= frame.right and frame.top <= y <= frame.bottom

    def data(self) -> str:
        """The scale for the script, as an attribute."""
        frame = self.frame
        numbers = {
            "x": [round(bound, 4) for bound in self.x],
            "y": [round(bound, 4) for bound in self.y],
            "frame": [frame.left, frame.top, frame.right, frame.bottom],
        }
        return f'data-scale="{escape(json.dumps(numbers, separators=(",", ":")))}"'


def pareto_svg(
    section: Section,
    others: Sequence[Published],
    baselines: Sequence[Entry],
    narrow: bool,
    link: Callable[[Entry], str],
) -> str:
    """Draw the groups of one data set and split in one plot; the front runs over all their ranked entries.

    Args:
        others: published results; drawn where the data are full MNIST.
        baselines: measured like the section's entries; large ones are left to their table.
        narrow: a taller drawing with fewer words, for phones.
        link: the page of an entry.

    Returns:
        an `<svg>` element without ids.
    """
    others = others if section.data == "mnist" else ()
    baselines = [
        entry for entry in baselines if entry.bytes <= LARGEST_PLOTTED_BYTES and entry.accuracy_percent > 50
    ]
    entries = [entry for group in section.groups for entry in group.entries]
    front = pareto_front(entries)
    points = [(entry.bytes, entry.accuracy_percent) for entry in (*entries, *baselines)]
    points += [(other.bytes, other.accuracy_percent) for other in others]
    scale = Scale(NARROW if narrow else WIDE, points)
    labels = Labels(scale.frame)
    for group in section.groups:
        for row in group.rows[:MOST_LINKS]:
            labels.keep_clear(*scale.place(row.entry))
    ends = [*(scale.across(entry.bytes) for entry in front[1:]), scale.frame.right]
    for entry, end in zip(front, ends, strict=True):
        labels.keep_line_clear(*scale.place(entry), end)
    parts = [*_axes(scale, narrow), *_contours(scale, labels), *_front(scale, front)]
    for entry in baselines:
        x, y = scale.place(entry)
        title = f"{entry.title}, a baseline: {_figures(entry)}"
        parts.append(
            _link(link(entry), title, f'<path class="baseline" d="M{x:.1f} {y - 5.5:.1f}l5.5 10h-11z"/>')
        )
        labels.keep_clear(x, y)
    for group in section.groups:
        parts += _entries(scale, group, front, link, section.images)
    for other in others:
        x, y = scale.place(other)
        parts.append(f'<path class="published" d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10"/>')
        labels.keep_clear(x, y)
    for other in others:
        labels.write(scale.place(other), other.short_name, "published", BESIDE)
    for entry in sorted(front, key=lambda entry: -entry.score):
        labels.write(scale.place(entry), entry.handle, "name", UPPER_LEFT)
    for entry in baselines:
        labels.write(scale.place(entry), entry.title, "quiet", BESIDE)
    return _svg(scale.frame, [*parts, *labels.written], scale.data())


def _entries(
    scale: Scale, group: Group, front: Sequence[Entry], link: Callable[[Entry], str], images: int
) -> Iterable[str]:
    shown = {row.entry.path for row in group.rows}
    earlier = [scale.place(entry) for entry in group.entries if entry.path not in shown]
    if earlier:
        yield f'<path class="earlier {group.division}" d="{_dots(earlier)}"/>'
    bars = ""
    for row in group.rows[:MOST_BARS]:
        low, high = accuracy_interval(row.entry.accuracy_percent, images)
        bars += f"M{scale.across(row.entry.bytes):.1f} {scale.within(low):.1f}V{scale.within(high):.1f}"
    yield f'<path class="bars {group.division}" d="{bars}"/>'
    named = {entry.path for entry in front[:MOST_LINKS]}
    linked = [row for place, row in enumerate(group.rows) if place < MOST_LINKS or row.entry.path in named]
    plain = [scale.place(row.entry) for row in group.rows if row not in linked]
    if plain:
        yield f'<path class="dots {group.division}" d="{_dots(plain)}"/>'
    for row in reversed(linked):
        x, y = scale.place(row.entry)
        if group.division == "mlp":
            shape = f'<circle class="mlp" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
        else:
            shape = f'<path class="open" d="M{x:.1f} {y - 6:.1f}l6 6-6 6-6-6z"/>'
        title = f"{row.entry.handle}, rank {row.rank} {DIVISIONS[group.division]}: {_figures(row.entry)}"
        yield _link(link(row.entry), title, shape)


def _axes(scale: Scale, narrow: bool) -> Iterable[str]:
    frame = scale.frame
    low, high = (2**bound for bound in scale.x)
    for percent in TICKS_PERCENT:
        y = scale.up(percent)
        if frame.top + LINE <= y <= frame.bottom:  # above it stands the unit
            yield f'<path class="grid" d="M{frame.left} {y:.1f}H{frame.right}"/>'
            yield _text(frame.left - 8, y + 4, f"{percent:g}", "tick", "end")
    yield _text(frame.left - 8, frame.top + 2, "%", "tick", "end")
    yield f'<path class="axis" d="M{frame.left} {frame.bottom}H{frame.right}"/>'
    for power in range(5, 21):
        size = 2**power
        if low <= size <= high:
            x = scale.across(size)
            yield f'<path class="axis" d="M{x:.1f} {frame.bottom}v5"/>'
            name = f"{size // 1024} KiB" if size >= 1024 else f"{size} B"
            yield _text(x, frame.bottom + 19, name.removesuffix("iB") if narrow else name, "tick", "middle")
    edges = [low, *(float(limit) for limit, _ in WEIGHT_CLASSES)]
    for (left, right), (_, name) in zip(pairwise(edges), WEIGHT_CLASSES, strict=True):
        left, right = max(left, low), min(right, high)
        short = name.removesuffix("weight")
        if left < right and scale.across(right) - scale.across(left) > 6.2 * len(short):
            x = (scale.across(left) + scale.across(right)) / 2
            yield _text(x, frame.bottom + 38, short, "class", "middle")
            yield f'<path class="axis" d="M{scale.across(right):.1f} {frame.bottom + 27}v14"/>'


def _contours(scale: Scale, labels: Labels) -> Iterable[str]:
    """Lines of equal score; the score's quality depends on accuracy alone, so each is solved for the bytes."""
    steps = [scale.y[0] + step * (scale.y[1] - scale.y[0]) / 60 for step in range(61)]
    for score in range(1, 16):
        path, last = "", None
        for step in steps:
            accuracy = 100 - 2.718281828459045**-step
            kept = quality(accuracy)
            if kept <= score / log2(REFERENCE_BYTES):  # it would take less than a byte
                continue
            x = scale.across(REFERENCE_BYTES * 2 ** (-score / kept))
            y = scale.up(accuracy)
            if scale.holds(x, y):
                path += f"{'L' if path else 'M'}{x:.1f} {y:.1f}"
                last = (x, y)
        if path and last is not None:
            yield f'<path class="contour" d="{path}"/>'
            if last[1] < scale.frame.bottom - LINE:  # nearer, its name would lie on the axis
                labels.write(last, f"score {score}", "score", UNDER)


def _front(scale: Scale, front: Sequence[Entry]) -> Iterable[str]:
    path = ""
    for entry in front:
        x, y = scale.place(entry)
        path += f"H{x:.1f}V{y:.1f}" if path else f"M{x:.1f} {y:.1f}"
    yield f'<path class="front" d="{path}H{scale.frame.right}"/>'


def progression_svg(section: Section, narrow: bool, link: Callable[[Entry], str]) -> str:
    """Draw the best score of each division over time: each step is a record, and leads to its page."""
    frame = NARROW_TIME if narrow else WIDE_TIME
    records = [entry for group in section.groups for entry in group.records]
    begin, end = (
        min(e.started for e in records),
        max(e.started for group in section.groups for e in group.entries),
    )
    span = max((end - begin).total_seconds(), 3600.0)
    low, high = min(e.score for e in records), max(e.score for e in records)
    room = 0.12 * (high - low) + 0.05
    low, high = max(0.0, low - room), high + 2 * room

    def across(time: datetime) -> float:
        return frame.across(0.015 + 0.93 * (time - begin).total_seconds() / span)

    def up(score: float) -> float:
        return frame.up((score - low) / (high - low))

    parts = [f'<path class="axis" d="M{frame.left} {frame.bottom}H{frame.right}"/>']
    step = next(step for step in (0.1, 0.2, 0.5, 1, 2, 5) if (high - low) / step <= 7)
    for number in range(floor(low / step) + 1, floor(high / step) + 1):
        y = up(number * step)
        parts.append(f'<path class="grid" d="M{frame.left} {y:.1f}H{frame.right}"/>')
        parts.append(_text(frame.left - 8, y + 4, f"{number * step:g}", "tick", "end"))
    for time, name in _time_ticks(begin, begin + timedelta(seconds=span), 4 if narrow else 8):
        x = across(time)
        parts.append(f'<path class="axis" d="M{x:.1f} {frame.bottom}v5"/>')
        parts.append(_text(x, frame.bottom + 19, name, "tick", "middle"))
    labels = Labels(frame)
    for group in section.groups:
        path = ""
        ends = [*(across(entry.started) for entry in group.records[1:]), frame.right]
        for entry, end_of_step in zip(group.records, ends, strict=True):
            x, y = across(entry.started), up(entry.score)
            labels.keep_clear(x, y)
            labels.keep_line_clear(x, y, end_of_step)
            path += f"H{x:.1f}V{y:.1f}" if path else f"M{x:.1f} {y:.1f}"
        parts.append(f'<path class="steps {group.division}" d="{path}H{frame.right}"/>')
        for entry in group.records:
            x, y = across(entry.started), up(entry.score)
            shape = f'<circle class="mlp" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
            if group.division == "open":
                shape = f'<path class="open" d="M{x:.1f} {y - 5.5:.1f}l5.5 5.5-5.5 5.5-5.5-5.5z"/>'
            title = f"{entry.handle}, {entry.started:%Y-%m-%d %H:%M} UTC: {_figures(entry)}"
            parts.append(_link(link(entry), title, shape))
    for entry in sorted(
        (entry for group in section.groups for entry in group.records), key=lambda e: -e.score
    ):
        labels.write((across(entry.started), up(entry.score)), entry.handle, "name", UPPER_LEFT)
    return _svg(frame, [*parts, *labels.written], "")


def _time_ticks(begin: datetime, end: datetime, most: int) -> Iterable[tuple[datetime, str]]:
    """Round times between two others, and how each is written."""
    hours = (1, 2, 6, 12, 24, 48, 7 * 24, 14 * 24, 28 * 24, 56 * 24, 112 * 24, 336 * 24)
    seconds = (end - begin).total_seconds()
    step = next((h for h in hours if seconds / 3600 / h <= most), 336 * 24)
    first = datetime(begin.year, begin.month, begin.day, tzinfo=begin.tzinfo)
    for number in range(int(seconds // (3600 * step)) + 30):
        time = first + timedelta(hours=step * number)
        if begin <= time <= end:
            yield time, f"{time:%H:%M}" if step < 24 and time.hour else f"{time.day} {time:%b}"


Offsets = tuple[tuple[float, float, str], ...]  # from the point to the text's baseline, and its anchor
UPPER_LEFT: Offsets = ((-8, -8, "end"), (8, -8, "start"))
BESIDE: Offsets = ((10, 4, "start"), (-10, 4, "end"), (8, 20, "start"), (-8, 20, "end"), (8, -10, "start"))
UNDER: Offsets = ((5, 12, "start"), (-5, 12, "end"))


class Labels:
    """Names beside points, as many as fit without touching one another or a point."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.taken: list[Box] = []
        self.written: list[str] = []

    def keep_clear(self, x: float, y: float) -> None:
        self.taken.append((x - 5, y - 5, x + 5, y + 5))

    def keep_line_clear(self, x: float, y: float, until: float) -> None:
        """Nothing is written over a level line."""
        self.taken.append((min(x, until), y - 1.5, max(x, until), y + 1.5))

    def write(self, point: tuple[float, float], text: str, name: str, offsets: Offsets) -> None:
        """Write a text at the first of the offsets where there is room, or not at all."""
        text = text if len(text) <= 28 else text[:27] + "…"
        for dx, dy, anchor in offsets:
            x, y, width = point[0] + dx, point[1] + dy, CHARACTER * len(text)
            left = x - width if anchor == "end" else x
            box = (left, y - LINE + 4, left + width, y + 3)
            inside = self.frame.left <= box[0] and box[2] <= self.frame.width and box[1] >= 0
            if inside and not any(_overlap(box, other) for other in self.taken):
                self.taken.append(box)
                self.written.append(_text(x, y, text, name, anchor))
                return


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _dots(points: Iterable[tuple[float, float]]) -> str:
    """Points as one path of strokes without length, which round caps make dots."""
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in sorted({(round(x, 1), round(y, 1)) for x, y in points}))


def _figures(entry: Entry) -> str:
    return f"{entry.bytes:,} bytes, {entry.accuracy_percent:.2f} %, score {entry.score:.3f}"


def _link(target: str, title: str, shape: str) -> str:
    title = visible(title)
    return (
        f'<a href="{escape(target)}" aria-label="{escape(title)}"><title>{escape(title)}</title>{shape}</a>'
    )


def _text(x: float, y: float, text: str, name: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{name}" text-anchor="{anchor}">{escape(visible(text))}</text>'
    )


def _svg(frame: Frame, parts: Sequence[str], attributes: str) -> str:
    body = "\n".join(parts)
    return f'<svg viewBox="0 0 {frame.width:g} {frame.height:g}" {attributes}>\n{body}\n</svg>'

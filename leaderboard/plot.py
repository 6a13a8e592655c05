"""The Pareto plot: accuracy against bytes, drawn by matplotlib as an SVG that lives inside the page.

    svg = pareto_svg(groups, narrow=False)

Colours are written as CSS variables (`--plot-ink` and so on), so that one drawing serves light and dark. The
same entries always give the same text: no date, no random ids.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO
from itertools import pairwise
from math import log2
from typing import TYPE_CHECKING, Any

from leaderboard.published import Published, published
from leaderboard.ranking import WEIGHT_CLASSES, Group, accuracy_interval, pareto_front

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Stand-ins that matplotlib can draw with; each becomes var(--plot-NAME) in the page.
COLOURS = {
    "ink": "#010101",
    "muted": "#010102",
    "line": "#010103",
    "band": "#010104",
    "mlp": "#010105",
    "open": "#010106",
    "front": "#010107",
    "published": "#010108",
}
MARKERS = {"mlp": "o", "open": "D"}
FONT_POINTS = 11
CHARACTER_POINTS = 0.58 * FONT_POINTS
Offsets = tuple[tuple[int, int], ...]
Box = tuple[float, float, float, float]  # left, bottom, right, top, in points
UPPER_LEFT: Offsets = ((-7, 6),)  # where a label stands from its point: left of it where dx < 0
BESIDE: Offsets = ((8, -15), (-8, -17), (8, 4), (-8, 4), (8, -28), (-8, -28))


def pareto_svg(groups: Sequence[Group], narrow: bool) -> str:
    """Draw the groups of one data set and split in one plot; the front runs over all their ranked entries.

    Args:
        groups: at least one; published results are marked where the data are full MNIST.
        narrow: a taller drawing with fewer words, for phones.

    Returns:
        an `<svg>` element without ids that could collide with the rest of the page.
    """
    import matplotlib
    from matplotlib.figure import Figure

    salt = "-".join(["featherweight", groups[0].data, groups[0].split, "narrow" if narrow else "wide"])
    style: dict[Any, Any] = {
        "svg.hashsalt": salt,
        "svg.fonttype": "none",
        "font.size": FONT_POINTS,
        "text.parse_math": False,
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(4.7, 5.0) if narrow else (11.5, 5.4), facecolor="none", layout="constrained")
        axes = figure.add_subplot(facecolor="none")
        others = published() if groups[0].data == "mnist" else ()
        _set_limits(axes, groups, others)
        _draw_classes(axes)
        _draw_published(axes, others)
        _draw_entries(axes, groups)
        _draw_front(axes, groups)
        _dress(axes, narrow)
        figure.draw_without_rendering()
        _label(axes, groups, others)
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return _for_page(text.getvalue())


def _set_limits(axes: Axes, groups: Sequence[Group], others: Sequence[Published]) -> None:
    entries = [entry for group in groups for entry in group.entries]
    sizes = [entry.bytes for entry in entries] + [other.bytes for other in others]
    bounds = [other.accuracy_percent for other in others]
    for group in groups:
        for entry in group.entries:
            bounds += accuracy_interval(entry.accuracy_percent, group.test_images)
    room = 0.12 * (max(bounds) - min(bounds)) + 0.05
    axes.set_xscale("log", base=2)
    axes.set_xlim(min(sizes) / 1.9, max(sizes) * 1.6)
    axes.set_ylim(min(bounds) - room, max(bounds) + 1.6 * room)


def _draw_classes(axes: Axes) -> None:
    """Shade every second weight class and name those that are wide enough to be read."""
    low, high = axes.get_xlim()
    edges = [1.0, *(float(limit_bytes) for limit_bytes, _ in WEIGHT_CLASSES)]
    names = [name.removesuffix("weight").capitalize() for _, name in WEIGHT_CLASSES]
    for index, ((left, right), name) in enumerate(zip(pairwise(edges), names, strict=True)):
        left, right = max(left, low), min(right, high)
        if left >= right:
            continue
        if index % 2 == 0:
            axes.axvspan(left, right, color=COLOURS["band"], linewidth=0, zorder=0)
        room_points = _width_points(axes) * log2(right / left) / log2(high / low)
        if room_points > CHARACTER_POINTS * len(name):
            axes.text(
                (left * right) ** 0.5,
                0.985,
                name,
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="top",
                color=COLOURS["muted"],
                fontstyle="italic",
            )


def _draw_published(axes: Axes, others: Sequence[Published]) -> None:
    sizes = [other.bytes for other in others]
    accuracies = [other.accuracy_percent for other in others]
    axes.plot(sizes, accuracies, "x", color=COLOURS["published"], markersize=9, markeredgewidth=2, zorder=3)


def _draw_entries(axes: Axes, groups: Sequence[Group]) -> None:
    for group in groups:
        current = {row.entry: None for row in group.rows}  # a set that keeps the order
        earlier = [entry for entry in group.entries if entry not in current]
        look: dict[str, Any] = {
            "color": COLOURS[group.division],
            "linestyle": "none",
            "marker": MARKERS[group.division],
        }
        axes.plot(
            [e.bytes for e in earlier],
            [e.accuracy_percent for e in earlier],
            markersize=4,
            fillstyle="none",
            zorder=4,
            **look,
        )
        sizes = [entry.bytes for entry in current]
        intervals = [accuracy_interval(entry.accuracy_percent, group.test_images) for entry in current]
        low, high = zip(*intervals, strict=True)
        axes.vlines(sizes, low, high, color=COLOURS[group.division], linewidth=1, alpha=0.55, zorder=4)
        axes.plot(sizes, [e.accuracy_percent for e in current], markersize=8, zorder=5, **look)


def _draw_front(axes: Axes, groups: Sequence[Group]) -> None:
    front = pareto_front(entry for group in groups for entry in group.entries)
    sizes = [entry.bytes for entry in front] + [axes.get_xlim()[1]]
    accuracies = [entry.accuracy_percent for entry in front] + [front[-1].accuracy_percent]
    axes.step(sizes, accuracies, where="post", color=COLOURS["front"], linewidth=1.5, zorder=3)


def _width_points(axes: Axes) -> float:
    """About how wide the axes will be: the figure less the labels on its left."""
    return 72 * axes.get_figure().get_figwidth() - 70  # type: ignore[union-attr]


def _dress(axes: Axes, narrow: bool) -> None:
    low, high = axes.get_xlim()
    ticks = [2**power for power in range(5, 40) if low <= 2**power <= high]
    if narrow:
        axes.set_xticks(ticks, [f"{tick / 1024:g}" for tick in ticks])
        axes.set_xlabel("size of the packed model, KiB")
    else:
        axes.set_xticks(ticks, [f"{tick // 1024} KiB" if tick >= 1024 else f"{tick} B" for tick in ticks])
        axes.set_xlabel("size of the packed model (each step left is one halving)")
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda percent, _: f"{percent:g} %" if percent <= 100 else "")
    axes.set_ylabel("test accuracy")
    axes.grid(axis="y", color=COLOURS["line"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=COLOURS["muted"])
    axes.xaxis.label.set_color(COLOURS["muted"])
    axes.yaxis.label.set_color(COLOURS["muted"])
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(COLOURS["line"])


def _label(axes: Axes, groups: Sequence[Group], others: Sequence[Published]) -> None:
    """Name the published results and as many entries of the front as fit without touching one another.

    The front's names stand to the upper left of their points, where by definition no point can be.
    """
    scale = 72 / axes.get_figure().dpi  # type: ignore[union-attr]
    frame = [bound * scale for bound in axes.get_window_extent().extents]

    def place(size: int, accuracy: float) -> tuple[float, float]:
        x, y = axes.transData.transform((size, accuracy)) * scale
        return float(x), float(y)

    points = [place(row.entry.bytes, row.entry.accuracy_percent) for group in groups for row in group.rows]
    taken: list[Box] = [(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    front = pareto_front(entry for group in groups for entry in group.entries)
    wanted = [(o.bytes, o.accuracy_percent, o.short_name, "published", BESIDE) for o in others]
    for entry in sorted(front, key=lambda entry: -entry.score):
        wanted.append((entry.bytes, entry.accuracy_percent, entry.handle, "ink", UPPER_LEFT))
    for size, accuracy, name, colour, offsets in wanted:
        boxes = [_text_box(place(size, accuracy), offset, name) for offset in offsets]
        inside = [box for box in boxes if frame[0] <= box[0] and box[2] <= frame[2]]
        free = [box for box in inside if not any(_overlap(box, other) for other in taken)]
        if not free and colour == "published":
            free = inside  # what is not ours is always named, even over a point
        if free:
            taken.append(free[0])
            dx, dy = offsets[boxes.index(free[0])]
            note = axes.annotate(
                name,
                (size, accuracy),
                (dx, dy),
                textcoords="offset points",
                va="bottom",
                ha="right" if dx < 0 else "left",
                color=COLOURS[colour],
                zorder=6,
            )
            note.set_in_layout(False)


def _text_box(point: tuple[float, float], offset: tuple[int, int], text: str) -> Box:
    """About where a label will be: one that is set off to the left ends there, else it begins there."""
    width = CHARACTER_POINTS * len(text)
    left = point[0] + offset[0] - (width if offset[0] < 0 else 0)
    return left, point[1] + offset[1], left + width, point[1] + offset[1] + FONT_POINTS


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _for_page(svg: str) -> str:
    """Make matplotlib's file a part of a page: no prolog, no metadata, colours and font the page's."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = svg.replace("xlink:href=", "href=")
    svg = re.sub(
        r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', r'<svg \1 aria-hidden="true" focusable="false">', svg, count=1
    )
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda m: m[0] if m[1] in used else "", svg)
    svg = re.sub(
        r"font: [^;\"]*", lambda m: "font-style: italic" if "italic" in m[0] else "font-style: normal", svg
    )
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--plot-{name})")
    return re.sub(r"\n\s*\n", "\n", svg).strip()

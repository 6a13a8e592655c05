"""One style for every picture of the lab and the report.

Colours that colour-blind readers can tell apart (Okabe and Ito 2008), axes with units, no frame that says
nothing. INK, MUTED, GRID and PAPER belong to the page: the report exchanges them, so that one picture
is readable on white and on black.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

INK, MUTED, GRID, PAPER = "#1b1c1d", "#6b6c6d", "#d9dadb", "#fefefe"
BLUE, ORANGE, GREEN, PURPLE, SKY, RED, GREY = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#949698",
)  # fmt: skip
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, RED)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
LOOKS = tuple(zip((BLUE, ORANGE, GREEN, PURPLE, SKY, GREY, "#a6761d"), MARKERS, strict=False))
"""Of things that one tells apart in two pictures."""
DIVERGING = "RdBu_r"
WIDTH = 7.6

STYLE: Any = {
    "figure.dpi": 100,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "font.size": 9,
    "svg.fonttype": "none",
}


def styled(draw: Any) -> Any:
    """Draw in the one style, whatever the notebook's own settings are."""

    @wraps(draw)
    def in_style(*args: Any, **kwargs: Any) -> Figure:
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return in_style


def new_figure(height: float, columns: int = 1, rows: int = 1, **options: Any) -> tuple[Figure, Any]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def labelled(axes: Axes, x: str, y: str, title: str = "") -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, loc="left")


def beside(axes: Axes, x: float, y: float, text: str) -> None:
    """A text to the right of the point, as at the end of a bar."""
    axes.annotate(text, (x, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5)


def thousands(axis: Any) -> None:
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)

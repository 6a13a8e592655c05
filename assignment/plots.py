"""Bars and curves of what was measured: sizes, accuracies, times, scores.

Each function draws numbers it is given, and measures nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .artifact import LedgerRow
from .experiments import YOURS, Curve, Entry, LayerUse, Quantized, pareto_front
from .plot_style import (
    BLUE,
    CYCLE,
    GREY,
    GRID,
    INK,
    LOOKS,
    MARKERS,
    MUTED,
    ORANGE,
    PAPER,
    RED,
    beside,
    labelled,
    new_figure,
    styled,
    thousands,
)
from .scoring import BUDGET_BYTES, LARGEST_QUALITY, REFERENCE_ACCURACY_PERCENT, REFERENCE_BYTES

MICROCONTROLLER = (1_048_576, "1 MB of flash: a microcontroller (STM32F746)")


def columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


@styled
def parameters_by_layer(models: dict[str, list[LayerUse]]) -> Figure:
    """Bars of parameters, layer by layer, and how often each weight multiplies."""
    uses = [(model, use) for model, layers in models.items() for use in layers]
    figure, axes = new_figure(0.36 * len(uses) + 0.9)
    colour = dict(zip(models, CYCLE, strict=False))
    for place, (model, use) in enumerate(uses):
        axes.barh(place, use.parameters, color=colour[model])
        often = "each used once" if use.uses_per_weight == 1 else f"each used {use.uses_per_weight} times"
        beside(axes, use.parameters, place, f"{use.parameters:,}, {often}")
    axes.set_yticks(range(len(uses)), [f"{model}: {use.layer}" for model, use in uses])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.45 * max(use.parameters for _, use in uses))
    thousands(axes.xaxis)
    labelled(axes, "parameters", "")
    return figure


@styled
def memory_at_bits(sizes: dict[str, dict[int, int]]) -> Figure:
    """Bytes of each model at each number of bits, on a logarithmic axis."""
    figure, axes = new_figure(2.9)
    every_bits = list(next(iter(sizes.values())))
    width = 0.8 / len(sizes)
    for place, (name, by_bits) in enumerate(sizes.items()):
        at = np.arange(len(every_bits)) + place * width
        axes.bar(at, [by_bits[bits] for bits in every_bits], width * 0.92, label=name, color=CYCLE[place])
        for x, bits in zip(at, every_bits, strict=True):
            label = axes.text(x, by_bits[bits] * 1.2, f"{by_bits[bits]:,}", ha="center", fontsize=8)
            label.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 0.6})
    middle = width * (len(sizes) - 1) / 2
    axes.set_xticks(np.arange(len(every_bits)) + middle, [f"{bits} bits" for bits in every_bits])
    axes.set_yscale("log")
    axes.set_ylim(top=5 * max(max(by_bits.values()) for by_bits in sizes.values()))
    axes.axhline(MICROCONTROLLER[0], color=MUTED, linestyle="--", linewidth=1)
    axes.text(1, MICROCONTROLLER[0] * 1.1, MICROCONTROLLER[1], ha="right", fontsize=8, color=MUTED,
              transform=axes.get_yaxis_transform())  # fmt: skip
    axes.legend(loc="upper center", ncols=len(sizes), bbox_to_anchor=(0.5, 1.16))
    labelled(axes, "bits for each weight (a bias keeps 32)", "bytes")
    return figure


@styled
def accuracy_curves(curves: dict[str, Curve], x: str, *, base: float) -> Figure:
    """Accuracy against what is left, a line for each way; `base` is the shared model's."""
    figure, axes = new_figure(3.1)
    axes.axhline(base, color=MUTED, linestyle="--", linewidth=1, label="the shared model")
    for (name, curve), colour, marker in zip(curves.items(), CYCLE, MARKERS, strict=False):
        axes.plot(*columns(curve), color=colour, marker=marker, label=name)
    axes.set_ylim(0, 104)
    axes.grid(axis="y")
    axes.legend()
    labelled(axes, x, "accuracy on validation images (%)")
    return figure


@styled
def accuracy_by_share(curves: dict[str, Curve], what: str, *, base: float) -> Figure:
    """The same against a share of what there was, from all of it to next to nothing, by halves and more."""
    figure = accuracy_curves(curves, f"{what} left (%)", base=base)
    axes = figure.axes[0]
    shares = [share for curve in curves.values() for share, _ in curve]
    axes.set_xscale("log")
    axes.set_xlim(max(shares) * 1.1, min(shares) / 1.1)
    ticks = [tick for tick in (100, 50, 20, 10, 5, 2, 1) if tick >= min(shares) / 1.1]
    axes.set_xticks(ticks, [f"{tick}" for tick in ticks])
    axes.set_xticks([], minor=True)
    return figure


@styled
def accuracy_by_bits(found: dict[str, list[Quantized]], *, base: float) -> Figure:
    curves: dict[str, Curve] = {
        name: [(one.bits, one.accuracy_percent) for one in models] for name, models in found.items()
    }
    return accuracy_curves(curves, "bits for each weight", base=base)


@styled
def claimed_and_packed(found: dict[str, list[Quantized]]) -> Figure:
    """What each model takes in a real file, beside what so many bits a weight should take."""
    figure, axes = new_figure(3.1)
    claimed = sorted({(one.bits, one.claimed_bytes) for models in found.values() for one in models})
    axes.plot(*columns(claimed), color=MUTED, linestyle="--", label="claimed: storage_bytes")
    for (name, models), colour, marker in zip(found.items(), CYCLE, MARKERS, strict=False):
        sizes: Curve = [(one.bits, one.packed_bytes) for one in models]
        axes.plot(*columns(sizes), color=colour, marker=marker, label=f"packed: {name}")
    axes.axhline(BUDGET_BYTES, color=RED, linewidth=1, linestyle=":")
    axes.text(1, BUDGET_BYTES, f"the budget, {BUDGET_BYTES:,} bytes", ha="right", va="bottom", fontsize=8,
              color=RED, transform=axes.get_yaxis_transform())  # fmt: skip
    axes.set_yscale("log")
    axes.grid(axis="y")
    axes.legend()
    labelled(axes, "bits for each weight", "bytes")
    return figure


@styled
def learning_curves(curves: dict[str, list[Curve]], images: int) -> Figure:
    """Mean over the seeds as a line, from the worst seed to the best as a band."""
    figure, axes = new_figure(3.0)
    for (name, runs), colour, marker in zip(curves.items(), CYCLE, MARKERS, strict=False):
        epochs = [epoch for epoch, _ in runs[0]]
        accuracies = np.array([[value for _, value in run] for run in runs])
        axes.fill_between(epochs, accuracies.min(0), accuracies.max(0), color=colour, alpha=0.25, linewidth=0)
        axes.plot(epochs, accuracies.mean(0), color=colour, marker=marker, label=name)
    axes.grid(axis="y")
    axes.legend(loc="lower right")
    labelled(axes, f"epochs over {images:,} images", "accuracy on validation images (%)")
    return figure


@styled
def importance_bars(importance: np.ndarray, keep_ratio: float) -> Figure:
    """Units from the most important to the least; those that would go are marked."""
    keep = max(1, round(keep_ratio * len(importance)))
    ordered = np.sort(np.asarray(importance))[::-1]
    figure, axes = new_figure(2.4)
    edges = np.arange(len(ordered) + 1)
    axes.stairs(ordered[:keep], edges[: keep + 1], fill=True, color=BLUE, label=f"{keep} stay")
    axes.stairs(ordered[keep:], edges[keep:], fill=True, color=ORANGE, label=f"{len(ordered) - keep} go")
    axes.legend()
    axes.grid(axis="y")
    labelled(axes, "units of the first layer, the busiest first", "mean output after ReLU")
    return figure


@styled
def inference_times(seconds: dict[str, float], weights: dict[str, int], images: int) -> Figure:
    """Bars of measured time, and under each name how many weights are not 0."""
    figure, axes = new_figure(1.9)
    base = next(iter(seconds.values()))
    for place, value in enumerate(seconds.values()):
        axes.barh(place, 1000 * value, color=CYCLE[place])
        beside(axes, 1000 * value, place, f"{1000 * value:.2f} ms, {base / value:.1f} times as fast")
    axes.set_yticks(range(len(seconds)), [f"{name}\n{weights[name]:,} weights" for name in seconds])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.4 * 1000 * max(seconds.values()))
    labelled(axes, f"milliseconds for {images:,} images, on this machine", "")
    return figure


def look_of(entries: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    """A colour and a marker for each entry, the same in every picture; a star for one's own."""
    looks = {
        one.name: {"color": colour, "marker": marker, "markersize": 7}
        for one, (colour, marker) in zip(entries, LOOKS, strict=False)
    }
    return looks | {YOURS: {"color": RED, "marker": "*", "markersize": 14}}


@styled
def tradeoff(entries: Sequence[Entry], published: Sequence[tuple[str, float, float]]) -> Figure:
    """Accuracy against packed bytes, with the front, the budget, lines of equal score, published results."""
    figure, axes = new_figure(4.2)
    low, high, looks = 88.0, 100.0, look_of(entries)
    shown = [one for one in entries if one.accuracy_percent >= low]
    sizes = [one.size_bytes for one in shown] + [size for _, size, _ in published]
    x = np.geomspace(min([*sizes, 1000]) / 1.6, REFERENCE_BYTES * 1.5, 200)
    score_lines(axes, x, low, high)
    front = pareto_front(shown)
    axes.step([one.size_bytes for one in front], [one.accuracy_percent for one in front], where="post",
              color=MUTED, linewidth=1.2, label="nothing is better in both")  # fmt: skip
    for one in shown:
        axes.plot(one.size_bytes, one.accuracy_percent, linestyle="none", label=one.name, **looks[one.name])
    for (name, size, accuracy), marker in zip(published, ("x", "+"), strict=False):
        axes.plot(size, accuracy, marker, color=INK, markersize=8, label=f"published: {name}")
    axes.axvline(
        BUDGET_BYTES, color=RED, linestyle=":", linewidth=1.2, label=f"budget, {BUDGET_BYTES:,} bytes"
    )
    axes.set_xscale("log")
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(low, high)
    figure.legend(loc="outside lower center", ncols=2)
    hidden = len(entries) - len(shown)
    note = f" ({hidden} under {low:.0f} % accuracy not shown)" if hidden else ""
    labelled(axes, f"bytes of the packed file{note}", "accuracy on validation images (%)")
    return figure


def score_lines(axes: Axes, sizes: np.ndarray, low: float, high: float) -> None:
    """Where the score is 2, 4, 6, ...: on one such line, all entries are worth the same."""
    halvings = np.log2(REFERENCE_BYTES / sizes)
    for points in range(2, 13, 2):
        quality = np.divide(points, halvings, where=halvings > 0, out=np.full(len(sizes), np.inf))
        accuracy = 90 + quality * (REFERENCE_ACCURACY_PERCENT - 90)
        inside = (quality <= LARGEST_QUALITY) & (accuracy >= low) & (accuracy <= high)
        if np.any(inside):
            axes.plot(sizes[inside], accuracy[inside], color=GRID, linewidth=1, zorder=0)
            end = sizes[inside][-1], accuracy[inside][-1]
            label = axes.annotate(f"score {points}", end, fontsize=7.5, color=MUTED, xytext=(0, 2),
                                  textcoords="offset points", ha="center")  # fmt: skip
            label.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 0.5})


@styled
def accuracy_and_time(entries: Sequence[Entry], images: int) -> Figure:
    """Accuracy against measured inference time."""
    figure, axes = new_figure(3.0)
    for one in entries:
        look = look_of(entries)[one.name]
        axes.plot(one.milliseconds, one.accuracy_percent, linestyle="none", label=one.name, **look)
    axes.set_ylim(min(88.0, min(one.accuracy_percent for one in entries) - 1), 100)
    axes.set_xlim(0, 1.1 * max(one.milliseconds for one in entries))
    axes.grid()
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    labelled(axes, f"milliseconds for {images:,} images, on this machine", "accuracy (%)")
    return figure


@styled
def where_bytes_went(rows: Sequence[LedgerRow]) -> Figure:
    """One bar for the file, a piece for each array."""
    total = sum(row.size_bytes for row in rows)
    figure, axes = new_figure(0.32 * len(rows) + 0.8)
    for place, row in enumerate(rows):
        axes.barh(place, row.size_bytes, color=GREY if row.layer_index is None else BLUE)
        share = 100 * row.size_bytes / total
        beside(
            axes,
            row.size_bytes,
            place,
            f"{row.size_bytes:,.0f} bytes, {share:.1f} %{row.coding and ', '}{row.coding}",
        )
    names = [
        row.array if row.layer_index is None else f"layer {row.layer_index}, {row.layer}: {row.array}"
        for row in rows
    ]
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.5 * max(row.size_bytes for row in rows))
    thousands(axes.xaxis)
    labelled(axes, f"bytes of {total:,.0f} in all", "")
    return figure

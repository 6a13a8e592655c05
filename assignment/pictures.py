"""Pictures of weights, levels and answers: what a technique does to the numbers themselves.

Each function draws what it is given, and measures nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .experiments import Levels
from .nn import Sequential, WeightedLayer
from .plot_style import BLUE, CYCLE, DIVERGING, GRID, MUTED, ORANGE, bare, labelled, new_figure, styled


@styled
def weight_distributions(model: Sequential) -> Figure:
    """The weights of each layer as a histogram of shares."""
    layers = [layer for layer in model.layers if isinstance(layer, WeightedLayer)]
    figure, axes = new_figure(2.7)
    edges = np.linspace(-0.4, 0.4, 81)
    for layer, colour in zip(layers, CYCLE, strict=False):
        counts, _ = np.histogram(layer.weight, edges)
        share = 100 * counts / layer.weight.size
        axes.stairs(share, edges, color=colour, linewidth=1.6,
                    label=f"{layer!r}: {layer.weight.size:,} weights")  # fmt: skip
    axes.legend()
    axes.grid(axis="y")
    labelled(axes, "weight", "% of the layer's weights")
    return figure


@styled
def before_and_after(before: Sequential, after: Sequential, what: str) -> Figure:
    """Histograms of all weights of two models, on one logarithmic axis."""
    figure, axes = new_figure(2.6, 2, sharey=True)
    edges = np.linspace(-0.8, 0.8, 102)  # an odd number of bins: one in the middle holds the zeros
    for place, (model, title) in enumerate(((before, "before"), (after, what))):
        weights = np.concatenate([array.ravel() for array in model.parameters() if array.ndim > 1])
        counts, _ = np.histogram(weights, edges)
        axes[place].stairs(counts, edges, fill=True, color=(BLUE, ORANGE)[place])
        zeros = int(np.sum(weights == 0))
        labelled(axes[place], "weight", "weights" if place == 0 else "",
                 f"{title}: {100 * zeros / weights.size:.1f} % are exactly 0")  # fmt: skip
        axes[place].set_yscale("log")
        axes[place].grid(axis="y")
    return figure


@styled
def first_layer(before: Sequential, after: Sequential, units: int = 8) -> Figure:
    """What the first units read, as pictures of 28 x 28 weights: above before, below after."""
    figure, axes = new_figure(2.05, units, 2)
    weights = [first_weights(model) for model in (before, after)]
    limit = float(np.quantile(np.abs(weights[0][:, :units]), 0.995)) or 1.0
    image: Any = None
    for row, matrix in enumerate(weights):
        for unit in range(units):
            image = axes[row, unit].imshow(
                matrix[:, unit].reshape(28, 28), cmap=DIVERGING, vmin=-limit, vmax=limit
            )
            bare(axes[row, unit])
            if row == 0:
                axes[row, unit].set_title(f"unit {unit}", fontsize=8.5)
        axes[row, 0].set_ylabel(("before", "after")[row])
    figure.colorbar(image, ax=axes, shrink=0.75, label="weight", pad=0.01)
    return figure


@styled
def weights_by_pixel(model: Sequential, mean_image: np.ndarray) -> Figure:
    """Where in the image weights are left, beside where the digits are."""
    figure, axes = new_figure(2.6, 2)
    left = 100 * np.mean(first_weights(model) != 0, axis=1).reshape(28, 28)
    for place, (picture, title, label) in enumerate(
        (
            (left, "weights that are left", "% of the pixel's weights"),
            (mean_image.reshape(28, 28), "the mean digit", "brightness, 0 to 1"),
        )
    ):
        image = axes[place].imshow(picture, cmap="cividis", vmin=0)
        bare(axes[place])
        axes[place].set_title(title, loc="center")
        figure.colorbar(image, ax=axes[place], label=label, shrink=0.85)
    return figure


@styled
def levels_on_histogram(weights: np.ndarray, found: Sequence[Levels]) -> Figure:
    """Each quantizer's levels as lines over the histogram of the weights."""
    figure, axes = new_figure(1.35 * len(found) + 0.5, 1, len(found), sharex=True)
    reach = float(np.abs(weights).max()) * 1.05
    edges = np.linspace(-reach, reach, 120)
    counts, _ = np.histogram(weights, edges)
    for place, (quantizer, colour) in enumerate(zip(found, CYCLE, strict=False)):
        axes[place].stairs(counts, edges, fill=True, color=GRID)
        axes[place].vlines(quantizer.levels, 0.5, counts.max(), color=colour, linewidth=1.2)
        axes[place].set_yscale("log")
        axes[place].set_ylim(0.5, counts.max() * 2)
        said = f"{len(quantizer.levels)} levels, root mean square error {quantizer.rms_error:.4f}"
        title = (
            f"{quantizer.scheme}: {said}" if quantizer.levels.size else quantizer.scheme
        )  # why there is none
        labelled(axes[place], "weight" if place == len(found) - 1 else "", "weights", title)
    return figure


@styled
def soft_targets(images: np.ndarray, by_temperature: dict[float, np.ndarray]) -> Figure:
    """A row for each digit: its image, then what the teacher answers at each temperature."""
    figure, axes = new_figure(1.25 * len(images) + 0.4, len(by_temperature) + 1, len(images), squeeze=False)
    for row, image in enumerate(images):
        axes[row, 0].imshow(image.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
        bare(axes[row, 0])
        for column, (temperature, probabilities) in enumerate(by_temperature.items(), start=1):
            cell = axes[row, column]
            best = int(np.argmax(probabilities[row]))
            colours = [BLUE if digit == best else ORANGE for digit in range(10)]
            cell.bar(range(10), 100 * probabilities[row], color=colours)
            cell.set_ylim(0, 100)
            cell.set_xticks(range(10))
            cell.tick_params(labelsize=7, labelleft=column == 1)
            cell.set_title(f"temperature {temperature:g}" if row == 0 else "")
            if column == 1:
                cell.set_ylabel("%")
            if row == len(images) - 1:
                cell.set_xlabel("digit")
    return figure


@styled
def busiest_and_idlest(model: Sequential, importance: np.ndarray, units: int = 8) -> Figure:
    """What the busiest units read, above, and the idlest, below."""
    figure, axes = new_figure(2.05, units, 2)
    order, weights = np.argsort(-np.asarray(importance)), first_weights(model)
    limit = float(np.quantile(np.abs(weights), 0.995)) or 1.0
    image: Any = None
    for row, chosen in enumerate((order[:units], order[::-1][:units])):
        for column, unit in enumerate(chosen):
            cell = axes[row, column]
            image = cell.imshow(weights[:, unit].reshape(28, 28), cmap=DIVERGING, vmin=-limit, vmax=limit)
            bare(cell)
            cell.set_title(f"{importance[unit]:.2f}", fontsize=8.5)
        axes[row, 0].set_ylabel(("busiest", "idlest")[row])
    figure.colorbar(image, ax=axes, shrink=0.75, label="weight", pad=0.01)
    return figure


@styled
def cascade(before: Sequential, after: Sequential) -> Figure:
    """The weight matrices of both models, to one scale: what a removed unit takes with it.

    A unit is a column of its own layer's matrix, and a row of the next one's.
    """
    figure, axes = new_figure(3.5)
    pairs = [
        (old.weight.shape, new.weight.shape)
        for old, new in zip(weighted(before), weighted(after), strict=True)
    ]
    lefts = np.cumsum([0, *(shape[1] + 330 for shape, _ in pairs)])
    for left, ((rows, columns), (kept_rows, kept_columns)) in zip(lefts, pairs, strict=False):
        axes.add_patch(Rectangle((left, -rows), columns, rows, facecolor=ORANGE, alpha=0.4, linewidth=0))
        axes.add_patch(Rectangle((left, -kept_rows), kept_columns, kept_rows, facecolor=BLUE, linewidth=0))
        share = 100 * kept_rows * kept_columns / (rows * columns)
        text = f"{rows} x {columns}\n{kept_rows} x {kept_columns} stay\n{share:.0f} % of the weights"
        axes.text(left + columns / 2, 25, text, ha="center", va="bottom", fontsize=8.5)
    for place in range(len(pairs) - 1):
        (_, (kept_rows, kept_columns)), ((rows, columns), _) = pairs[place], pairs[place + 1]
        lost = lefts[place] + (kept_columns + pairs[place][0][1]) / 2, -60
        same = lefts[place + 1], -(rows + pairs[place + 1][1][0]) / 2
        axes.annotate("", same, lost, arrowprops={"arrowstyle": "->", "color": MUTED, "shrinkB": 4})
        middle = (lefts[place] + pairs[place][0][1] + lefts[place + 1]) / 2
        units = pairs[place][0][1]
        axes.text(middle, -(rows + 160), f"{units - kept_columns} columns lost,\nso as many rows", ha="center",
                  fontsize=8.5, color=MUTED)  # fmt: skip
    axes.set_xlim(-120, lefts[-1] - 150)
    axes.set_ylim(-800, 190)
    axes.set_aspect("equal")
    bare(axes)
    return figure


def first_weights(model: Sequential) -> np.ndarray:
    return next(layer.weight for layer in model.layers if isinstance(layer, WeightedLayer))


def weighted(model: Sequential) -> list[WeightedLayer]:
    return [layer for layer in model.layers if isinstance(layer, WeightedLayer)]

"""`python -m assignment report`: every picture of the lab, from the code as it is now, on one page.

The page is one HTML file that asks the network for nothing. What is not implemented yet is a note where
its picture will be.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import jinja2
import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from . import experiments, pictures, plots
from .artifact import ledger
from .experiments import YOURS, Entry
from .nn import Sequential
from .plot_style import GRID, INK, MUTED, PAPER
from .scoring import badge
from .seam import SubmissionError
from .workbench import Workbench, note_for

TEMPLATE = Path(__file__).with_name("report.html")
PUBLISHED = (
    ("Deep Compression (2016)", 27_000, 98.42),
    ("Entropy-penalised (2020)", 8_560, 98.1),
)
"""LeNet-300-100 on MNIST: Han, Mao and Dally, table 1 (27 KB); Oktay et al., table 1 (8.56 KB). Test accuracy."""


@dataclass
class Findings:
    """Measurements that more than one picture shows, each made once, when it is first asked for."""

    bench: Workbench
    missing: dict[str, str] = field(default_factory=dict)

    @cached_property
    def quantized(self) -> dict[str, list[experiments.Quantized]]:
        return experiments.quantized_models(self.bench)

    @cached_property
    def importance(self) -> np.ndarray:
        return experiments.importance_of_first(self.bench)

    @cached_property
    def entries(self) -> list[Entry]:
        """Every way that works so far; `missing` says of the others why they are not there."""
        artifacts = {}
        for name, make in experiments.ways(self.bench).items():
            try:
                artifacts[name] = experiments.packed(make(), "compress" if name == YOURS else name)
            except SubmissionError as error:
                self.missing[name] = experiments.reason_of(error)
        return experiments.measured(self.bench, artifacts)

    @property
    def yours(self) -> Entry:
        """What `compress` makes. Raises SubmissionError where it makes nothing."""
        for one in self.entries:
            if one.name == YOURS:
                return one
        raise SubmissionError("missing", "compress")


@dataclass(frozen=True)
class Panel:
    """One picture: what is seen on it, and how it comes about."""

    title: str
    caption: str
    draw: Callable[[Findings], Figure]


@dataclass(frozen=True)
class Part:
    title: str
    panels: list[Panel]


@dataclass(frozen=True)
class Shown:
    """A panel on the page: its picture, or a note in its place."""

    panel: Panel
    picture: Markup | None
    note: str


def parts() -> list[Part]:
    return [
        Part("1 Size", size_panels()),
        Part("2 Magnitude pruning", pruning_panels()),
        Part("3 Quantization", quantization_panels()),
        Part("4 Distillation", distillation_panels()),
        Part("5 Structured pruning", structure_panels()),
        Part("6 Everything together", together_panels()),
    ]


def size_panels() -> list[Panel]:
    def models(found: Findings) -> dict:
        return {"MLP": found.bench.base, "CNN": experiments.small_cnn()}

    return [
        Panel(
            "Where the parameters are",
            "Parameters of each layer of the shared model (MLP) and of a small convolutional network (CNN). A "
            "dense weight multiplies once for each image; a convolution's is shared by every place of the image.",
            lambda found: plots.parameters_by_layer(
                {name: experiments.layer_uses(model) for name, model in models(found).items()}
            ),
        ),
        Panel(
            "Memory at 32, 16, 8 and 4 bits",
            "What your storage_bytes says both models take at different numbers of bits for each weight.",
            lambda found: plots.memory_at_bits(experiments.claimed_sizes(found.bench, models(found))),
        ),
        Panel(
            "What the weights are like",
            "Weights of the shared model's three layers: most are near 0, and the first layer's most of all.",
            lambda found: pictures.weight_distributions(found.bench.base),
        ),
    ]


def pruning_panels() -> list[Panel]:
    def sparse(found: Findings) -> Sequential:
        return found.bench.student.prune(found.bench.base, 0.9)

    return [
        Panel(
            "Weights before and after pruning",
            "All weights of the shared model, and after your prune at 90 %: the bin in the middle holds the "
            "zeros, and the gap beside it the weights that went.",
            lambda found: pictures.before_and_after(found.bench.base, sparse(found), "pruned at 90 %"),
        ),
        Panel(
            "What eight units read, before and after",
            "Incoming weights of the first layer's first eight units as 28 x 28 pictures; white is 0.",
            lambda found: pictures.first_layer(found.bench.base, sparse(found)),
        ),
        Panel(
            "Where weights are left",
            "For each pixel, the share of its 300 weights that your prune at 90 % leaves, beside the mean of "
            "the training images.",
            lambda found: pictures.weights_by_pixel(
                sparse(found), found.bench.mnist.train.images.mean(axis=0)
            ),
        ),
        Panel(
            "Accuracy against sparsity",
            "Accuracy of the shared model with more and more weights pruned: by a ranking in each layer, by one "
            "ranking over all layers, and that one after two epochs of finetune on 10,000 images.",
            lambda found: plots.accuracy_by_share(
                experiments.accuracy_by_sparsity(found.bench),
                "weights",
                base=found.bench.accuracy(found.bench.base),
            ),
        ),
    ]


def quantization_panels() -> list[Panel]:
    return [
        Panel(
            "Where the levels are, at 3 bits",
            "The first layer's weights in grey, and over them the values that are left after each of your "
            "quantizers. Even levels are spent on the few large weights; a codebook puts them where weights are.",
            lambda found: pictures.levels_on_histogram(
                pictures.first_weights(found.bench.base),
                experiments.levels_of(found.bench, pictures.first_weights(found.bench.base), bits=3),
            ),
        ),
        Panel(
            "Accuracy against bits",
            "Accuracy of the shared model with quantized weights, without any retraining.",
            lambda found: plots.accuracy_by_bits(
                found.quantized, base=found.bench.accuracy(found.bench.base)
            ),
        ),
        Panel(
            "Bytes claimed and bytes saved",
            "What storage_bytes says (dashed), and what the packed files of the same models take. A file does "
            "better than its bits where some levels are much more common than others.",
            lambda found: plots.claimed_and_packed(found.quantized),
        ),
    ]


def distillation_panels() -> list[Panel]:
    def targets(found: Findings) -> Figure:
        bench = found.bench
        logits = bench.base.forward(bench.mnist.validation.images)
        chosen = experiments.telling_digits(logits)
        by_temperature = {
            temperature: bench.student.softmax(logits[chosen], temperature)
            for temperature in (1.0, 3.0, 10.0)
        }
        return pictures.soft_targets(bench.mnist.validation.images[chosen], by_temperature)

    return [
        Panel(
            "What a teacher says beside the answer",
            "Three digits, and your softmax of the shared model's logits for them at three temperatures. The "
            "answer is blue; at higher temperatures it shows which other digits this one is like.",
            targets,
        ),
        Panel(
            "Taught, and alone",
            "A network of 20 units learns from 1,000 images with your distill: from their labels alone "
            "(alpha 1), and taught by the shared model (alpha 0.1, temperature 3). Lines are means of three "
            "seeds; bands reach from the worst to the best.",
            lambda found: plots.learning_curves(experiments.taught_and_alone(found.bench), 1000),
        ),
    ]


def structure_panels() -> list[Panel]:
    def times(found: Findings) -> Figure:
        models = experiments.dense_masked_removed(found.bench)
        seconds = experiments.inference_seconds(models, found.bench.mnist.train.images)
        weights = {
            name: sum(int(np.count_nonzero(array)) for array in model.parameters() if array.ndim > 1)
            for name, model in models.items()
        }
        return plots.inference_times(seconds, weights, experiments.TIMED_IMAGES)

    return [
        Panel(
            "Which units matter",
            "Your neuron_importance of the first layer's 300 units, in order. At a keep_ratio of 0.2 the "
            "orange ones go.",
            lambda found: plots.importance_bars(found.importance, 0.2),
        ),
        Panel(
            "The busiest and the idlest",
            "What the eight most and the eight least important units read, each with its importance.",
            lambda found: pictures.busiest_and_idlest(found.bench.base, found.importance),
        ),
        Panel(
            "The cascade",
            "The weight matrices of the shared model, and in blue what your prune_neurons leaves of them at a "
            "keep_ratio of 0.2 in both hidden layers. Areas are to scale.",
            lambda found: pictures.cascade(found.bench.base, experiments.narrowed(found.bench, 0.2)),
        ),
        Panel(
            "Accuracy against units kept",
            "Accuracy of the shared model with both hidden layers narrowed: units kept by chance, by your "
            "importance, and those after two epochs of finetune on 10,000 images.",
            lambda found: plots.accuracy_by_share(
                experiments.accuracy_by_keep_ratio(found.bench),
                "units of each hidden layer",
                base=found.bench.accuracy(found.bench.base),
            ),
        ),
        Panel(
            "Speed really gained",
            "Median inference time of the dense model, of one with as many weights masked as the third has "
            "removed, and of the narrow one. Zeros are multiplied like any other number.",
            times,
        ),
    ]


def together_panels() -> list[Panel]:
    return [
        Panel(
            "Accuracy against bytes",
            "Packed files of the shared model made with your functions, your compress() as a star. Along a grey "
            "line all files have the same score. Crosses are published results for the same network, with "
            "their test accuracy, not measured here.",
            lambda found: plots.tradeoff(found.entries, PUBLISHED),
        ),
        Panel(
            "Accuracy against time",
            "The same models' accuracy and the time that they take: fewer bytes are not always fewer "
            "milliseconds.",
            lambda found: plots.accuracy_and_time(found.entries, experiments.TIMED_IMAGES),
        ),
        Panel(
            "Where your bytes went",
            "Bytes of each array in the file that your compress() becomes, and how the packer coded it.",
            lambda found: plots.where_bytes_went(ledger(found.yours.artifact)),
        ),
    ]


def make(bench: Workbench, say: Callable[[str], None] = lambda line: None) -> str:
    """The page. `say` is told of each picture before it is drawn."""
    found, all_parts = Findings(bench), parts()
    count, started, page = sum(len(part.panels) for part in all_parts), time.monotonic(), []
    done = 0
    for part in all_parts:
        shown = []
        for panel in part.panels:
            done += 1
            say(f"[{done:2d}/{count}] {part.title}: {panel.title}")
            shown.append(show(panel, found))
        page.append((part, shown))
    entry = next((one for one in found.entries if one.name == YOURS), None)
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        parts=page,
        entries=found.entries,
        missing=found.missing,
        yours=entry,
        badge=badge(entry.accuracy_percent, entry.size_bytes) if entry else None,
        data=bench.mnist.name,
        images=len(bench.mnist.validation),
        made=time.strftime("%Y-%m-%d %H:%M"),
        seconds=time.monotonic() - started,
    )


def show(panel: Panel, found: Findings) -> Shown:
    """The picture; a note where the student's code is not ready for it, whatever it does."""
    try:
        return Shown(panel, as_svg(panel.draw(found), panel.title), "")
    except SubmissionError as error:
        return Shown(panel, None, note_for(error))
    except Exception as error:
        last = traceback.format_exception_only(error)[-1].strip()
        return Shown(panel, None, f"What your functions returned cannot be drawn: {last}")


def as_svg(figure: Figure, title: str) -> Markup:
    """The figure as an element of the page, in the page's own colours, named for screen readers."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": title, "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    for colour, name in ((INK, "ink"), (MUTED, "muted"), (GRID, "grid"), (PAPER, "paper")):
        svg = svg.replace(colour, f"var(--{name})")
    label = str(Markup.escape(title))
    return Markup(re.sub(r"<svg ", f'<svg role="img" aria-label="{label}" ', svg, count=1))


def write(page: str, path: Path) -> None:
    """Whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

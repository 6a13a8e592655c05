"""What the lab measures, against values worked by hand; and that a drawing draws the numbers it was given."""

from __future__ import annotations

import math

import numpy as np
import pytest

from assignment import experiments, pictures, plots
from assignment.artifact import pack
from assignment.experiments import Entry
from assignment.nn import Dataset, Dense, ReLU, Sequential
from assignment.plot_style import GRID
from assignment.scoring import BADGES, REFERENCE_ACCURACY_PERCENT, REFERENCE_BYTES, badge, score
from assignment.seam import LocalSubmission, SubmissionError
from assignment.workbench import Workbench, note_for
from grader.rules import ROOT
from leaderboard.ranking import WEIGHT_CLASSES


def test_a_shared_weight_is_used_at_each_place_of_the_image():
    """28 x 28 places for the first convolution, 14 x 14 after the pool, one for a dense layer."""
    uses = experiments.layer_uses(experiments.small_cnn())
    assert [use.uses_per_weight for use in uses] == [784, 196, 1]
    assert [use.parameters for use in uses] == [8 * 9 + 8, 16 * 8 * 9 + 16, 784 * 10 + 10]


def test_the_front_holds_what_nothing_beats_in_both():
    def one(name: str, size: int, accuracy: float) -> Entry:
        return Entry(name, size, accuracy, 1.0, 0.0, b"")

    entries = [one("large", 900, 99), one("worse", 950, 98), one("small", 100, 95), one("tie", 100, 94)]
    assert [entry.name for entry in experiments.pareto_front(entries)] == ["small", "large"]


@pytest.mark.parametrize(
    ("accuracy", "size", "name"),
    [
        (98.0, 16_384, "heavyweight"),
        (98.0, 16_385, None),
        (97.99, 300, None),
        (99.9, 8_192, "cruiserweight"),
        (98.5, 2_049, "middleweight"),
        (98.5, 2_048, "welterweight"),
        (98.5, 385, "superfeatherweight"),
        (98.5, 384, "featherweight"),
        (98.5, 1, "featherweight"),
        (math.nan, 100, None),
    ],
)
def test_badge(accuracy, size, name):
    assert badge(accuracy, size) == name


def test_badges_go_down_by_halves_and_featherweight_is_the_last():
    assert list(BADGES) == sorted(BADGES, reverse=True)
    assert list(BADGES.values())[-1] == "featherweight"
    assert sorted(BADGES.items()) == list(WEIGHT_CLASSES)  # the leaderboard's own


def small_bench() -> Workbench:
    class Small(Workbench):
        @property
        def few(self) -> Dataset:
            rng = np.random.default_rng(0)
            return Dataset(rng.random((50, 784), dtype=np.float32), rng.integers(0, 10, 50))

    return Small(LocalSubmission(ROOT / "solution" / "compression.py"), None)


def test_masked_and_removed_have_as_many_weights():
    """Else the clock would compare different things. 784 x 60 + 60 x 20 + 20 x 10 weights are left."""
    models = experiments.dense_masked_removed(small_bench())
    left = {
        name: sum(np.count_nonzero(array) for array in model.parameters() if array.ndim > 1)
        for name, model in models.items()
    }
    assert left == {"dense": 266_200, "masked": 48_440, "removed": 48_440}
    assert models["masked"].parameters()[0].shape == (784, 300)
    assert models["removed"].parameters()[0].shape == (784, 60)


def test_telling_digits_are_unsure_and_different():
    sure, unsure = np.eye(10)[3] * 20, np.eye(10)[4] * 2 + np.eye(10)[9] * 1.0
    logits = np.array([sure, unsure, unsure, np.roll(unsure, 1), sure], np.float32)
    logits[[1, 2, 3]] *= 2  # 4 against 2
    assert experiments.telling_digits(logits).tolist() == [1, 3]


def test_a_line_of_equal_score_is_one():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    sizes = np.geomspace(300, REFERENCE_BYTES * 1.5, 200)
    plots.score_lines(axes, sizes, 88.0, 100.0)
    lines = [line for line in axes.lines if line.get_color() == GRID]
    assert len(lines) == 6  # 2, 4, ..., 12
    for points, line in zip(range(2, 13, 2), lines, strict=True):
        for size, accuracy in line.get_xydata()[::20]:
            assert score(accuracy, size, REFERENCE_ACCURACY_PERCENT, REFERENCE_BYTES) == pytest.approx(points)


def test_histograms_say_how_many_are_zero():
    weight = np.array([[0.0, 0.5], [0.0, 0.25]], np.float32)
    model = Sequential([Dense.from_arrays(weight, np.zeros(2, np.float32))])
    figure = pictures.before_and_after(model, model, "after")
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "before: 50.0 % are exactly 0",
        "after: 50.0 % are exactly 0",
    ]


def test_bars_of_importance_are_divided_where_prune_neurons_divides():
    figure = plots.importance_bars(np.arange(30, dtype=np.float32), keep_ratio=0.25)
    kept, gone = figure.axes[0].patches
    assert kept.get_data().values.tolist() == [29, 28, 27, 26, 25, 24, 23, 22]  # round(7.5) is 8
    assert gone.get_data().values.tolist() == list(range(21, -1, -1))


def test_the_cascade_takes_rows_for_columns():
    rng = np.random.default_rng(0)

    def model(*sizes: int) -> Sequential:
        return Sequential([Dense(*sizes[:2], rng=rng), ReLU(), Dense(*sizes[1:], rng=rng)])

    axes = pictures.cascade(model(8, 6, 4), model(8, 3, 4)).axes[0]
    areas = [(patch.get_width(), patch.get_height()) for patch in axes.patches if hasattr(patch, "get_xy")]
    assert areas == [(6, 8), (3, 8), (4, 6), (4, 3)]
    texts = [text.get_text() for text in axes.texts]
    assert "8 x 6\n8 x 3 stay\n50 % of the weights" in texts
    assert "3 columns lost,\nso as many rows" in texts


def test_every_entry_is_measured_from_its_file():
    images = np.random.default_rng(0).random((40, 784), dtype=np.float32)
    model = Sequential([Dense(784, 10, rng=np.random.default_rng(1))])
    labels = model.predict(images)
    labels[:4] = (labels[:4] + 1) % 10

    class Measured(Workbench):
        def accuracy(self, model):
            return 100 * float(np.mean(model.predict(images) == labels))

    class Digits:
        validation = Dataset(images, labels)

    (entry,) = experiments.measured(Measured(None, Digits()), {"one": pack(model)})
    assert entry.accuracy_percent == 90.0
    assert entry.size_bytes == len(pack(model))
    assert entry.milliseconds > 0
    assert entry.score == 0.0


def test_notes_say_what_to_do():
    missing = SubmissionError("not_implemented", "prune")
    assert note_for(missing).startswith("Implement this first: prune (part 2).")
    raised = SubmissionError("raised", "softmax", "boom", "ValueError")
    assert note_for(raised) == (
        "softmax raised ValueError: boom. Its tests: python -m pytest tests_public --function softmax"
    )
    broken = SubmissionError("import", "import", "line 3: invalid syntax (SyntaxError)")
    assert note_for(broken) == "compression.py could not be imported: line 3: invalid syntax (SyntaxError)."


def test_the_handout_gives_the_points_of_each_part():
    import re
    import tomllib

    rows = re.findall(
        r"^\| (\d) .*\| (\d+) \| [^|]+ \|$", (ROOT / "assignment/README.md").read_text(), re.MULTILINE
    )
    table = tomllib.loads((ROOT / "tests_public" / "points.toml").read_text())
    worth = {
        part: sum(sum(points.values()) for points in content["functions"].values())
        for part, content in table.items()
    }
    assert {f"part{number}": int(points) for number, points in rows} == worth
    assert sum(worth.values()) == 100


def test_a_curve_that_cannot_be_had_says_why_and_leaves_the_others():
    def broken() -> list:
        raise SubmissionError("not_implemented", "finetune")

    found = experiments.each_that_works({"one": lambda: [(1.0, 90.0)], "other": broken})
    assert found == {"one": [(1.0, 90.0)], "other: finetune is not implemented yet": []}
    legend = plots.accuracy_curves(found, "x", base=99.0).axes[0].get_legend()
    assert "other: finetune is not implemented yet" in [text.get_text() for text in legend.get_texts()]
    with pytest.raises(SubmissionError):
        experiments.each_that_works({"other": broken})


def test_a_quantizer_that_is_not_ready_keeps_its_place_and_says_why():
    class Half:
        def __getattr__(self, name):
            if name == "kmeans_codebook":
                raise SubmissionError("not_implemented", name)
            return getattr(LocalSubmission(ROOT / "solution" / "compression.py"), name)

    weights = np.random.default_rng(0).normal(0, 1, (20, 20)).astype(np.float32)
    figure = pictures.levels_on_histogram(
        weights, experiments.levels_of(Workbench(Half(), None), weights, bits=3)
    )
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[0].startswith("affine: 8 levels, root mean square error")
    assert titles[2] == "kmeans: kmeans_codebook is not implemented yet"

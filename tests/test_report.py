"""The report: pictures where the student's functions work, kind notes where they do not, one page of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from assignment import experiments, report
from assignment.data import Mnist, load_mnist
from assignment.nn import Dataset, Dense, Sequential
from assignment.shared_model import shared_model
from assignment.workbench import PARTS, SavedSubmission, Workbench

ROOT = Path(__file__).resolve().parent.parent
STUBS = ROOT / "assignment" / "compression.py"
SOLUTION = ROOT / "solution" / "compression.py"
PANELS = sum(len(part.panels) for part in report.parts())

SMALL_COMPRESS = """

def compress(model, data, budget_bytes, seed=0):
    return quantize_model(prune(model, 0.99), 2)
"""


@pytest.fixture(scope="module")
def mnist() -> Mnist:
    """A few real digits: what is drawn does not depend on how many there are."""
    all_of_it = load_mnist()

    def some(dataset: Dataset, count: int) -> Dataset:
        return Dataset(dataset.images[:count], dataset.labels[:count])

    return Mnist(some(all_of_it.train, 1000), some(all_of_it.validation, 300), all_of_it.test, "mnist-5k")


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Fewer points on the curves that take longest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiments, "SCHEMES", {"affine": (2, 3), "symmetric": (2,), "kmeans": (2,)})
        patch.setattr(experiments, "KEEP_RATIOS", (0.2, 1.0))
        yield


@pytest.fixture(scope="module")
def whole_page(mnist, tmp_path_factory) -> str:
    return page_of(SOLUTION.read_text() + SMALL_COMPRESS, mnist, tmp_path_factory.mktemp("whole"))


def narrow(units: tuple[int, int] = (40, 20)) -> Sequential:
    """The first units of the shared model: what is drawn does not depend on their number, how long it takes does."""
    model = shared_model()
    first, second, last = (layer for layer in model.layers if isinstance(layer, Dense))
    first.weight, first.bias = first.weight[:, : units[0]].copy(), first.bias[: units[0]].copy()
    second.weight, second.bias = second.weight[: units[0], : units[1]].copy(), second.bias[: units[1]].copy()
    last.weight = last.weight[: units[1]].copy()
    return model


def page_of(source: str, mnist: Mnist, folder: Path) -> str:
    file = folder / "compression.py"
    file.write_text(source, encoding="utf-8")
    return report.make(Workbench(SavedSubmission(file), mnist, narrow()))


def notes(page: str) -> list[str]:
    return re.findall(r'<p class="note">(.*?)</p>', page, re.DOTALL)


@pytest.mark.xdist_group("whole report")
def test_every_picture_is_drawn_with_a_whole_solution(whole_page, mnist):
    page = whole_page
    assert page.count("<svg role=") == PANELS
    assert [note for note in notes(page) if "mnist-5k" not in note] == []
    assert "Not in the comparison" not in page
    for name in experiments.ways(Workbench(None, mnist)):
        assert f"<td>{name}</td>" in page


@pytest.mark.xdist_group("whole report")
def test_the_page_stands_alone_and_follows_the_readers_colours(whole_page):
    page = whole_page
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    assert "url(http" not in page
    assert "prefers-color-scheme: dark" in page
    svg = page[page.index("<svg") : page.rindex("</svg>")]
    for colour in (report.INK, report.MUTED, report.GRID, report.PAPER):
        assert colour not in svg
    assert "var(--ink)" in svg


def test_stubs_leave_notes_in_place_of_pictures(mnist, tmp_path):
    page = page_of(STUBS.read_text(), mnist, tmp_path)
    pictures = page.count("<svg role=")
    without_code = 2  # where the parameters are, what the weights are like
    shown = without_code + 2  # the shared model is in both comparisons
    assert pictures == shown
    assert sum("Implement this first" in note for note in notes(page)) == PANELS - shown
    assert "storage_bytes (part 1)" in page
    assert "global_magnitude_masks is not implemented yet" in page
    assert "No file to measure: compress is not implemented yet." in page


def test_a_file_that_is_no_python_leaves_a_page_that_says_so(mnist, tmp_path):
    page = page_of("def broken(:\n", mnist, tmp_path)
    assert "compression.py could not be imported: line 1" in page


HALF_DONE = """

def neuron_importance(model, layer_index, images):
    return np.ones(7, np.float32)

def kmeans_codebook(weights, bits, iterations=20):
    return np.zeros(3, np.int64), np.zeros(2, np.float32)

def softmax(logits, temperature=1.0):
    raise KeyError("<script>alert(1)</script>")

def magnitude_mask(weights, sparsity):
    return None

def prune(model, sparsity, scope="global"):
    return type(model)([])

def compress(model, data, budget_bytes, seed=0):
    return 5
"""


def test_wrong_functions_are_named_and_spoil_no_other_picture(mnist, tmp_path):
    page = page_of(SOLUTION.read_text() + HALF_DONE, mnist, tmp_path)
    assert "neuron_importance returned an array of shape (7,) for 40 units" in page
    assert "k-means codebook: quantize_model returned a model that cannot be packed" in page  # in a legend
    assert "softmax raised KeyError" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "your compress(): compress returned a model that cannot be packed" in page
    assert "cannot be drawn" in page  # a network without layers has no weights to show
    assert page.count("<svg role=") >= 6


def test_nothing_is_half_written(tmp_path, monkeypatch):
    page = tmp_path / "report.html"
    page.write_text("the last one")
    with pytest.raises(UnicodeEncodeError):
        report.write("\ud800", page)
    assert page.read_text() == "the last one"
    assert list(tmp_path.iterdir()) == [page]


def run(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "assignment", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True
    )


def test_the_command_writes_the_page_and_says_where(tmp_path):
    done = run("report", "--file", STUBS, "--out", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "page.html")
    assert f"[{PANELS}/{PANELS}] 6 Everything together" in done.stderr
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--file", "no-such.py"), "no-such.py is not a file: --file takes a compression.py"),
        (("--out", "no-such-folder/r.html"), "there is no folder no-such-folder for r.html"),
    ],
)
def test_bad_paths_are_refused_before_the_work(arguments, said):
    done = run("report", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {said}")


def test_saving_the_file_is_enough(tmp_path, mnist):
    file = tmp_path / "compression.py"
    shutil.copy(STUBS, file)
    bench = Workbench(SavedSubmission(file), mnist)
    with pytest.raises(Exception, match="not implemented"):
        bench.student.sparsity(bench.base)
    shutil.copy(SOLUTION, file)
    assert bench.student.sparsity(bench.base) == np.mean(
        np.concatenate([array.ravel() for array in bench.base.parameters() if array.ndim > 1]) == 0
    )


def test_parts_are_those_of_the_points():
    points = tomllib.loads((ROOT / "tests_public" / "points.toml").read_text())
    assert {
        name: int(part.removeprefix("part")) for part, table in points.items() for name in table["functions"]
    } == PARTS

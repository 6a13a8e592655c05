"""The lab, run from top to bottom by a real kernel: with the reference, with the stubs, and as a page."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from assignment import explore
from grader.export.otter_checks import check_files

ROOT = Path(__file__).resolve().parent.parent


def rendered(compression: Path, folder: Path) -> tuple[nbformat.NotebookNode, str]:
    files = folder / "lab.ipynb", folder / "lab.html"
    done = subprocess.run(
        [sys.executable, "docs/render_lab.py", compression, "--notebook", files[0], "--html", files[1]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"FEATHERWEIGHT_DATA": ""},  # the small data will do
    )
    assert done.returncode == 0, done.stderr
    return nbformat.read(files[0], as_version=4), files[1].read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def with_reference(tmp_path_factory):
    return rendered(ROOT / "solution" / "compression.py", tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="module")
def with_stubs(tmp_path_factory):
    return rendered(ROOT / "assignment" / "compression.py", tmp_path_factory.mktemp("stubs"))


def outputs(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    return [
        output["data"][kind]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if kind in output.get("data", {})
    ]


def text_of(notebook: nbformat.NotebookNode) -> str:
    return "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))


DRAWS = re.compile(r"^(plots|pictures)\.|^explore\(", re.MULTILINE)


@pytest.mark.xdist_group("lab with the reference")
def test_every_picture_is_there_with_the_reference(with_reference):
    notebook, _ = with_reference
    drawing = [cell for cell in notebook.cells if cell.cell_type == "code" and DRAWS.search(cell.source)]
    assert len(drawing) >= 20
    for cell in drawing:
        assert any("image/png" in output.get("data", {}) for output in cell.outputs), cell.source
    assert not [page for page in outputs(notebook, "text/html") if "Implement this first" in page]
    text = text_of(notebook)
    shown = [page for page in outputs(notebook, "text/plain") if re.match(r"part\d results:", page)]
    assert len(shown) == 6
    assert not [
        page for page in shown if "❌" in page or "All test cases passed!" not in page
    ]  # otter's own words
    assert "largest difference in the logits: 0.0000" in text


def test_stubs_leave_notes_and_stop_nothing(with_stubs):
    notebook, _ = with_stubs
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error", output
    notes = [page for page in outputs(notebook, "text/html") if "Implement this first" in page]
    named = {name for note in notes for name in re.findall(r"first: (\w+) \(part", note)}
    assert named >= {
        "count_parameters", "storage_bytes", "prune", "global_magnitude_masks", "quantize_affine",
        "quantize_model", "softmax", "distill", "neuron_importance", "prune_neurons", "compress",
    }  # fmt: skip
    assert "Traceback" not in text_of(notebook)
    shown = [page for page in outputs(notebook, "text/plain") if re.match(r"part\d results:", page)]
    assert len(shown) == 6
    assert "not implemented yet" in shown[0]


def test_checks_without_otter_run_the_same_tests(capsys):
    explore.Checks().check("part1")
    assert "public tests 0/6 passed" in capsys.readouterr().out


def test_checks_are_what_the_exporter_writes():
    for name, content in check_files().items():
        assert (explore.CHECKS / name).read_bytes() == content, (
            "python -m grader export otter-checks assignment/checks"
        )


@pytest.mark.xdist_group("lab with the reference")
def test_the_page_asks_the_network_for_nothing(with_reference):
    _, page = with_reference
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=.https?:", page)


def test_each_step_has_an_idea_a_question_an_answer_and_a_source():
    source = (ROOT / "assignment" / "lab.py").read_text(encoding="utf-8")
    steps = re.split(r"^# ## \d ", source, flags=re.MULTILINE)[1:]
    assert len(steps) == 6
    for number, step in enumerate(steps, start=1):
        assert "**Think.**" in step
        assert "<details><summary>Check yourself</summary>" in step
        assert number == 6 or "**Out there.**" in step
        assert f'grader.check("part{number}")' in step


def test_the_page_in_the_docs_shows_the_lab_as_it_is():
    digest = hashlib.sha256((ROOT / "assignment" / "lab.py").read_bytes()).hexdigest()
    page = (ROOT / "docs" / "lab.html").read_text(encoding="utf-8")
    assert f"made of assignment/lab.py with SHA-256 {digest}" in page, "make it again: make lab-html"

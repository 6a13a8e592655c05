"""Run the lab from top to bottom with a solution, as a student would, and keep what it shows.

    python docs/render_lab.py solution/compression.py --html docs/lab.html

The lab runs in a copy of what students have, in which the solution is their compression.py. Exit code 1 where
a cell failed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / "assignment" / "lab.py"
FOR_STUDENTS = ("assignment", "tests_public", "pyproject.toml")
CELL_SECONDS = 600


def run_lab(compression: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs, sliders as still pictures. Raises CellExecutionError."""
    with tempfile.TemporaryDirectory(prefix="featherweight-lab-") as folder:
        for name in FOR_STUDENTS:
            source, copy = ROOT / name, Path(folder, name)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "*.ipynb"))
            else:
                shutil.copy(source, copy)
        shutil.copy(compression, Path(folder, "assignment", "compression.py"))
        notebook = jupytext.read(Path(folder, "assignment", "lab.py"))
        os.environ |= {"FEATHERWEIGHT_STILL": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": folder}
        client = NotebookClient(
            notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        with client.setup_kernel():
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type == "code":
                    started = time.monotonic()
                    client.execute_cell(cell, index)
                    first = next(line for line in cell.source.splitlines() if line.strip())
                    print(f"{time.monotonic() - started:6.1f} s  {first[:90]}", file=sys.stderr, flush=True)
    return notebook


def as_html(notebook: nbformat.NotebookNode) -> str:
    """One page that asks the network for nothing."""
    exporter = HTMLExporter(mathjax_url="", require_js_url="", jquery_url="", widget_renderer_url="")
    page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": "Featherweight: the lab"}})
    return page + f"<!-- {fingerprint()} -->\n"


def fingerprint() -> str:
    """Of the lab that a page shows: a test tells whoever changes the one to make the other again."""
    return f"made of assignment/lab.py with SHA-256 {hashlib.sha256(LAB.read_bytes()).hexdigest()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("compression", type=Path, help="a compression.py")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the page here")
    parser.add_argument(
        "--notebook", type=Path, metavar="FILE", help="write the notebook with its outputs here"
    )
    options = parser.parse_args()
    try:
        notebook = run_lab(options.compression)
    except CellExecutionError as error:
        print(error, file=sys.stderr)
        return 1
    if options.notebook:
        nbformat.write(notebook, options.notebook)
    if options.html:
        options.html.write_text(as_html(notebook), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

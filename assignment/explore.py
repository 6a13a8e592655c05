"""What a notebook needs beside the pictures: sliders, notes in place of tracebacks, the tests of a part.

Where nobody can move a slider (FEATHERWEIGHT_STILL is set, or ipywidgets is not installed), `explore` shows
a few still pictures instead.
"""

from __future__ import annotations

import html
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from IPython import get_ipython
from IPython.display import HTML, display
from matplotlib.figure import Figure
from matplotlib_inline.backend_inline import select_figure_formats

from .seam import SubmissionError
from .workbench import note_for

ROOT = Path(__file__).resolve().parent.parent
CHECKS = Path(__file__).resolve().parent / "checks"


def prepare() -> None:
    """Show figures as pictures, and functions that are not ready as notes. Call it once, at the top."""
    shell = get_ipython()
    if shell is not None:
        select_figure_formats(shell, {"png"})
        shell.set_custom_exc((SubmissionError,), note_instead_of_traceback)
        shell.events.register("post_run_cell", forgive)


def note_instead_of_traceback(
    shell: Any, kind: type, error: SubmissionError, where: Any, tb_offset: int | None = None
) -> None:
    show_note(error)


def forgive(result: Any) -> None:
    """So that "run all cells" goes on: a function that is not written yet is no failure of the notebook."""
    if isinstance(result.error_in_exec, SubmissionError):
        result.error_in_exec = None


def show_note(error: SubmissionError) -> None:
    """What is missing; where the student's own code raised, also where."""
    if error.kind in ("raised", "import") and error.__cause__ is not None:
        traceback.print_exception(error.__cause__, file=sys.stdout)
    style = "border-left: 4px solid #e69f00; padding: 0.4em 0.8em; margin: 0.4em 0"
    display(HTML(f'<div style="{style}">{html.escape(note_for(error))}</div>'))


def explore(draw: Callable[[Any], Figure], name: str, values: Sequence[Any], still: Sequence[Any]) -> None:
    """A slider over `values`, and the picture that `draw` makes of the chosen one."""

    def shown(value: Any) -> None:
        try:
            display(draw(value))
        except SubmissionError as error:
            show_note(error)

    widgets = None if os.environ.get("FEATHERWEIGHT_STILL") else ipywidgets()
    if widgets is None:
        for value in still:
            display(HTML(f"<p>{html.escape(name)} {value}</p>"))
            shown(value)
    else:
        slider = widgets.SelectionSlider(
            options=values, value=still[0], description=name, continuous_update=False
        )
        widgets.interact(shown, value=slider)


def ipywidgets() -> Any:
    try:
        import ipywidgets
    except ImportError:
        return None
    return ipywidgets


class Checks:
    """The public tests, part by part: what otter-grader's `Notebook` offers, for who has no otter."""

    def check(self, name: str) -> None:
        """Run the public tests of a part ("part1" to "part6"), and show what they say."""
        files = map(str, (ROOT / "tests_public").glob(f"test_{name}_*.py"))
        command = [sys.executable, "-m", "pytest", *files, "-q", "--no-header", "-p", "no:cacheprovider"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        print(done.stdout.strip() or done.stderr.strip())


def checks() -> Any:
    """otter-grader's notebook checks where otter is installed, else our own: both have `check("part1")`."""
    try:
        import otter
    except ImportError:
        return Checks()
    return otter.Notebook(tests_dir=str(CHECKS))

"""The gallery: plain recipes, a few lines each on the reference's functions, graded as any submission is.

    python -m grader gallery --out results/gallery

A recipe is a file in solution/gallery/: its docstring says what it does, its `compress` calls the functions of
`assignment.compression`. To be graded it becomes one file: the reference's, then the recipe.
"""

from __future__ import annotations

import argparse
import ast
from dataclasses import dataclass
from pathlib import Path

from grader import GraderError, UnusableError
from grader.rules import ROOT

FOLDER = ROOT / "solution" / "gallery"
FUNCTIONS = ROOT / "solution" / "compression.py"
REFERENCES = {
    "reference": FUNCTIONS,
    "open_division": ROOT / "solution" / "open_division" / "compression.py",
}
"""The two reference entries, whole files that stand beside the recipes in every comparison."""


@dataclass(frozen=True)
class Recipe:
    """name: its file's. title: one sentence. source: a whole compression.py."""

    name: str
    title: str
    source: str


def recipes(folder: Path = FOLDER) -> list[Recipe]:
    """All recipes, in the order of their names."""
    return [recipe_of(path) for path in sorted(folder.glob("*.py"))]


def recipe_of(path: Path) -> Recipe:
    """Raises GraderError where the file has no docstring to be called by."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    title = (ast.get_docstring(tree) or "").partition("\n")[0]
    if not title:
        raise GraderError(f"{path} must begin with a docstring that says what it does")
    lines = text.splitlines()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "assignment.compression":
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[number - 1] = ""
    source = f"{FUNCTIONS.read_text(encoding='utf-8')}\n\n# {title}\n" + "\n".join(lines[1:]) + "\n"
    return Recipe(path.stem, title, source)


def write_submission(recipe: Recipe, out: Path) -> Path:
    """`OUT/<name>/compression.py`, which stays beside its result, so that the result can be had again."""
    path = out / recipe.name / "compression.py"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(recipe.source, encoding="utf-8")
    except OSError as error:
        raise UnusableError(f"{path} cannot be written: {error.strerror}") from error
    return path


def add_command(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "gallery",
        help="grade the plain recipes that the leaderboard shows as baselines",
        description="Run the competition for each recipe in solution/gallery/; write OUT/<name>/result.json.",
        epilog="Post one with: python -m leaderboard post OUT/<name>/result.json --baseline TITLE",
    )
    command.add_argument("names", metavar="NAME", nargs="*", help="which ones (default: all)")
    command.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("results/gallery"), help="default: results/gallery"
    )
    command.set_defaults(run=run_command)


def run_command(options: argparse.Namespace) -> int:
    from grader.grade import Request, grade
    from grader.progress import progress_on_stderr

    found = {recipe.name: recipe for recipe in recipes()}
    for name in options.names:
        if name not in found:
            raise UnusableError(f"there is no recipe {name}: choose from {', '.join(found)}")
    has_failed = False
    for name in options.names or found:
        path = write_submission(found[name], options.out)
        with progress_on_stderr() as progress:
            record = grade(Request(path, options.out, tests="none"), progress)
        print(f"{name:18} {line_of(record)}  {found[name].title}", flush=True)
        has_failed |= record["error"] is not None
    return int(has_failed)


def line_of(record: dict) -> str:
    if record["error"] is not None:
        return f"the grader failed: {record['error']}"
    entry = record["competition"]
    if entry["bytes"] is None:
        return entry["flags"][0]
    return f"{entry['bytes']:>9,} bytes  {entry['accuracy_percent']:.2f} %  score {entry['score']:6.3f}"

"""Who may import whom: the rules that keep the parts apart, checked in the source itself."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("assignment", "solution", "grader", "leaderboard", "tests_public", "tests_hidden", "tests")

GIVEN = {f"assignment.{path.stem}" for path in (ROOT / "assignment").glob("*.py")} - {
    "assignment.compression"
}

UNDER_TEST = {"assignment.nn", "assignment.artifact", "assignment.seam", "assignment.submission"}

RULES = {
    "assignment/nn/*.py": {"assignment.nn"},
    "assignment/entropy.py": set(),
    "assignment/artifact.py": {"assignment.nn", "assignment.entropy", *GIVEN},
    "assignment/plain.py": {"assignment.nn"},
    "assignment/seam.py": {"assignment.nn", "assignment.plain", "assignment.weighing"},
    "assignment/submission.py": {"assignment.seam"},
    "assignment/compression.py": {"assignment.nn", "assignment.artifact"},
    "solution/gallery/*.py": {"assignment.nn", "assignment.compression"},
    "solution/*.py": {"assignment.nn", "assignment.artifact"},
    "assignment/*.py": {"assignment.nn", *GIVEN},
    "grader/*.py": {"assignment.nn", "grader", *GIVEN},
    "grader/export/*.py": {"grader"},
    "leaderboard/anatomy.py": {
        "leaderboard",
        "assignment.artifact",
        "assignment.data",
        "assignment.nn",
        "assignment.shared_model",
    },
    "leaderboard/*.py": {"leaderboard"},
    "tests_public/*.py": {*UNDER_TEST, "tests_public"},
    "tests_hidden/test_*.py": {*UNDER_TEST, "tests_public", "tests_hidden"},
}
"""What files may import of the project, in the order in which the first pattern that fits decides."""

PACKAGES = {
    "assignment/nn/*.py": {"numpy", "rich"},
    "assignment/compression.py": {"numpy"},
    "assignment/plain.py": {"numpy"},
    "assignment/seam.py": {"numpy"},
    "assignment/submission.py": {"numpy", "pytest"},
    "assignment/artifact.py": {"numpy"},
    "assignment/entropy.py": {"numpy"},
    "solution/*.py": {"numpy"},
    "grader/wire.py": {"numpy"},
    "grader/worker.py": {"numpy"},
}
"""What files may import of other packages, where that matters: a worker has NumPy alone."""


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, wherever in it."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
            module = node.module or ""
            full = ".".join(filter(None, (base, module))) if node.level else module
            for alias in node.names:
                inner = ROOT.joinpath(*full.split("."), alias.name)
                is_module = inner.with_suffix(".py").is_file() or inner.is_dir()
                yield f"{full}.{alias.name}" if is_module else full


def governed(patterns) -> Iterator[tuple[Path, str]]:
    """Each file once, with the first pattern that fits it."""
    seen: set[Path] = set()
    for pattern in patterns:
        for path in sorted(set(ROOT.glob(pattern)) - seen):
            seen.add(path)
            yield path, pattern


def named(value: Path | str) -> str:
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else ""


def within(name: str, allowed: set[str]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in allowed)


@pytest.mark.parametrize(("path", "pattern"), list(governed(RULES)), ids=named)
def test_files_import_only_what_lies_below_them(path, pattern):
    own = {name for name in imports(path) if name.split(".")[0] in OURS} - {"assignment"}
    wrong = {name for name in own if not within(name, RULES[pattern])}
    assert not wrong, f"{path.relative_to(ROOT)} must not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize(("path", "pattern"), list(governed(PACKAGES)), ids=named)
def test_files_that_run_with_numpy_alone_need_no_more(path, pattern):
    others = {name.split(".")[0] for name in imports(path)} - set(sys.stdlib_module_names) - set(OURS)
    assert others <= PACKAGES[pattern], f"{path.relative_to(ROOT)} imports {others - PACKAGES[pattern]}"


def test_nothing_imports_the_solution_or_the_stubs():
    """But for the gallery's recipes, whose import says which functions they build on."""
    for path in ROOT.rglob("*.py"):
        if not {".venv", "tests", "gallery"} & set(path.relative_to(ROOT).parts):
            for name in imports(path):
                assert not within(name, {"solution", "assignment.compression"}), path


def test_every_pattern_finds_something():
    for pattern in (*RULES, *PACKAGES):
        assert list(ROOT.glob(pattern)), pattern


def test_a_wrong_import_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "grader").mkdir()
    (tmp_path / "solution").mkdir()
    (tmp_path / "solution" / "compression.py").write_text("")
    (tmp_path / "grader" / "a.py").write_text(
        "def f():\n    from solution import compression\nimport leaderboard.site\nfrom . import b\n"
    )
    found = set(imports(tmp_path / "grader" / "a.py"))
    assert {"solution.compression", "leaderboard.site"} <= found

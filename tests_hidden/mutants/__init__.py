"""A bank of wrong solutions, each a misconception, each pinned to the hidden test that must fail it.

    python -m tests_hidden.mutants                     every mutant: the matrix, exit code 1 if one lives
    python -m tests_hidden.mutants --runs 10           ten times, with ten seeds
    python -m tests_hidden.mutants prune finetune      the mutants of these functions
    python -m tests_hidden.mutants --public            which public tests no mutant fails
    python -m tests_hidden.mutants --write DIR         each one as a compression.py of its own

One file for each function of `compression.py`, named after it. In it, a wrong version of the function
is one function under `@wrong("the misconception in one line", killed_by="test_name")`, with the right
one's parameters. It may call anything in its own file and, as `right.NAME`, anything of the reference
solution, so that a mutant need not repeat what it gets right:

    import numpy as np

    from tests_hidden.mutants import right, wrong


    @wrong("keeps the small weights", killed_by="test_mask_prunes_the_smallest_magnitudes")
    def prunes_the_largest(weights, sparsity):
        return ~right.magnitude_mask(weights, 1 - sparsity)

A mutant is the reference solution with that file's code behind it and the one function replaced: text,
so that it can be graded as any submission is. That text is cut off from this package: the line that
imports `right` and `wrong` is left out, and both names are made anew. Functions of the reference that
call the replaced one (`prune` calls `magnitude_mask`) call the wrong one then, as a student's would.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HERE = Path(__file__).parent
REFERENCE = HERE.parents[1] / "solution" / "compression.py"
RUNNERS = ("__init__", "__main__", "matrix")
FUNCTIONS = tuple(sorted(path.stem for path in HERE.glob("*.py") if path.stem not in RUNNERS))
"""Every function of `compression.py`: each has a file here."""

right: Any = SimpleNamespace()
"""The reference solution, inside a mutant. Empty here: nothing of it runs in this package."""

PRELUDE = """

# ---- what makes this one wrong ----
from types import SimpleNamespace as _Namespace

right = _Namespace(**{name: value for name, value in globals().items() if not name.startswith("__")})


def wrong(misconception, *, killed_by):
    return lambda function: function


"""


def wrong(misconception: str, *, killed_by: str) -> Callable[[Callable], Callable]:
    """Mark a function as a mutant. `killed_by` names the hidden test that must fail."""
    return lambda function: function


@dataclass(frozen=True)
class Mutant:
    """One wrong version of `function`: the misconception, and the hidden test that must fail it."""

    function: str
    name: str
    misconception: str
    killed_by: str

    def source(self) -> str:
        """The whole of a compression.py with this mistake in it."""
        lines = (HERE / f"{self.function}.py").read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith(("from __future__", "from tests_hidden"))]
        replaced = f"\n\n{self.function} = {self.name}\n"
        return REFERENCE.read_text(encoding="utf-8") + PRELUDE + "\n".join(kept) + replaced


@cache
def bank() -> tuple[Mutant, ...]:
    """Every mutant, file by file, in the order they are written in."""
    return tuple(mutant for function in FUNCTIONS for mutant in mutants_in(HERE / f"{function}.py"))


def mutants_in(path: Path) -> list[Mutant]:
    """The functions of the file that are decorated with `@wrong(...)`, read without running them."""
    found = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        for call in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "wrong":
                named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
                misconception = ast.literal_eval(call.args[0])
                found.append(Mutant(path.stem, node.name, misconception, named["killed_by"]))
    return found

"""What the tests of the grader share: a class of two functions, and ways to grade a file with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import GraderError

NO_SANDBOX = "no sandbox works here"
ROOT = Path(__file__).resolve().parent.parent

POINTS = """
[part1]
title = "Size"
[part1.functions]
double = { public = 10, hidden = 20 }

[part2]
title = "Magnitude pruning"
[part2.functions]
prune = { public = 30, hidden = 40 }
"""

PUBLIC = """
import numpy as np
import pytest

from assignment.nn import Dense, Sequential

@pytest.mark.grades("double")
@pytest.mark.deadline(0.5)
def test_double_is_twice_the_numbers(submission):
    value = submission.double(np.ones(3))
    assert isinstance(value, np.ndarray), "double must return an array"
    assert value.tolist() == [2, 2, 2], "double must give twice the numbers"

@pytest.mark.grades("double")
def test_double_leaves_its_argument_alone(submission):
    assert not submission.inspect("double", np.ones(3)).changed_arguments, "double must not change x"

@pytest.mark.grades("double")
def test_double_of_nothing_is_nothing(submission):
    value = submission.double(np.ones(0))
    assert isinstance(value, np.ndarray), "double must return an array"
    assert value.shape == (0,), "double of nothing is nothing"

@pytest.mark.grades("prune")
@pytest.mark.deadline(0.5)
def test_prune_gives_a_model(submission):
    assert isinstance(submission.prune(Sequential([Dense(3, 2)])), Sequential), "prune must return a model"
"""

HIDDEN = """
import numpy as np
import pytest

from assignment.nn import Dense, Sequential

@pytest.mark.grades("double")
@pytest.mark.parametrize("x", [31337.0, 271828.0])
def test_double_of_one_number(submission, x):
    print("a hidden test prints", x)
    assert submission.double(np.array([x])) == 2 * x, f"double must give twice the number\\nnot {x}"

@pytest.mark.grades("prune")
@pytest.mark.deadline(0.5)
def test_prune_clears_the_weights(submission, rng):
    weight = rng.standard_normal((3, 2)).astype(np.float32)
    model = submission.prune(Sequential([Dense.from_arrays(weight, np.zeros(2, np.float32))]))
    assert isinstance(model, Sequential), "prune must return a model"
    assert not model.layers[0].weight.any(), "prune must clear every weight"
"""

RIGHT = """
def double(x): return x * 2

def prune(model):
    new = model.copy()
    new.layers[0].weight[:] = 0
    return new
"""


def make_suites(folder: Path, **files: str) -> Path:
    """The small class's suites in `folder`; keyword arguments replace a file's text."""
    texts = {"points": POINTS, "public": PUBLIC, "hidden": HIDDEN, **files}
    for suite in ("public", "hidden"):
        (folder / f"tests_{suite}").mkdir(parents=True)
        (folder / f"tests_{suite}" / f"test_{suite}.py").write_text(texts[suite])
    (folder / "tests_public" / "points.toml").write_text(texts["points"])
    return folder


@dataclass
class Graded:
    """One run of the real command line."""

    code: int
    stdout: str
    stderr: str
    record: dict[str, Any] | None
    folder: Path

    @property
    def text(self) -> str:
        return self.stdout + self.stderr

    def points(self, function: str) -> float:
        assert self.record is not None
        return sum(test["points"] for test in self.record["tests"] if test["function"] == function)

    def reasons(self, function: str, suite: str | None = None) -> list[str | None]:
        assert self.record is not None
        return [
            test["reason"]
            for test in self.record["tests"]
            if test["function"] == function and suite in (None, test["suite"])
        ]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "grader", *map(str, arguments)]


def run_grader(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command(*arguments), cwd=ROOT, env=environment, capture_output=True, text=True)
    if NO_SANDBOX in done.stderr:
        raise GraderError(
            done.stderr
        )  # a skip on a machine that has none, a failure elsewhere; see conftest.py
    return done


def grade_text(tmp_path: Path, source: str | bytes, *options: object, **files: str) -> Graded:
    """Grade a `compression.py` of this text with the small class's tests, without the competition."""
    suites, folder = tmp_path / "suites", tmp_path / "ada"
    if not suites.exists():
        make_suites(suites, **files)
    folder.mkdir(exist_ok=True)
    content = source if isinstance(source, bytes) else textwrap.dedent(source).encode()
    (folder / "compression.py").write_bytes(content)
    out = tmp_path / "out"
    done = run_grader(
        "grade", folder / "compression.py", "--out", out, "--suites", suites, "--no-compete", *options
    )
    result = out / "ada" / "result.json"
    record = json.loads(result.read_text()) if result.exists() else None
    return Graded(done.returncode, done.stdout, done.stderr, record, out / "ada")


def package_index() -> dict[str, str]:
    """What of the environment says how pip reaches packages, and not which versions it is to take."""
    starts, ends = ("PIP_C", "PIP_I", "SSL_"), ("_PROXY",)
    names = {name for name in os.environ if name.startswith(starts) or name.upper().endswith(ends)}
    return {name: os.environ[name] for name in names - {"PIP_CONSTRAINT"}}

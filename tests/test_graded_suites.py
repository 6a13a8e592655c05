"""The graded tests themselves: what they are worth, and that nothing a submission returns crashes them."""

from __future__ import annotations

import ast
import contextlib
import io
import tomllib
from pathlib import Path

import pytest

from assignment.seam import LocalSubmission
from assignment.submission import SUBMISSION
from tests_hidden.mutants import REFERENCE, bank
from tests_hidden.mutants.matrix import RUN, examine

ROOT = Path(__file__).parents[1]
SUITES = ("tests_public", "tests_hidden")

FUNCTIONS = [
    node.name
    for node in ast.parse((ROOT / "assignment" / "compression.py").read_text()).body
    if isinstance(node, ast.FunctionDef)
]

RETURNED = {
    "nothing": "None",
    "text": "'a mask'",
    "a truth value": "True",
    "a negative number": "-3",
    "NaN": "float('nan')",
    "a number beyond float64": "10**300",
    "an empty list": "[]",
    "a list of nothing": "[None, None, None]",
    "a dict": "{'mask': [1, 2]}",
    "an array without dimensions": "np.array(1.0)",
    "an empty array": "np.zeros(0, np.float32)",
    "an array of another shape": "np.full((2, 3), 7, np.uint8)",
    "an array of NaN": "np.full((4, 5), np.nan)",
    "an array of objects": "np.array([None, 'x'], dtype=object)",
    "three empty arrays": "(np.zeros(0, np.uint8), np.zeros(0), np.zeros(0, np.int8))",
    "a pair of numbers": "(3, 4.5)",
    "the first argument": "args[0]",
    "all arguments": "args",
    "a model without layers": "Sequential([])",
    "another model": "Sequential([Dense(3, 2), ReLU()])",
    "a model of empty arrays": "Sequential([Dense.from_arrays(np.zeros((0, 0), np.float32), np.zeros(0))])",
    "a model of shapeless arrays": "Sequential([Dense.from_arrays(np.array(1.0), np.array(2.0))])",
    "a layer": "Dense(2, 2)",
}

SPOILED = {
    "NaN in its arrays": "array * np.nan if array.dtype.kind == 'f' else array",
    "infinity in its arrays": "np.full_like(array, np.inf) if array.dtype.kind == 'f' else array",
    "arrays of another type": "array.astype(np.int16 if array.dtype.kind == 'f' else np.float64)",
    "flat arrays": "array.reshape(-1)",
    "transposed arrays": "array.T",
    "arrays one short": "array[:-1] if array.ndim else array",
    "the largest numbers": "np.full_like(array, 3e38) if array.dtype.kind == 'f' else ~array",
    "lists for arrays": "array.tolist()",
}

GIVES = """
import numpy as np
from assignment.nn import *


def answer(*args, **settings):
    return {value}


{names} = {answers}
"""

SPOILS = """

import functools as _functools


def _spoilt_array(array):
    array = array.copy()
    return {value}


def _spoilt(value):
    if isinstance(value, np.ndarray):
        return _spoilt_array(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_spoilt(part) for part in value)
    if hasattr(value, "layers"):
        value = value.copy()
        for layer in value.layers:
            if layer.parameters():
                layer.weight, layer.bias = _spoilt_array(layer.weight), _spoilt_array(layer.bias)
        return value
    if isinstance(value, float):
        return float("inf")
    return value


def _spoiling(function):
    @_functools.wraps(function)
    def spoilt(*args, **settings):
        return _spoilt(function(*args, **settings))

    return spoilt


{names} = (_spoiling(f) for f in [{names}])
"""


def graded_tests(suite: str) -> dict[str, str]:
    """Each graded test of a suite, and the function it grades."""
    found = {}
    for path in sorted((ROOT / suite).glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                graded = [
                    decorator.args[0].value
                    for decorator in node.decorator_list
                    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.grades"
                ]
                assert len(graded) == 1, f"{path.name}: {node.name} must grade exactly one function"
                assert node.name not in found, f"{suite} has two tests called {node.name}"
                found[node.name] = graded[0]
    return found


def test_points_sum_to_100_and_name_every_function_once():
    parts = tomllib.loads((ROOT / "tests_public" / "points.toml").read_text())
    assert list(parts) == [f"part{number}" for number in range(1, 7)]
    functions = [item for part in parts.values() for item in part["functions"].items()]
    assert [name for name, _ in functions] == FUNCTIONS
    assert sum(worth["public"] for _, worth in functions) == 40
    assert sum(worth["hidden"] for _, worth in functions) == 60


@pytest.mark.parametrize("suite", SUITES)
def test_every_function_has_tests_in_both_suites(suite):
    assert set(graded_tests(suite).values()) == set(FUNCTIONS)


def test_every_mutant_is_pinned_to_a_hidden_test_of_its_function():
    hidden, mutants = graded_tests("tests_hidden"), bank()
    assert len({(mutant.function, mutant.name) for mutant in mutants}) == len(mutants) >= 120
    for mutant in mutants:
        assert hidden.get(mutant.killed_by) == mutant.function, f"{mutant.function}: {mutant.name}"


@pytest.mark.parametrize("what", RETURNED)
def test_no_returned_value_crashes_a_test(what):
    answers = ", ".join(["answer"] * len(FUNCTIONS))
    source = GIVES.format(value=RETURNED[what], names=", ".join(FUNCTIONS), answers=answers)
    check_kind_failures(source, FUNCTIONS)


@pytest.mark.parametrize("what", SPOILED)
def test_no_spoilt_answer_crashes_a_test(what):
    functions = [name for name in FUNCTIONS if name != "compress"]  # its recipe takes too long
    spoils = SPOILS.format(value=SPOILED[what], names=", ".join(functions))
    check_kind_failures(REFERENCE.read_text() + spoils, functions)


def check_kind_failures(source: str, functions: list[str]) -> None:
    """Tests may fail, by an assertion or the submission's own error, and in no other way."""
    verdict = examine(source, functions, 0, SUITES)
    assert not verdict.broken
    assert not verdict.crashed
    assert verdict.failed


BROKEN = """

def _broken(*args, **settings):
    raise RuntimeError("broken")


{name} = _broken
"""


class Reached(LocalSubmission):
    """The reference, and which of its functions tests call."""

    def __init__(self):
        super().__init__(REFERENCE)
        self.functions: set[str] = set()

    def run(self, function, given, *, inspecting):
        self.functions.add(function)
        return super().run(function, given, inspecting=inspecting)


class Reaching:
    """A pytest plugin: the functions that each test calls beside the one it grades."""

    def __init__(self):
        self.submission = Reached()
        self.others: dict[str, set[str]] = {}

    def pytest_configure(self, config):
        config.stash[SUBMISSION] = self.submission

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        self.submission.functions.clear()
        result = yield
        self.others[item.name] = self.submission.functions - set(item.get_closest_marker("grades").args)
        return result


def test_tests_call_no_function_but_their_own():
    """Two compare a function with another of the same submission; they pass where that one is broken."""
    plugin = Reaching()
    with contextlib.redirect_stdout(io.StringIO()):
        places = [str(ROOT / suite) for suite in SUITES]
        assert pytest.main([*RUN, "-k", "not compress", *places], plugins=[plugin]) == pytest.ExitCode.OK
    pairs = {
        (function, other)
        for suite in SUITES
        for name, function in graded_tests(suite).items()
        for other in plugin.others.get(name, ())
    }
    assert pairs == {("kmeans_codebook", "quantize_affine"), ("quantize_model", "kmeans_codebook")}


@pytest.mark.parametrize(
    ("broken", "working"), [("quantize_affine", "kmeans_codebook"), ("kmeans_codebook", "quantize_model")]
)
def test_a_broken_function_costs_no_points_of_another(broken, working):
    """The reference's own calls go on under another name; only tests meet the broken one."""
    source = REFERENCE.read_text().replace(f"{broken}(", f"_{broken}(") + BROKEN.format(name=broken)
    assert examine(source, [broken], 0, SUITES).failed
    verdict = examine(source, [working], 0, SUITES)
    assert verdict.passed
    assert not verdict.failed

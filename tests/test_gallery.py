"""The gallery's recipes: each does what its title says, on a model small enough to compress in a moment."""

from __future__ import annotations

import types
from functools import cache

import numpy as np
import pytest

from assignment.nn import Data, Dataset, Dense, ReLU, Sequential
from grader import GraderError
from grader.gallery import Recipe, recipe_of, recipes, write_submission
from grader.intake import take
from tests.grading import run_grader

NAMES = {recipe.name: recipe for recipe in recipes()}


def shared() -> Sequential:
    rng = np.random.default_rng(0)
    return Sequential(
        [Dense(784, 20, rng=rng), ReLU(), Dense(20, 20, rng=rng), ReLU(), Dense(20, 10, rng=rng)]
    )


@cache
def made(name: str) -> Sequential:
    """What the recipe makes of the model above, with 200 images of noise."""
    rng = np.random.default_rng(1)
    images = Dataset(rng.random((200, 784), dtype=np.float32), rng.integers(0, 10, 200))
    module = types.ModuleType(name)
    exec(compile(NAMES[name].source, name, "exec"), module.__dict__)
    compressed: Sequential = module.compress(shared(), Data(images, images), 16384)
    return compressed


def weights(model: Sequential) -> list[np.ndarray]:
    return [layer.weight for layer in model.layers if isinstance(layer, Dense)]


def test_all_of_them_are_here():
    assert set(NAMES) == {
        "deep_compression", "distilled", "float16", "int4_per_channel",
        "int8_per_tensor", "pruned_90", "structured", "uncompressed",
    }  # fmt: skip


def test_uncompressed():
    for own, given in zip(made("uncompressed").parameters(), shared().parameters(), strict=True):
        np.testing.assert_array_equal(own, given)


def test_float16():
    for own, given in zip(made("float16").parameters(), shared().parameters(), strict=True):
        np.testing.assert_array_equal(own, given.astype(np.float16).astype(np.float32))


def test_int8_per_tensor():
    counts = [len(np.unique(weight)) for weight in weights(made("int8_per_tensor"))]
    assert 200 < counts[0] <= 256
    assert max(counts) <= 256


def test_int4_per_channel():
    first = weights(made("int4_per_channel"))[0]
    assert all(len(np.unique(unit)) <= 15 for unit in first.T)
    assert len(np.unique(np.abs(first).max(axis=0))) == 20


def test_pruned_90():
    found = weights(made("pruned_90"))
    total = sum(weight.size for weight in found)
    assert sum(np.count_nonzero(weight == 0) for weight in found) == round(0.9 * total)


def test_deep_compression():
    found = weights(made("deep_compression"))
    total = sum(weight.size for weight in found)
    assert sum(np.count_nonzero(weight == 0) for weight in found) >= round(0.94 * total)
    assert all(len(np.unique(weight)) <= 16 for weight in found)


def test_distilled():
    model = made("distilled")
    assert [weight.shape for weight in weights(model)] == [(784, 24), (24, 10)]
    assert all(len(np.unique(unit)) <= 63 for unit in weights(model)[0].T)


def test_structured():
    assert [weight.shape for weight in weights(made("structured"))] == [(784, 4), (4, 4), (4, 10)]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_one_file_that_needs_nothing_else(name, tmp_path):
    path = write_submission(NAMES[name], tmp_path)
    source = take(path)
    assert source.id == name
    assert "assignment.compression" not in source.content.decode()
    assert source.content.decode().count("def compress(") == 2  # the reference's, and the one that counts


def test_a_recipe_without_a_title_is_refused(tmp_path):
    path = tmp_path / "spam.py"
    path.write_text("def compress(model, data, budget_bytes, seed=0):\n    return model\n")
    with pytest.raises(GraderError, match=r"spam\.py must begin with a docstring"):
        recipe_of(path)
    path.write_text('"""Spam."""\nfrom assignment.compression import (\n    prune,\n)\nx = prune\n')
    found = recipe_of(path)
    assert isinstance(found, Recipe)
    assert "from assignment.compression" not in found.source
    assert found.source.endswith("x = prune\n")


def test_a_name_that_is_no_recipe_gets_one_sentence(tmp_path):
    done = run_grader("gallery", "spam", "--out", tmp_path)
    assert done.returncode == 2
    assert "there is no recipe spam: choose from deep_compression, distilled" in done.stderr
    assert not any(tmp_path.iterdir())

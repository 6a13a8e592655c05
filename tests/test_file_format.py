"""The format document says what the code does: its tables are the code's, its example is a golden file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from assignment import priors
from assignment.artifact import unpack

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "file-format.md").read_text(encoding="utf-8")


def block(title: str) -> str:
    """The code block behind a title."""
    match = re.search(re.escape(title) + r"[^\n]*\n\n```\n(.*?)\n```", TEXT, re.DOTALL)
    assert match, f"docs/file-format.md has no table {title}"
    return match[1]


@pytest.mark.parametrize("name", ["USED", "ZERO", "SIGN", "SIZE"])
def test_weights_to_begin_with_are_documented(name: str) -> None:
    rows = [
        [int(number) for number in re.findall(r"-?\d+", line)] for line in block(f"`{name}`, ").splitlines()
    ]
    known = priors.SIZE_ROWS if name == "SIZE" else getattr(priors, f"{name}_WEIGHTS")
    assert (np.array(rows) * 256 == known).all()


@pytest.mark.parametrize("key", priors.EXPECTED)
def test_counts_to_begin_with_are_documented(key: tuple[str, int]) -> None:
    text = block(f"`{key[0]}` input {key[1]}, ").replace("\n", "")
    assert (priors.expected(text) == priors.EXPECTED[key]).all()


def test_the_example_is_a_golden_file() -> None:
    match = re.search(r"worked-example\.fw`: `([0-9a-f ]+)`", TEXT)
    assert match
    data = bytes.fromhex(match[1])
    assert data == (ROOT / "tests" / "golden" / "worked-example.fw").read_bytes()
    weight, bias = unpack(data).parameters()
    assert (weight == np.array([[0.3, -0.3], [0, 0.6]], np.float32)).all()
    assert not bias.any()

"""A bank of right solutions, in styles far from the reference's: each must earn every point.

    python -m tests_hidden.right                   both suites on every one, exit code 1 if a test fails
    python -m tests_hidden.right terse ties        these alone
    python -m tests_hidden.right --runs 10         ten times, with ten seeds

A test that fails one of them asks for more than the contract does.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
RUNNERS = ("__init__", "__main__")


def solutions() -> list[Path]:
    """Every solution of the bank."""
    return sorted(path for path in HERE.glob("*.py") if path.stem not in RUNNERS)

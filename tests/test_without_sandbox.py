"""What `make test` says on a machine that has no sandbox: played by a run of pytest in which none works."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

NEEDS_ONE = """
import pytest
from grader import trial

trial.fault_of = lambda name: "switched off"

def test_in_this_process():
    trial.backend_for("auto")

@pytest.fixture
def backend():
    return trial.backend_for("auto")

def test_through_a_fixture(backend):
    pass

def test_other_failures_stay_failures():
    assert 1 + 1 == 3
"""


@pytest.mark.parametrize(
    ("ci", "counts"), [("", "1 failed, 2 skipped"), ("1", "2 failed, 1 error")], ids=["elsewhere", "in-ci"]
)
def test_tests_that_need_one_are_skipped_but_not_in_ci(tmp_path, ci, counts):
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_runtest_makereport\n")
    (tmp_path / "test_it.py").write_text(textwrap.dedent(NEEDS_ONE))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
    )
    assert counts in done.stdout.splitlines()[-1], done.stdout
    if not ci:
        assert "no sandbox works here (bwrap: switched off" in done.stdout

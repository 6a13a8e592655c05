"""Part 1 for otter-grader: its public tests, on compression.py as it is saved."""

import functools
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from otter.test_files import test_case

OK_FORMAT = False

name = "part1"

FAILED = ("failure", "error")


@functools.cache
def failures():
    """What each failing test of the part says, by its name; everything where pytest itself did not run."""
    root = next(path for path in (Path.cwd(), *Path.cwd().parents) if (path / "tests_public").is_dir())
    files = sorted(map(str, (root / "tests_public").glob("test_part1_*.py")))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        options = ["-q", "--tb=short", "-p", "no:cacheprovider", f"--junitxml={report}"]
        command = [sys.executable, "-m", "pytest", *options, *files]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if not report.exists():
            raise RuntimeError(done.stdout + done.stderr)
        cases = list(ET.parse(report).iter("testcase"))
    said = {case.get("name"): each.get("message") for case in cases for each in case if each.tag in FAILED}
    return {test: sentence(message) for test, message in said.items()}


def sentence(message):
    """What the test's author wrote, without pytest's own words before and after it."""
    return re.sub(r"^[\w.]+Error: ", "", message).partition("\nassert ")[0]


def check(*tests):
    found = list(dict.fromkeys(failures()[test] for test in tests if test in failures()))
    assert not found, "\n".join(found)


@test_case(name='count_parameters', points=1)
def case_1():
    check('test_count_of_two_dense_layers', 'test_count_of_a_convolution')


@test_case(name='sparsity', points=1)
def case_2():
    check('test_sparsity_is_a_share_of_the_weights', 'test_sparsity_weighs_layers_by_their_size')


@test_case(name='storage_bytes', points=1)
def case_3():
    check('test_storage_of_float32', 'test_storage_rounds_each_array_up_to_bytes')

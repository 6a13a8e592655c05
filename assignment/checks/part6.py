"""Part 6 for otter-grader: its public tests, on compression.py as it is saved."""

import functools
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from otter.test_files import test_case

OK_FORMAT = False

name = "part6"

FAILED = ("failure", "error")


@functools.cache
def failures():
    """What each failing test of the part says, by its name; everything where pytest itself did not run."""
    root = next(path for path in (Path.cwd(), *Path.cwd().parents) if (path / "tests_public").is_dir())
    files = sorted(map(str, (root / "tests_public").glob("test_part6_*.py")))
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


@test_case(name='compress', points=4)
def case_1():
    check('test_packed_size_is_within_the_budget', 'test_compressed_model_still_knows_the_classes', 'test_compress_leaves_model_and_data_alone')

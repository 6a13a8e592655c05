"""Part 5 for otter-grader: its public tests, on compression.py as it is saved."""

import functools
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from otter.test_files import test_case

OK_FORMAT = False

name = "part5"

FAILED = ("failure", "error")


@functools.cache
def failures():
    """What each failing test of the part says, by its name; everything where pytest itself did not run."""
    root = next(path for path in (Path.cwd(), *Path.cwd().parents) if (path / "tests_public").is_dir())
    files = sorted(map(str, (root / "tests_public").glob("test_part5_*.py")))
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


@test_case(name='neuron_importance', points=2)
def case_1():
    check('test_importance_after_the_relu', 'test_importance_without_a_relu', 'test_importance_of_a_channel', 'test_importance_of_uneven_batches')


@test_case(name='prune_neurons', points=3)
def case_2():
    check('test_removed_units_take_their_connections_along', 'test_number_of_units_left', 'test_channels_are_cut_from_two_convolutions', 'test_a_channel_has_a_block_of_inputs_behind_a_flatten', 'test_removing_silent_units_keeps_the_logits', 'test_bad_arguments_are_refused', 'test_prune_neurons_works_on_a_copy')

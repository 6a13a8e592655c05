"""Part 2 for otter-grader: its public tests, on compression.py as it is saved."""

import functools
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from otter.test_files import test_case

OK_FORMAT = False

name = "part2"

FAILED = ("failure", "error")


@functools.cache
def failures():
    """What each failing test of the part says, by its name; everything where pytest itself did not run."""
    root = next(path for path in (Path.cwd(), *Path.cwd().parents) if (path / "tests_public").is_dir())
    files = sorted(map(str, (root / "tests_public").glob("test_part2_*.py")))
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


@test_case(name='magnitude_mask', points=3)
def case_1():
    check('test_mask_prunes_what_is_smallest_in_magnitude', 'test_mask_count_is_exact_when_weights_tie', 'test_mask_count_is_rounded_as_python_rounds', 'test_mask_at_both_ends_and_beyond')


@test_case(name='global_magnitude_masks', points=3)
def case_2():
    check('test_global_masks_come_from_one_ranking', 'test_global_count_is_rounded_once', 'test_global_count_is_exact_when_weights_tie')


@test_case(name='prune', points=2)
def case_3():
    check('test_prune_by_layer_and_over_the_whole_model', 'test_prune_returns_a_new_model_with_its_biases')


@test_case(name='finetune', points=3)
def case_4():
    check('test_finetune_learns_with_pruned_weights_at_zero', 'test_finetune_ignores_what_pruned_weights_were', 'test_finetune_starts_from_the_model_and_leaves_it_alone')

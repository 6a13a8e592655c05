"""Part 4 for otter-grader: its public tests, on compression.py as it is saved."""

import functools
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from otter.test_files import test_case

OK_FORMAT = False

name = "part4"

FAILED = ("failure", "error")


@functools.cache
def failures():
    """What each failing test of the part says, by its name; everything where pytest itself did not run."""
    root = next(path for path in (Path.cwd(), *Path.cwd().parents) if (path / "tests_public").is_dir())
    files = sorted(map(str, (root / "tests_public").glob("test_part4_*.py")))
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


@test_case(name='softmax', points=1)
def case_1():
    check('test_temperature_softens_the_probabilities', 'test_softmax_survives_huge_logits')


@test_case(name='distillation_loss', points=3)
def case_2():
    check('test_hard_term_is_the_cross_entropy_with_the_label', 'test_soft_term_is_the_divergence_from_the_teacher', 'test_soft_term_is_scaled_by_the_temperature_squared', 'test_alpha_weights_the_hard_term', 'test_loss_is_a_mean_over_the_batch', 'test_loss_survives_a_teacher_without_doubt')


@test_case(name='distill', points=2)
def case_3():
    check('test_student_learns_from_its_teacher', 'test_student_learns_from_the_labels', 'test_last_smaller_batch_is_not_left_out', 'test_distill_trains_a_copy')

"""Part 3 for otter-grader: its public tests, on compression.py as it is saved."""

import functools
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from otter.test_files import test_case

OK_FORMAT = False

name = "part3"

FAILED = ("failure", "error")


@functools.cache
def failures():
    """What each failing test of the part says, by its name; everything where pytest itself did not run."""
    root = next(path for path in (Path.cwd(), *Path.cwd().parents) if (path / "tests_public").is_dir())
    files = sorted(map(str, (root / "tests_public").glob("test_part3_*.py")))
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


@test_case(name='quantize_affine', points=3)
def case_1():
    check('test_affine_steps_through_the_range', 'test_affine_range_includes_zero', 'test_affine_of_equal_weights_and_of_zeros')


@test_case(name='dequantize_affine', points=1)
def case_2():
    check('test_dequantize_below_the_zero_point_is_negative')


@test_case(name='quantize_symmetric', points=2)
def case_3():
    check('test_symmetric_codes_on_either_side_of_zero', 'test_symmetric_has_a_scale_for_each_column')


@test_case(name='kmeans_codebook', points=3)
def case_4():
    check('test_codebook_finds_clusters', 'test_codebook_keeps_zeros', 'test_codebook_of_fewer_weights_than_centroids')


@test_case(name='quantize_model', points=2)
def case_5():
    check('test_model_has_few_levels_in_each_layer_and_its_biases', 'test_model_symmetric_has_a_scale_for_each_unit')

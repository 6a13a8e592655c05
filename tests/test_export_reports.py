"""`grade --junit` and `--json-report`, read by those who read such files: junitparser and pytest-json-report."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from fractions import Fraction

import pytest
from junitparser import Error, Failure, JUnitXml

from grader.export.json_report import json_report
from grader.export.junit import junit
from tests.grading import RIGHT, grade_text
from tests.test_grader_record import record, result

WRONG = RIGHT.replace("x * 2", "x * 2 if x.size else x[:, None]")
FAILED = result("test_b", points=Fraction(0), outcome="failed", reason="prune must prune")
HIDDEN = result("test_h", "hidden", Fraction(0), "failed", "prune must keep the biases")
UNDECIDED = result("test_c", points=None, outcome="error", reason="the test itself failed")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    options = ("--junit", folder / "junit.xml", "--json-report", folder / "report.json")
    return folder, grade_text(folder, WRONG, *options)


def test_junit_is_what_junitparser_reads(graded):
    folder, run = graded
    assert run.code == 0, run.text
    assert f"written: {folder / 'junit.xml'}" in run.stdout
    suites = {suite.name: suite for suite in JUnitXml.fromfile(str(folder / "junit.xml"))}
    assert {name: (suite.tests, suite.failures, suite.errors) for name, suite in suites.items()} == {
        "public": (4, 1, 0),
        "hidden": (3, 0, 0),
    }
    failed = [case for case in suites["public"] if case.result]
    assert [(case.classname, case.name) for case in failed] == [
        ("public.part1.double", "test_double_of_nothing_is_nothing")
    ]
    assert isinstance(failed[0].result[0], Failure)
    assert failed[0].result[0].message == "double of nothing is nothing"
    worth = {each.name: each.value for each in suites["public"].properties()}
    assert float(worth["points"]) == pytest.approx(96 + 2 / 3)


def test_junit_tells_the_graders_errors_from_the_submissions_failures():
    document = JUnitXml.fromstring(junit(record([result(), FAILED, UNDECIDED], error="public tests failed")))
    kinds = {case.name: [type(each) for each in case.result] for suite in document for case in suite}
    assert kinds == {"test_a": [], "test_b": [Failure], "test_c": [Error], "grades": [Error]}
    sums = [(suite.name, suite.tests, suite.failures, suite.errors) for suite in document]
    assert sums == [("public", 3, 1, 1), ("grader", 1, 0, 1)]


def test_junit_has_what_the_usual_schemas_demand():
    """Ant's and Jenkins' XSD: these attributes, properties first, times that are numbers."""
    top = ET.fromstring(junit(record([result(), FAILED, HIDDEN])))
    assert top.tag == "testsuites"
    assert [suite.get("id") for suite in top] == ["0", "1"]
    for suite in top:
        needed = {"name", "timestamp", "hostname", "tests", "failures", "errors", "time", "id", "package"}
        assert needed <= set(suite.keys())
        assert "Z" not in suite.get("timestamp")
        assert suite[0].tag == "properties"
        for case in suite.iter("testcase"):
            assert set(case.keys()) == {"name", "classname", "time"}
            assert all(child.get("message") and child.get("type") for child in case)


def test_no_reason_makes_xml_that_cannot_be_read():
    odd = result(
        points=Fraction(0), outcome="failed", reason='a < b & "c" \x00\x1b[1m\ud800\uffff ]]> \u00e9'
    )
    (case,) = ET.fromstring(junit(record([odd]))).iter("testcase")
    assert case[0].get("message") == 'a < b & "c"   [1m   ]]> \u00e9'


def test_json_report_has_the_shape_that_pytest_json_report_writes(tmp_path):
    """Each field of ours is in the plugin's own report, and is of the same type there."""
    (tmp_path / "test_it.py").write_text("def test_a(): pass\ndef test_b(): assert False, 'no'\n")
    plugin = ["--json-report", "--json-report-file=real.json"]
    command = [sys.executable, "-m", "pytest", "-q", *plugin, "test_it.py"]
    subprocess.run(command, cwd=tmp_path, capture_output=True)
    real = json.loads((tmp_path / "real.json").read_text())
    ours = json_report(record([result(), FAILED]))
    assert list(shape_within(ours, real)) == []
    assert ours["exitcode"] == real["exitcode"]
    assert ours["summary"] == real["summary"]
    assert [test["outcome"] for test in ours["tests"]] == [test["outcome"] for test in real["tests"]]


def shape_within(ours, real, at="report"):
    """Where ours differs from a real report in more than its values."""
    if at.endswith((".environment", ".metadata")):  # free to hold anything
        return
    if type(ours) is not type(real):
        yield f"{at} is {type(ours)}, not {type(real)}"
    elif isinstance(ours, dict):
        yield from (f"{at}.{key} is new" for key in ours if key not in real and key != "metadata")
        for key in ours.keys() & real.keys():
            yield from shape_within(ours[key], real[key], f"{at}.{key}")
    elif isinstance(ours, list) and at.endswith(".tests"):
        for a, b in zip(ours, real, strict=True):
            yield from shape_within(a, b, f"{at}[]")


def test_json_report_of_a_run(graded):
    folder, _ = graded
    report = json.loads((folder / "report.json").read_text())
    assert report["summary"] == {"passed": 6, "failed": 1, "total": 7, "collected": 7}
    (failed,) = (test for test in report["tests"] if test["outcome"] == "failed")
    assert failed["nodeid"] == "tests_public/part1::double::test_double_of_nothing_is_nothing"
    assert failed["call"]["longrepr"] == "double of nothing is nothing"
    assert failed["metadata"]["max_points"] == pytest.approx(10 / 3)


def test_json_report_of_a_failed_grader_is_no_failure_of_the_submission():
    report = json_report(record([result(), UNDECIDED], error="public tests failed"))
    assert report["exitcode"] == 3
    assert report["summary"] == {"passed": 1, "error": 1, "total": 2, "collected": 2}
    assert report["tests"][1]["setup"]["longrepr"] == "the test itself failed"
    assert [each["longrepr"] for each in report["collectors"]] == ["public tests failed"]


@pytest.mark.parametrize("option", ["--junit", "--json-report"])
def test_a_report_that_could_not_be_written_is_refused_before_anything_runs(tmp_path, option):
    run = grade_text(tmp_path, RIGHT, option, tmp_path / "no" / "file")
    assert run.code == 2
    assert f"grader: {option} needs a file in a folder that exists" in run.stderr
    assert run.record is None

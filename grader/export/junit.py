"""A record as JUnit XML, which continuous integration systems show as a table of tests.

One test suite for each of ours, one test case for each test. The record holds no times of single tests, so
they are 0. What failed in the grader itself is an `error`, never a `failure`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from grader.record import Record
from grader.rules import SUITES

NOT_FOR_XML = dict.fromkeys((*range(0x20), 0x7F, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), " ")
OUTCOMES = {"failed": "failure", "error": "error"}


def junit(record: Record) -> bytes:
    """The document, in UTF-8."""
    top = ET.Element("testsuites")
    for suite in SUITES:
        if tests := [test for test in record["tests"] if test["suite"] == suite]:
            add_suite(top, record, suite, tests)
    if record["error"] is not None:
        failed = {
            "function": "grader",
            "part": 0,
            "name": "grades",
            "outcome": "error",
            "reason": record["error"],
        }
        add_suite(top, record, "grader", [failed])
    ET.indent(top)
    return ET.tostring(top, encoding="utf-8", xml_declaration=True) + b"\n"


def add_suite(top: ET.Element, record: Record, name: str, tests: list[dict[str, Any]]) -> None:
    counts = {kind: sum(test["outcome"] == outcome for test in tests) for outcome, kind in OUTCOMES.items()}
    suite = ET.SubElement(
        top,
        "testsuite",
        name=name,
        tests=str(len(tests)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped="0",
        time="0",
        timestamp=record["grader"]["started"].removesuffix("Z"),
        hostname="grader",
        id=str(len(top)),
        package="featherweight",
    )
    properties = ET.SubElement(suite, "properties")
    for key, value in facts(record).items():
        ET.SubElement(properties, "property", name=key, value=fit_for_xml(value))
    for test in tests:
        classname = f"{name}.part{test['part']}.{test['function']}"
        case = ET.SubElement(suite, "testcase", name=test["name"], classname=classname, time="0")
        if test["outcome"] in OUTCOMES:
            reason = fit_for_xml(test["reason"])
            found = ET.SubElement(case, OUTCOMES[test["outcome"]], message=reason, type=test["outcome"])
            found.text = reason


def facts(record: Record) -> dict[str, Any]:
    """What a reader of the table wants to know of the run."""
    grader, totals = record["grader"], record["totals"]
    return {
        "submission": record["submission"]["id"],
        "sha256": record["submission"]["sha256"],
        "points": totals["points"],
        "max_points": totals["max_points"],
        "grader": grader["version"],
        "seed": grader["seed"],
        "sandbox": grader["sandbox"],
    }


def fit_for_xml(value: Any) -> str:
    """Without the characters that no XML document may hold, not even escaped."""
    return str(value).translate(NOT_FOR_XML)

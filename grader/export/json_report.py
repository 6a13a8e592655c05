"""A record in the format of the plugin pytest-json-report, which other tools read.

A test's nodeid names its suite, part and function, and its `metadata` what it is worth. The record holds no
times of single tests, so they are 0.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from grader.record import Record

ALL_PASSED, SOME_FAILED, INTERNAL_ERROR = 0, 1, 3
"""pytest's exit codes."""


def json_report(record: Record) -> dict[str, Any]:
    tests = [entry(test) for test in record["tests"]]
    counts = Counter(test["outcome"] for test in tests)
    grader = record["grader"]
    report: dict[str, Any] = {
        "created": datetime.fromisoformat(grader["started"]).timestamp(),
        "duration": float(grader["cpu_seconds"]),
        "exitcode": exit_code(record),
        "root": record["submission"]["source"],
        "environment": {**grader["environment"], "grader": grader["version"], "sandbox": grader["sandbox"]},
        "summary": {**counts, "total": len(tests), "collected": len(tests)},
        "tests": tests,
    }
    if record["error"] is not None:
        failed = {"nodeid": "grader", "outcome": "failed", "result": [], "longrepr": record["error"]}
        report["collectors"] = [failed]
    return report


def exit_code(record: Record) -> int:
    if record["error"] is not None:
        return INTERNAL_ERROR
    return ALL_PASSED if all(test["outcome"] == "passed" for test in record["tests"]) else SOME_FAILED


def entry(test: dict[str, Any]) -> dict[str, Any]:
    """One test. What the grader failed at is an error of the set-up, as pytest would have it."""
    nodeid = f"tests_{test['suite']}/part{test['part']}::{test['function']}::{test['name']}"
    stage = "setup" if test["outcome"] == "error" else "call"
    found: dict[str, Any] = {
        "duration": 0.0,
        "outcome": "passed" if test["outcome"] == "passed" else "failed",
    }
    if test["reason"] is not None:
        found["longrepr"] = test["reason"]
    worth = {key: test[key] for key in ("function", "part", "suite", "points", "max_points")}
    return {
        "nodeid": nodeid,
        "outcome": test["outcome"],
        "keywords": [test["name"], test["function"], f"part{test['part']}", f"tests_{test['suite']}"],
        stage: found,
        "metadata": worth,
    }

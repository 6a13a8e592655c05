"""otter-grader: the autograder zip that `otter run` takes.

    python -m grader export otter OUT.zip
    otter run -a OUT.zip compression.py

otter runs a submission in the same process as the tests, where it can change whatever they find. So the zip
names a plugin of ours (`grader.export.otter_plugin`): it has the grader grade the file, in its sandbox and
with both suites, and hands otter an empty notebook in the submission's place. otter's own tests, one file
for each function, read the verdicts. No test of ours is in the zip, only their names and what they are worth.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from grader.export.bundle import Files, as_json, write_zip
from grader.export.graded_tests import GradedTest, graded_tests
from grader.rules import COMPETITION_FILE, SUITES, SuitePaths, rules_sha256

PLUGIN = "grader.export.otter_plugin.Featherweight"
VERDICTS = "featherweight.json"
"""Where the plugin leaves the verdicts for otter's tests, in the folder that they run in."""

QUESTION = '''\
"""{title}, for otter-grader: what Featherweight's own tests of it found."""

import json
from pathlib import Path

from otter.test_files import test_case

OK_FORMAT = False

name = {function!r}


def why_not(suite, test):
    """Why the test did not pass; None where it did."""
    return json.loads(Path({verdicts!r}).read_text(encoding="utf-8"))[suite][test]
'''

CASE = """

@test_case(name={name!r}, points={points!r}, hidden={hidden!r})
def case_{number}():
    reason = why_not({suite!r}, {test!r})
    assert reason is None, reason
"""


def write(path: Path) -> None:
    write_zip(autograder_files(), path)


def autograder_files() -> Files:
    tests = [test for suite in SUITES for test in graded_tests(suite)]
    functions = dict.fromkeys((test.part, test.function) for test in tests)
    questions = {
        f"tests/part{part}_{function}.py": question(function, [t for t in tests if t.function == function])
        for part, function in sorted(functions, key=lambda each: each[0])
    }
    config = {
        "lang": "python",
        "show_stdout": False,
        "plugins": [{PLUGIN: {"rules_sha256": rules_here()}}],
    }
    return questions | {"otter_config.json": as_json(config)}


def question(function: str, tests: Iterable[GradedTest]) -> bytes:
    """An otter test file in which each test of ours is a case."""
    parts = [QUESTION.format(title=function, function=function, verdicts=VERDICTS)]
    for number, test in enumerate(tests, 1):
        facts = {"name": test.name, "points": float(test.max_points), "hidden": test.suite == "hidden"}
        parts.append(CASE.format(**facts, suite=test.suite, test=test.name, number=number))
    return "".join(parts).encode()


def rules_here() -> str:
    """Of the rules that this installation grades by: a zip made by others is not used with them."""
    return rules_sha256(COMPETITION_FILE, SuitePaths().points_file)


def verdicts_of(tests: Iterable[dict]) -> str:
    """A record's tests as the questions read them."""
    found: dict[str, dict[str, str | None]] = {suite: {} for suite in SUITES}
    for test in tests:
        found[test["suite"]][test["name"]] = test["reason"]
    return json.dumps(found)

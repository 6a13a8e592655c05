"""What tests are worth, applied to a record that is there already: no code runs for it.

A function's points in a suite (`points.toml`) are split over its tests there: equally, unless `regrade.toml` in
the folder of results says otherwise.

    [drop]                                   # broken tests: the others of the function share its points
    "hidden/test_counts_conv" = "wrong expectation, found by Ada"
    [weight]                                 # the share of a test, where 1 is that of each of the others
    "public/test_prune_gives_a_model" = 2

A function whose tests are all dropped in a suite gives its points there to everybody.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from grader import UnusableError
from grader.record import Record, number
from grader.rules import COMPETITION_FILE, SUITES, SuitePaths, Worth, read_points, read_toml, rules_sha256

REGRADE = "regrade.toml"


@dataclass(frozen=True)
class Points:
    """Each function's points, and each test's weight; tests are named `suite/name`, as in a record."""

    worth: dict[str, Worth]
    rules_sha256: str
    weights: dict[str, Fraction] = field(default_factory=dict)

    def weight(self, test: dict[str, Any]) -> Fraction:
        return self.weights.get(named(test), Fraction(1))


def named(test: dict[str, Any]) -> str:
    return f"{test['suite']}/{test['name']}"


def read_class_points(paths: SuitePaths, results: Path) -> Points:
    """Raises GraderError for a broken `points.toml`, UnusableError for a broken `regrade.toml`."""
    worth, rules = read_points(paths.points_file), rules_sha256(COMPETITION_FILE, paths.points_file)
    file = results / REGRADE
    if not file.exists():
        return Points(worth, rules)
    weights: dict[str, Fraction] = {}
    found = read_toml(file)
    try:
        if unknown := set(found) - {"drop", "weight"}:
            raise ValueError(f"[{min(unknown)}] is neither [drop] nor [weight]")
        for name, value in found.get("weight", {}).items():
            weights[name] = Fraction(str(value))
            if isinstance(value, bool) or not 0 <= weights[name] <= 1000:
                raise ValueError(f"the weight of {name} is a number from 0 to 1000, got {value}")
        weights |= dict.fromkeys(found.get("drop", {}), Fraction(0))
        for name in weights:
            if name.partition("/")[0] not in SUITES or not name.partition("/")[2]:
                raise ValueError(f"a test is named public/NAME or hidden/NAME, got {name!r}")
    except (ValueError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise UnusableError(f"{file}: {error}") from error
    return Points(worth, rules, weights)


def repointed(record: Record, points: Points) -> Record:
    """The record with today's points. Outcomes and reasons stay as they are."""
    made = copy.deepcopy(record)
    made["grader"]["rules_sha256"] = points.rules_sha256
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for test in made["tests"]:
        groups[test["function"], test["suite"]].append(test)
    earned = most = Fraction(0)
    for (function, suite), tests in groups.items():
        function_worth = points.worth.get(function)
        available = Fraction(0 if function_worth is None else function_worth.points(suite))
        total = sum(map(points.weight, tests), Fraction(0))
        everybody = not total
        for test in tests:
            weight = Fraction(1) if everybody else points.weight(test)
            share = available * weight / (total or len(tests))
            got = share if test["outcome"] == "passed" or everybody else Fraction(0)
            test["max_points"] = number(share)
            if test["outcome"] != "error":
                test["points"] = number(got)
                earned += got
            most += share
    made["totals"] = {
        "points": None if record["error"] is not None else number(earned),
        "max_points": number(most),
    }
    return made


def strangers(points: Points, records: list[Record]) -> list[str]:
    """Names in `regrade.toml` that no record has."""
    there = {named(test) for record in records for test in record["tests"]}
    return sorted(set(points.weights) - there)

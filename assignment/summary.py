"""What a check of a push found, as Markdown for a job's summary and as GitHub's autograding reporter reads it.

Plots are bars of text and a Mermaid chart: a summary shows these, and no image that comes with it.
"""

from __future__ import annotations

import base64
import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

BAR = 10
MOST_REASONS = 12


@dataclass(frozen=True)
class Outcome:
    """One function's public tests: how many there are, how many pass, what the first failing one says."""

    part: int
    title: str
    function: str
    max_points: int
    passed: int
    count: int
    reason: str | None
    seconds: float

    @property
    def points(self) -> Fraction:
        """Points are shared equally by a function's tests. None of them may have run."""
        return Fraction(self.max_points * self.passed, self.count) if self.count else Fraction(0)


@dataclass(frozen=True)
class Check:
    """A push's check. compress: what was measured, or None; trouble: why something is missing, if it is."""

    outcomes: list[Outcome]
    hidden_points: int
    compress: dict[str, Any] | None
    trouble: list[str]

    @property
    def points(self) -> Fraction:
        return sum((each.points for each in self.outcomes), Fraction(0))

    @property
    def max_points(self) -> int:
        return sum(each.max_points for each in self.outcomes)

    @property
    def is_passed(self) -> bool:
        return self.points == self.max_points


def outcomes(tests: list[dict[str, Any]], points_file: Path, sizes: Counter[str]) -> list[Outcome]:
    """By function, in the order of `points.toml`. sizes: how many tests a function has, those cut off too."""
    with points_file.open("rb") as file:
        parts = tomllib.load(file)
    found = []
    for number, part in enumerate(parts.values(), 1):
        for function, worth in part["functions"].items():
            own = [test for test in tests if test["function"] == function]
            reasons = [test["reason"] for test in own if not test["passed"]]
            found.append(
                Outcome(
                    number,
                    part["title"],
                    function,
                    worth["public"],
                    sum(test["passed"] for test in own),
                    max(sizes[function], len(own)),
                    reasons[0] if reasons else None,
                    sum(test["seconds"] for test in own),
                )
            )
    return found


def hidden_points(points_file: Path) -> int:
    with points_file.open("rb") as file:
        parts = tomllib.load(file).values()
    return sum(worth["hidden"] for part in parts for worth in part["functions"].values())


def markdown(check: Check) -> str:
    """The whole summary."""
    return "\n".join([*heading(check), *table(check), *reasons(check), *compressed(check)]) + "\n"


def heading(check: Check) -> Iterator[str]:
    yield f"## Public tests: {shown(check.points)} of {check.max_points} points"
    yield ""
    yield (
        f"Hidden tests decide {check.hidden_points} more points and have not run here. This page is for you: "
        "grades are made elsewhere, from your `compression.py` alone."
    )
    for each in check.trouble:
        yield f"\n> **{plain(each)}**"
    yield ""


def table(check: Check) -> Iterator[str]:
    yield "| part | function | tests | points | |"
    yield "|---|---|--:|--:|---|"
    for each in check.outcomes:
        share = each.points / each.max_points if each.max_points else Fraction(0)
        cells = (
            f"{each.part} {each.title}",
            f"`{each.function}`",
            f"{each.passed}/{each.count}",
            f"{shown(each.points)} of {each.max_points}",
            f"`{bar(share)}`",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def reasons(check: Check) -> Iterator[str]:
    """What to look at, the functions that were begun first."""
    failing = [each for each in check.outcomes if each.reason is not None]
    begun = [each for each in failing if each.reason != "not implemented yet"]
    left = len(failing) - len(begun)
    for each in begun[:MOST_REASONS]:
        yield f"- `{each.function}`: {plain(each.reason or '')}"
    if left:
        yield f"- {left} function{'s' if left > 1 else ''} not implemented yet"
    yield ""


def compressed(check: Check) -> Iterator[str]:
    """The score, and where the file's bytes are."""
    if check.compress is None:
        return
    found = check.compress
    yield "## compress()"
    yield ""
    yield "| bytes | accuracy | score | CPU time |"
    yield "|--:|--:|--:|--:|"
    yield (
        f"| {found['bytes']:,} | {found['accuracy_percent']:.2f} % | {found['score']:.2f} | "
        f"{found['cpu_seconds']:.1f} s |"
    )
    yield ""
    yield (
        f"Measured on {found['images']} validation images of {found['data']}: small data, so that a push is "
        "checked in seconds. `python -m assignment score` measures on all of them, so its figures differ."
    )
    for each in found["hindrances"]:
        yield f"- not ranked: {plain(each)}"
    yield ""
    yield "```mermaid"
    yield "pie showData title Bytes of the packed model"
    for name, size in found["ledger"]:
        yield f'    "{plain(name)}" : {max(size, 0.1):.1f}'
    yield "```"


def bar(share: Fraction) -> str:
    """Ten characters, full only where all of it is there.

    >>> bar(Fraction(3, 4))
    '███████░░░'
    """
    full = int(share * BAR)
    return "█" * full + "░" * (BAR - full)


def shown(value: Fraction) -> str:
    return str(int(value)) if value.denominator == 1 else f"{float(value):.2f}"


def plain(text: str) -> str:
    """One line of text that is only text: no markup, no table cells, no quotes."""
    line = "".join(each if each.isprintable() else "?" for each in " ".join(text.split())).replace('"', "'")
    return "".join(f"&#{ord(each)};" if each in "<>&|`*_[]#" else each for each in line)


def reporter_results(check: Check) -> dict[str, Any]:
    """For GitHub's autograding reporter, whose runners leave this as JSON: a test for each function."""
    return {
        "version": 1,
        "status": "pass" if check.is_passed else "fail",
        "max_score": check.max_points,
        "tests": [
            {
                "name": each.function,
                "status": "pass" if each.passed == each.count > 0 else "fail",
                "score": number(each.points),
                "message": each.reason,
                "test_code": f"python -m pytest tests_public --function {each.function}",
                "filename": "",
                "line_no": 0,
                "duration": each.seconds,
            }
            for each in check.outcomes
        ],
    }


def encoded(results: dict[str, Any]) -> str:
    """As a step's output carries it: base64, so that no line of it can be taken for another output."""
    return base64.b64encode(json.dumps(results).encode()).decode()


def notices(check: Check) -> Iterator[str]:
    """The two annotations by which the reporter hands points on, and by which tools collect them."""
    totals = {"totalPoints": number(check.points), "maxPoints": check.max_points}
    yield f"::notice title=Autograding complete::Points {totals['totalPoints']}/{totals['maxPoints']}"
    yield f"::notice title=Autograding report::{json.dumps(totals, separators=(',', ':'))}"


def number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else round(float(value), 4)

"""The instructor's page on a class: how it went, what was hard, what was misunderstood, whose code is alike.

    python -m grader report RESULTS

Also writes each student's page (grader.classroom.feedback). A function of the folder of results.
"""

from __future__ import annotations

import argparse
import io
import re
import statistics
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import UnusableError
from grader.classroom.feedback import templates, write_feedback
from grader.classroom.plan import base_name, final_points
from grader.classroom.points import named
from grader.classroom.results import Results, Shelf
from grader.classroom.similar import Pair, alike
from grader.classroom.summary import ERROR, GRADED, LEFT, rows
from grader.progress import progress_on_stderr
from grader.record import Record, write_whole

REPORT = "report.html"
HARDEST = 15
MISCONCEPTION = re.compile(r"\(your answer matches a known mistake: (.*)\)")


@dataclass(frozen=True)
class TestCount:
    """How many of those who met a test did not pass it."""

    __test__ = False

    name: str
    function: str
    failed: int
    met: int


@dataclass(frozen=True)
class Mistake:
    """A known mistake, and in how many submissions a test met it."""

    function: str
    text: str
    students: int


def hardest(records: Iterable[Record]) -> list[TestCount]:
    """Tests by the share that failed them; parameters of one test together, failed where any of them is."""
    outcomes: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for record in records:
        own: dict[tuple[str, str], bool] = {}
        for test in record["tests"]:
            key = (base_name(named(test)), test["function"])
            own[key] = own.get(key, False) or test["outcome"] != "passed"
        for key, has_failed in own.items():
            outcomes[key].append(has_failed)
    counts = [TestCount(name, function, sum(each), len(each)) for (name, function), each in outcomes.items()]
    ordered = sorted(counts, key=lambda each: (-each.failed / each.met, each.name))
    return [each for each in ordered if each.failed][:HARDEST]


def mistakes(records: Iterable[Record]) -> list[Mistake]:
    """Known mistakes by the number of submissions that make them.

    Hidden tests name them, whose reasons hold no word of a submission: that of a public one may be an exception's text.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for record in records:
        found = {
            (test["function"], match[1])
            for test in record["tests"]
            if test["suite"] == "hidden"
            and test["reason"]
            and (match := MISCONCEPTION.search(test["reason"]))
        }
        counts.update(found)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Mistake(function, text, count) for (function, text), count in ordered]


def picture(values: list[float], title: str, bounds: tuple[float, float] | None = None) -> str:
    """A histogram as the address of an image that is its own content."""
    import matplotlib
    from matplotlib.figure import Figure  # slow to import, and needed here alone

    from assignment.plot_style import BLUE, STYLE

    with matplotlib.rc_context({**STYLE, "svg.hashsalt": "featherweight"}):
        figure = Figure(figsize=(7.6, 2.6))
        axes = figure.subplots()
        axes.hist(values, bins=20, range=bounds, color=BLUE)
        axes.set_xlabel(title)
        axes.set_ylabel("submissions")
        content = io.BytesIO()
        figure.savefig(content, format="svg", bbox_inches="tight", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{b64encode(content.getvalue()).decode()}"


def sources(shelves: Iterable[Shelf]) -> dict[str, bytes]:
    found = ((shelf.id, shelf.newest_source()) for shelf in shelves)
    return {name: content for name, content in found if content}


def facts_of(results: Results) -> dict[str, Any]:
    shelves, table = results.enrolled(), rows(results)
    records = [record for shelf in shelves if (record := shelf.result()) is not None]
    decided = [record for record in records if record["error"] is None]
    points = [value for record in decided if (value := final_points(record)) is not None]
    seconds = [record["grader"]["cpu_seconds"] for record in decided]
    scores = [r["competition"]["score"] for r in decided if r["competition"] and r["competition"]["ranked"]]
    pairs: list[Pair] = []
    unlike = None
    try:
        pairs = alike(sources(shelves))
    except UnusableError as error:
        unlike = str(error)
    pictures = [
        picture(values, title, bounds)
        for values, title, bounds in (
            (points, "points", (0.0, 100.0)),
            (scores, "score in the competition", None),
            (seconds, "CPU seconds to grade", None),
        )
        if values
    ]
    return {
        "counts": Counter(row.status for row in table),
        "rows": table,
        "median": statistics.median(points) if points else None,
        "mean": statistics.fmean(points) if points else None,
        "cpu_hours": sum(seconds) / 3600,
        "pictures": pictures,
        "hardest": hardest(decided),
        "mistakes": mistakes(decided),
        "errors": [row for row in table if row.status == ERROR],
        "absent": [row for row in table if row.status not in (GRADED, ERROR, LEFT)],
        "pairs": pairs,
        "unlike": unlike,
    }


def write_report(results: Results) -> Path:
    path = results.own / REPORT
    text = templates().get_template("report.html.j2").render(facts_of(results))
    write_whole(path, text.encode("utf-8", "replace"))
    return path


def run_report(options: argparse.Namespace) -> int:
    results, made = Results(options.results), templates()
    shelves = results.enrolled()
    with progress_on_stderr() as progress:
        progress.stage("feedback", len(shelves))
        written = 0
        for shelf in shelves:
            written += write_feedback(shelf, made)
            progress.step()
        progress.stage("report")
        path = write_report(results)
    print(f"written: feedback.md and feedback.html for {written} of {len(shelves)}")
    print(f"written: {path}")
    return 0

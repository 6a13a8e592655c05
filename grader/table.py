"""A record as a person reads it in a terminal. A function of the record alone."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from operator import itemgetter
from typing import IO, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader import legible
from grader.record import Record

PARTS = {
    1: "Size",
    2: "Magnitude pruning",
    3: "Quantization",
    4: "Distillation",
    5: "Structured pruning",
    6: "Everything together",
}
SUITES = ("public", "hidden")
ALL_POINTS = 100
PIPE_WIDTH = 110


def show(record: Record, file: IO[str] | None = None) -> None:
    """Print the record. Sentences are wrapped in a terminal only: a pipe gets one line for each."""
    console = console_for(file or sys.stdout)
    for section in sections(record):
        console.print(section, soft_wrap=isinstance(section, Text) and not console.is_terminal)


def console_for(file: IO[str]) -> Console:
    """In colour and of its width in a terminal, as plain text of a fixed width elsewhere."""
    return Console(file=file, width=None if file.isatty() else PIPE_WIDTH, highlight=False, markup=False)


def sections(record: Record) -> Iterator[Table | Text]:
    yield heading(record)
    if record["tests"]:
        yield points_table(record["tests"])
        yield from failures(record["tests"])
    if record["competition"] is not None:
        yield competition_table(record["competition"])
        yield from flags(record["competition"])
    yield Text(summary(record), style="bold")
    yield caution(record)
    if record["error"] is not None:
        failed = f"the grader itself failed, no points are decided: {record['error']}"
        yield Text(failed, "bold red")


def heading(record: Record) -> Text:
    grader, submission = record["grader"], record["submission"]
    return Text.assemble(
        (submission["id"], "bold"),
        f"  from {legible(submission['source'])}  (seed {grader['seed']}, {grader['cpu_seconds']:g} s of CPU time)",
    )


def points_table(tests: list[dict[str, Any]]) -> Table:
    """Tests passed and points, function by function, in the order of the parts."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for title in ("part", "function"):
        table.add_column(title)
    for title in (*SUITES, "points"):
        table.add_column(title, justify="right", no_wrap=True)
    previous = None
    for part, function in sorted(functions_of(tests), key=itemgetter(0)):
        own = [test for test in tests if test["function"] == function]
        title = "" if part == previous else f"{part} {PARTS.get(part, '')}"
        table.add_row(title, function, *counts_of(own), points_of(own))
        previous = part
    table.add_section()
    table.add_row("", "all", *counts_of(tests), points_of(tests))
    return table


def functions_of(tests: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """Part and name of each function, in the order in which the tests come to them."""
    return list(dict.fromkeys((test["part"], test["function"]) for test in tests))


def counts_of(tests: list[dict[str, Any]]) -> list[Text]:
    return [passed_of([test for test in tests if test["suite"] == suite]) for suite in SUITES]


def passed_of(tests: list[dict[str, Any]]) -> Text:
    passed = sum(test["outcome"] == "passed" for test in tests)
    style = "green" if passed == len(tests) else "yellow" if passed else "red"
    return Text(f"{passed}/{len(tests)}", style) if tests else Text("-")


def points_of(tests: list[dict[str, Any]]) -> str:
    most = sum(test["max_points"] for test in tests)
    if any(test["points"] is None for test in tests):
        return f"undecided of {most:.4g}"
    return f"{shown(sum(test['points'] for test in tests))} of {shown(most)}"


def shown(points: float) -> str:
    return f"{points:.2f}".rstrip("0").rstrip(".")


def failures(tests: list[dict[str, Any]]) -> Iterator[Text]:
    """Each reason once for each function, with how many tests gave it."""
    counts = Counter(
        (test["part"], test["function"], test["outcome"], test["reason"])
        for test in tests
        if test["outcome"] != "passed"
    )
    for (_, function, outcome, reason), count in sorted(counts.items(), key=lambda item: item[0][0]):
        label = "grader error" if outcome == "error" else "failed"
        times = f" ({count} tests)" if count > 1 else ""
        yield Text.assemble((f"{label} ", "red"), (function, "bold"), f": {reason}{times}")


def competition_table(entry: dict[str, Any]) -> Table:
    """The artifact's figures; `entry` may be an artifact alone, with no CPU time of a run."""
    measured = entry["bytes"] is not None
    cells: dict[str, str | Text] = {
        "bytes": f"{entry['bytes']:,}" if measured else "-",
        "accuracy": f"{entry['accuracy_percent']:.2f} %" if measured else "-",
        "accuracy/KiB": f"{entry['accuracy_per_kib']:.2f}" if measured else "-",
        "score": f"{entry['score']:.3f}",
        "division": entry["division"] or "-",
        "ranked": Text("yes", "green") if entry["ranked"] else Text("no", "red"),
        "CPU time": f"{entry['cpu_seconds']:.1f} s" if entry["cpu_seconds"] else "-",
    }
    table = Table(title="competition", title_justify="left", header_style="bold")
    table.show_edge = table.pad_edge = False
    for title in cells:
        table.add_column(title, justify="right")
    table.add_row(*cells.values())
    return table


def flags(entry: dict[str, Any]) -> list[Text]:
    if not entry["flags"]:
        return []
    label = "note" if entry["ranked"] else "not ranked"
    return [Text.assemble((label, "yellow"), f": {'; '.join(entry['flags'])}")]


def summary(record: Record) -> str:
    """What ran and what did not: nobody is told that all passed while hidden tests decide the rest."""
    words, most = [], 0.0
    for suite in SUITES:
        tests = [test for test in record["tests"] if test["suite"] == suite]
        most += sum(test["max_points"] for test in tests)
        if tests:
            passed = sum(test["outcome"] == "passed" for test in tests)
            words.append(f"{suite} tests {passed}/{len(tests)} passed")
        elif suite == "hidden" and words:
            left = f"{shown(ALL_POINTS - most)} of {ALL_POINTS} points"
            words.append(f"hidden tests decide {left} and have not run here")
    if not words:
        return "no tests have run"
    totals = record["totals"]
    if totals["points"] is not None:
        words.append(f"{shown(totals['points'])} of {shown(totals['max_points'])} points")
    return "; ".join(words)


def caution(record: Record) -> Text:
    name = record["grader"]["sandbox"]
    if name == "none":
        what = "the submission could read this machine's files and use its network"
        return Text(f"sandbox: none ({what})", "yellow")
    return Text(f"sandbox: {name}", "dim")

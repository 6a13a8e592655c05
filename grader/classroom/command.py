"""The part of the command line that is about a whole class."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from grader import UnusableError
from grader.classroom.collect import add_arguments, run_collect
from grader.classroom.grading import Done, Order, grade_class, planned, settled, without_unaffected
from grader.classroom.plan import Line, moves
from grader.classroom.points import read_class_points, strangers
from grader.classroom.pool import LocalPool, Pool
from grader.classroom.results import CLASS, Results
from grader.classroom.roster import read_class
from grader.classroom.summary import ERROR, LEFT, SUMMARY, counted
from grader.classroom.task import GRADER_LOG, Settings
from grader.progress import progress_on_stderr
from grader.rules import ROOT
from grader.sandbox import CHOICES

EXAMPLES = """\
examples:
  python -m grader grade-class collected --out results --jobs 4
      everybody whose file, tests, grader or rules are not those of their last run
  python -m grader grade-class collected --out results --resume
      go on after an interruption of any kind, with the options of then
  python -m grader grade-class collected --out results --plan
      who would be graded, and why; whose points would move; nothing is written
  python -m grader grade-class collected --out results --affected-by test_mask_keeps_exact_count
      after that test was corrected: only those who did not pass it

exit code: 0 when grading worked, whatever the grades; 1 when the grader itself failed for somebody;
2 when there is no class to grade; 130 when stopped by Ctrl-C.
"""


COLLECT_EXAMPLES = """\
examples:
  python -m grader collect roster.csv --out collected
      the newest commit of each default branch
  python -m grader collect roster.csv --out collected --take tag
      the last submit/* tag
  python -m grader collect roster.csv --out collected --take due --pins pushes.csv
      the last commit that a server saw before the student's deadline, by the times in pushes.csv
"""


def add_collect(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "collect",
        help="fetch one file of each student's repository",
        description="Fetch assignment/compression.py of each repository in a roster, and note the commit.",
        epilog=COLLECT_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(command)
    command.set_defaults(run=run_collect)


def add_grade_class(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "grade-class",
        help="grade a whole class, each submission once",
        description="Grade a class: write RESULTS/<handle>/result.json for each, and RESULTS/_class/summary.csv.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "place", metavar="DIR|ROSTER.csv", type=Path, help="a folder of submissions, or a roster"
    )
    command.add_argument(
        "--out", metavar="RESULTS", type=Path, required=True, help="folder of results, new or an earlier one"
    )
    command.add_argument(
        "--jobs", metavar="N", type=positive, default=os.cpu_count() or 1, help="default: one for each core"
    )
    command.add_argument(
        "--dask", metavar="ADDRESS", help="grade on the Dask cluster whose scheduler is there (extra dask)"
    )
    command.add_argument(
        "--resume", action="store_true", help="go on after an interruption, with the same options"
    )
    command.add_argument(
        "--only", metavar="NAME", nargs="+", default=[], help="only these handles (a-* is a pattern)"
    )
    command.add_argument("--affected-by", metavar="TEST", help="only those who did not pass this test")
    command.add_argument(
        "--plan", action="store_true", help="say who would be graded and why, and do nothing"
    )
    command.add_argument(
        "--tests", choices=("public", "hidden", "all", "none"), default="all", help="default: all"
    )
    command.add_argument("--no-compete", action="store_true", help="leave the competition run out")
    command.add_argument("--once", action="store_true", help="run compress() once, not twice")
    command.add_argument("--sandbox", choices=CHOICES, default="auto", help="default: the best there is")
    command.add_argument("--unsafe", action="store_true", help="allow --sandbox none")
    command.add_argument(
        "--seed", type=int, metavar="N", help="of the random inputs (default: one for the class)"
    )
    command.add_argument(
        "--canary",
        metavar="FOLDER",
        type=Path,
        default=os.environ.get("FEATHERWEIGHT_CANARY") or None,
        help="also run compress() on this canary (default: FEATHERWEIGHT_CANARY)",
    )
    command.add_argument(
        "--suites", metavar="DIR", type=Path, help="folder with tests_public/ and tests_hidden/"
    )
    command.set_defaults(run=run_grade_class)


def add_report(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "report",
        help="a page for each student and one on the class",
        description="Write RESULTS/<handle>/feedback.html and .md for each, and RESULTS/_class/report.html.",
    )
    command.add_argument("results", metavar="RESULTS", type=Path, help="what `grade-class` wrote")
    command.set_defaults(run=run_report)


def run_report(options: argparse.Namespace) -> int:
    from grader.classroom.report import run_report as run

    return run(options)


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"at least 1 is needed, got {value}")
    return value


def order_of(options: argparse.Namespace) -> Order:
    """Raises UnusableError where the arguments contradict what is there."""
    suites = (options.suites or ROOT).resolve()
    if not suites.is_dir():
        raise UnusableError(f"--suites needs a folder, and {options.suites} is none")
    if options.canary is not None and not options.canary.is_dir():
        raise UnusableError(f"there is no canary at {options.canary}: make one with `grader canary`")
    if options.seed is not None and not 0 <= options.seed < 2**32:
        raise UnusableError(f"a seed must be in [0, 2**32), got {options.seed}")
    settings = Settings(
        suites=str(suites),
        tests=options.tests,
        competes=not options.no_compete,
        twice=not options.once,
        sandbox=options.sandbox,
        unsafe=options.unsafe,
        canary=None if options.canary is None else str(options.canary.resolve()),
    )
    return Order(
        options.place,
        options.out,
        settings,
        options.seed,
        options.jobs,
        options.only,
        options.affected_by,
        options.resume,
        pool_for(options.dask),
    )


def pool_for(address: str | None) -> Callable[[Settings, int], Pool]:
    """Where to grade: on this machine, or on the cluster at `address`."""
    if address is None:
        return LocalPool
    from grader.classroom.dask_pool import DaskPool

    return lambda settings, jobs: DaskPool(settings, address)


def run_grade_class(options: argparse.Namespace) -> int:
    order = order_of(options)
    if options.plan:
        for line in plan_lines(order):
            print(line)
        return 0
    try:
        with progress_on_stderr() as progress:
            done = grade_class(order, progress)
    except KeyboardInterrupt:
        print("grader: stopped; what was graded is kept, and --resume goes on from there", file=sys.stderr)
        return 130
    for line in report_lines(done, order.out):
        print(line)
    return 1 if any(row.status == ERROR for row in done.rows) else 0


def report_lines(done: Done, out: Path) -> Iterable[str]:
    for row in done.rows:
        if row.status == ERROR:
            log = Results(out).shelf(row.id).newest_run()
            where = f" ({log / GRADER_LOG})" if log is not None and (log / GRADER_LOG).is_file() else ""
            yield f"grader error: {row.id}: {row.reason}{where}"
    count = sum(row.status != LEFT for row in done.rows)
    yield f"graded now: {done.graded} of {count}; the class: {counted(done.rows)}"
    yield f"written: {out / CLASS / SUMMARY}"


def plan_lines(order: Order) -> Iterable[str]:
    """What would be done. Nothing is written, and no submission runs."""
    students = read_class(order.place)
    results = Results(order.out)
    settings = settled(order, results)
    points = read_class_points(settings.paths, order.out)
    pool = order.pool(settings, order.jobs)
    try:
        lines = without_unaffected(planned(order, students, results, settings, pool), order, results)
    finally:
        pool.close()
    yield from (spelled(line) for line in lines if line.why or line.student.missing)
    todo = sum(bool(line.why) for line in lines)
    yield f"{todo} to grade, {sum(bool(line.student.missing) for line in lines)} missing, {len(lines)} in all"
    if results.settings() is None:
        return
    for move in moves(results, points, [line.student for line in lines]):
        yield f"points {move.id}: {shown(move.before)} -> {shown(move.after)}"
    records = [record for shelf in results.shelves() if (record := shelf.result()) is not None]
    for name in strangers(points, records):
        yield f"no record has the test {name} that regrade.toml names"


def spelled(line: Line) -> str:
    if line.student.missing:
        return f"missing {line.student.handle}: {line.student.missing}"
    return f"grade {line.student.handle}: {line.why}"


def shown(points: float | None) -> str:
    return "undecided" if points is None else f"{points:.6g}"

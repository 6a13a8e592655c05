"""The grader's command line: `python -m grader COMMAND`. Each command parses, calls, prints."""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # as in its workers; it counts only before NumPy is imported

import argparse  # noqa: E402
import signal  # noqa: E402
import stat  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from dataclasses import asdict  # noqa: E402
from pathlib import Path  # noqa: E402

from rich.console import Group  # noqa: E402

from assignment.data import DataError, load_mnist  # noqa: E402
from grader import GraderError, UnusableError, __version__  # noqa: E402
from grader.canary import add_command as add_canary  # noqa: E402
from grader.classroom.command import add_collect, add_grade_class, add_report  # noqa: E402
from grader.export.command import add_export, add_reports, wanted_reports, write_reports  # noqa: E402
from grader.finalize import add_command as add_finalize  # noqa: E402
from grader.gallery import add_command as add_gallery  # noqa: E402
from grader.release import add_command as add_release  # noqa: E402
from grader.rules import SuitePaths, read_rules  # noqa: E402
from grader.sandbox import CHOICES, SANDBOXES  # noqa: E402
from grader.trial import backend_for, fault_of  # noqa: E402

GRADED, FAILED, UNUSABLE, STOPPED = 0, 1, 2, 130
LARGEST_ARTIFACT = 32 * 2**20  # twice the bytes of all the numbers that the format lets a model have

GRADE_EXAMPLES = """\
examples:
  python -m grader grade assignment/compression.py
      all tests and the competition; the result goes to results/
  python -m grader grade handed-in/ada --out results
      a folder that holds assignment/compression.py
  python -m grader grade ada.zip --tests public --no-compete
      only what a student could run too
  python -m grader grade ada.zip --seed 1234
      again, with the random inputs of an earlier run (its result.json names the seed)

exit code: 0 when grading worked, whatever the grade; 1 when the grader itself failed;
2 when there is nothing that can be graded; 130 when stopped by Ctrl-C.
"""

SCORE_EXAMPLES = """\
example:
  python -m grader score results/ada/model.fw
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["baseline"]:
        from grader.baseline import main as baseline

        return stoppable(lambda: baseline(arguments[1:]))
    options = parser().parse_args(arguments)
    return stoppable(lambda: options.run(options))


def stoppable(command: Callable[[], int]) -> int:
    """The command's exit code, with one sentence instead of a traceback for what was foreseen."""
    signal.signal(signal.SIGTERM, lambda number, frame: signal.raise_signal(signal.SIGINT))
    try:
        return command()
    except UnusableError as error:
        print(f"grader: {error}", file=sys.stderr)
        return UNUSABLE
    except (GraderError, DataError) as error:
        print(f"grader: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("grader: stopped; no result was written", file=sys.stderr)
        return STOPPED


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m grader",
        description="Grade submissions of the Featherweight assignment.",
        epilog="python -m grader COMMAND --help shows examples.",
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_grade(commands)
    add_collect(commands)
    add_grade_class(commands)
    add_report(commands)
    add_score(commands)
    add_canary(commands)
    add_gallery(commands)
    add_finalize(commands)
    add_release(commands)
    add_export(commands)
    doctor = commands.add_parser(
        "doctor",
        help="say what this machine offers for grading",
        description="Say which versions run here, which sandboxes work (and what to install where one does not), and "
        "which digits will be used.",
    )
    doctor.set_defaults(run=run_doctor)
    commands.add_parser("baseline", help="train the shared model again (see its own --help)", add_help=False)
    return top


def add_grade(commands: argparse._SubParsersAction) -> None:
    grade = commands.add_parser(
        "grade",
        help="grade one submission",
        description="Run the tests and the competition on one submission; write OUT/<id>/result.json.",
        epilog=GRADE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    grade.add_argument(
        "path", metavar="PATH", type=Path, help="a compression.py, a folder with one, or a zip"
    )
    grade.add_argument("--out", metavar="DIR", type=Path, default=Path("results"), help="default: results/")
    grade.add_argument(
        "--tests", choices=("public", "hidden", "all", "none"), default="all", help="default: all"
    )
    grade.add_argument("--no-compete", action="store_true", help="leave the competition run out")
    grade.add_argument(
        "--once",
        action="store_true",
        help="run compress() once, not again to see whether its bytes are the same",
    )
    grade.add_argument("--sandbox", choices=CHOICES, default="auto", help="default: the best there is")
    grade.add_argument("--unsafe", action="store_true", help="allow --sandbox none")
    grade.add_argument("--seed", type=seed, metavar="N", help="of the random inputs (default: a fresh one)")
    grade.add_argument(
        "--commit", metavar="SHA", type=commit, help="the commit it was taken from, for the record"
    )
    grade.add_argument(
        "--canary",
        metavar="FOLDER",
        type=Path,
        default=os.environ.get("FEATHERWEIGHT_CANARY") or None,
        help="also run compress() on this canary (default: FEATHERWEIGHT_CANARY)",
    )
    grade.add_argument(
        "--suites", metavar="DIR", type=Path, help="folder with tests_public/ and tests_hidden/"
    )
    add_reports(grade)
    grade.set_defaults(run=run_grade)


def add_score(commands: argparse._SubParsersAction) -> None:
    score = commands.add_parser(
        "score",
        help="measure an artifact, a model.fw",
        description="Unpack an artifact, count its bytes, measure it: the row that any grading of it gives.",
        epilog=SCORE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    score.add_argument("artifact", metavar="ARTIFACT", type=Path)
    score.add_argument(
        "--split",
        choices=("public", "private", "full"),
        default="public",
        help="of the test set: even indices, odd ones, or all (default: public)",
    )
    score.set_defaults(run=run_score)


def seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"a seed must be in [0, 2**32), got {value}")
    return value


def commit(text: str) -> str:
    if not 7 <= len(text) <= 64 or set(text) - set("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"a commit must be 7 to 64 hexadecimal digits, got {text!r}")
    return text


def run_grade(options: argparse.Namespace) -> int:
    from grader.claim import claimed_and_graded
    from grader.grade import Request, grade
    from grader.progress import progress_on_stderr
    from grader.table import show

    suites = SuitePaths(options.suites.resolve()) if options.suites else SuitePaths()
    if not suites.root.is_dir():
        raise UnusableError(f"--suites needs a folder, and {options.suites} is none")
    request = Request(
        path=options.path,
        out=options.out,
        tests=options.tests,
        competes=not options.no_compete,
        sandbox=options.sandbox,
        unsafe=options.unsafe,
        seed=options.seed,
        commit=options.commit,
        canary=options.canary,
        twice=not options.once,
        suites=suites,
    )
    reports = wanted_reports(options)
    with progress_on_stderr() as progress:
        record = grade(request, progress)
    show(record)
    if line := claimed_and_graded(options.path, record):
        print(line)
    print(f"written: {options.out / record['submission']['id'] / 'result.json'}")
    write_reports(record, reports)
    return GRADED if record["error"] is None else FAILED


def run_score(options: argparse.Namespace) -> int:
    from assignment.artifact import ledger
    from assignment.ledger import ledger_table
    from grader.measured import ModelFault, entry, measure, part_of
    from grader.table import competition_table, console_for, flags

    content = artifact_at(options.artifact)
    rules, mnist = read_rules(), load_mnist()
    images = part_of(mnist.test, options.split)
    try:
        measured = measure(content, images, rules, backend_for("auto"))
    except ModelFault as error:
        raise UnusableError(f"{options.artifact}: {error}") from error
    found = asdict(entry(content, measured, rules.competition, mnist.name, split=options.split))
    console = console_for(sys.stdout)
    console.print(f"{options.artifact}: {options.split} test images, {len(images):,} of {mnist.name}")
    console.print(Group(competition_table(found), *flags(found)))
    console.print(f"sha256: {found['artifact_sha256']}", soft_wrap=True)
    print(ledger_table(ledger(content)))
    return GRADED


def artifact_at(path: Path) -> bytes:
    """All of a file that may be an artifact; a FIFO is not waited for, and nothing without an end is read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnusableError(f"{path} is no regular file, which an artifact is")
            content = file.read(LARGEST_ARTIFACT + 1)
    except OSError as error:
        raise UnusableError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_ARTIFACT:
        raise UnusableError(f"{path} is larger than {LARGEST_ARTIFACT // 2**20} MiB, which no artifact is")
    return content


def run_doctor(options: argparse.Namespace) -> int:
    from grader.record import environment

    for name, value in environment().items():
        print(f"{name:10} {value}")
    for line in sandbox_lines():
        print(line)
    try:
        print(f"{'data':10} {load_mnist().name}")
    except DataError as error:
        print(f"{'data':10} {error}")
        return FAILED
    return GRADED


def sandbox_lines() -> Iterator[str]:
    """What this machine offers, what each stops, and how to get the best."""
    faults = {kind: fault_of(kind.name) for kind in SANDBOXES}
    for kind, fault in faults.items():
        state = f"works: stops {kind.stops}" if fault is None else f"does not work: {fault}"
        yield f"{kind.name:10} {state}"
    best = SANDBOXES[0]
    if all(fault is not None for fault in faults.values()):
        yield f"{'sandbox':10} none: nothing is graded here. Install {best.needs}"
    elif faults[best] is not None:
        chosen = next(kind.name for kind, fault in faults.items() if fault is None)
        yield f"{'sandbox':10} {chosen}. The best is {best.name}: install {best.needs}"
    else:
        yield f"{'sandbox':10} {best.name}"


if __name__ == "__main__":
    sys.exit(main())

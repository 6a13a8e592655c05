"""The student's commands: `python -m assignment score | report | ledger FILE | doctor`.

`score` does what the grader will do, with two differences: your code runs in this process, without a
sandbox, and accuracy is measured on the validation images, since the test images are the grader's.
It also runs the public tests, and says what they leave open.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # as in the grader; it counts only before NumPy is imported

import argparse  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import traceback  # noqa: E402
import webbrowser  # noqa: E402
from pathlib import Path  # noqa: E402

from .artifact import ArtifactError, ledger  # noqa: E402
from .data import DataError, Mnist, load_mnist  # noqa: E402
from .doctor import doctor  # noqa: E402
from .ledger import ledger_table  # noqa: E402
from .measure import Measurement, measure  # noqa: E402
from .scoring import BADGE_ACCURACY_PERCENT, BADGES, BUDGET_BYTES, CPU_SECONDS, badge  # noqa: E402
from .seam import LocalSubmission, SubmissionError  # noqa: E402
from .shared_model import model_card  # noqa: E402
from .watch import watch  # noqa: E402
from .workbench import COMPRESSION_FILE, workbench  # noqa: E402

PUBLIC_TESTS = Path(__file__).resolve().parent.parent / "tests_public"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when the command did its work, 1 when something it needs failed, 2 for bad usage."""
    options = _parser().parse_args(arguments)
    try:
        code = int(options.command(options))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads us has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
    except (DataError, ArtifactError) as error:
        print(f"error: {error}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m assignment",
        description="See what your functions do, and what your compress() is worth so far.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    score = commands.add_parser(
        "score",
        help="run your compress(): bytes, accuracy, score, ledger",
        description="Run your compress() on the shared model, pack what it returns, and print the file's bytes, the "
        "accuracy on the validation images, the score, and where the bytes are; then run the public tests.",
    )
    score.add_argument(
        "--file", type=Path, default=COMPRESSION_FILE, help="default: assignment/compression.py"
    )
    score.add_argument(
        "--budget",
        type=budget,
        default=BUDGET_BYTES,
        metavar="BYTES",
        help=f"default: {BUDGET_BYTES}",
    )
    score.add_argument("--seed", type=int, default=0, help="default: 0, as in the competition")
    score.add_argument(
        "--out", type=Path, metavar="MODEL.fw", help="also write the packed model to this file"
    )
    score.add_argument("--no-tests", action="store_true", help="leave the public tests out")
    score.add_argument("--watch", action="store_true", help="run again whenever the file is saved")
    score.set_defaults(command=score_command)

    report = commands.add_parser(
        "report",
        help="every picture of the lab, from your code as it is now, on one page",
        description="Draw every picture of the lab with your functions, and compare what they make of the "
        "shared model, on one HTML page that needs no network. Takes a minute or two. What is not "
        "implemented yet is a note where its picture will be.",
    )
    report.add_argument(
        "--file", type=Path, default=COMPRESSION_FILE, help="default: assignment/compression.py"
    )
    report.add_argument(
        "--out", type=Path, default=Path("report.html"), metavar="FILE", help="default: report.html"
    )
    report.add_argument("--open", action="store_true", help="show it in a browser when it is made")
    report.set_defaults(command=report_command)

    show = commands.add_parser(
        "ledger",
        help="where the bytes of a packed model went",
        description="Print where the bytes of a packed model went, array by array.",
    )
    show.add_argument("file", type=Path, metavar="FILE", help="a file that `score --out` or the grader wrote")
    show.set_defaults(command=ledger_command)

    doctor = commands.add_parser(
        "doctor",
        help="whether this machine has what the assignment needs",
        description="Say whether your Python, NumPy and given files are those of the grader, and whether the data and "
        "your compression.py load. A line that begins with FAIL says what to do.",
    )
    doctor.set_defaults(command=doctor_command)
    return parser


def budget(text: str) -> int:
    """Bytes. Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"a budget is a number of bytes above 0, got {text}")
    return int(text)


def check_is_file(file: Path) -> None:
    if not file.is_file():
        raise DataError(f"{file} is not a file: --file takes a compression.py")


def score_command(options: argparse.Namespace) -> int:
    check_is_file(options.file)
    if options.watch:
        again = ["--file", options.file, "--budget", options.budget, "--seed", options.seed]
        again += ["--out", options.out] if options.out else []
        again += ["--no-tests"] if options.no_tests else []
        return watch(options.file, [sys.executable, "-m", "assignment", "score", *map(str, again)])
    code = _measure_and_print(options)
    if not options.no_tests and PUBLIC_TESTS.is_dir():
        print(f"\n{public_tests(options.file)}")
    return code


def report_command(options: argparse.Namespace) -> int:
    from . import report  # matplotlib takes a second to import, which the other commands need not wait for

    check_is_file(options.file)
    if not options.out.parent.is_dir():
        raise DataError(f"there is no folder {options.out.parent} for {options.out.name}: make it first")
    page = report.make(workbench(options.file), lambda line: print(line, file=sys.stderr, flush=True))
    report.write(page, options.out)
    print(options.out)
    if options.open and not webbrowser.open(options.out.resolve().as_uri()):
        print("no browser could be started: open the file yourself", file=sys.stderr)
    return 0


def public_tests(file: Path) -> str:
    """How many public tests pass, and what they do not decide: the last line that their run prints."""
    print("running the public tests ...", file=sys.stderr)
    command = [sys.executable, "-m", "pytest", str(PUBLIC_TESTS), "--submission", str(file.resolve())]
    quiet = ["-q", "--no-header", "--tb=no", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *quiet], cwd=PUBLIC_TESTS.parent, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    said = [line for line in done.stdout.splitlines() if line.startswith("public tests ")]
    return said[-1] if said else f"the public tests did not run: {done.stderr.strip() or done.stdout.strip()}"


def _measure_and_print(options: argparse.Namespace) -> int:
    mnist = load_mnist()
    print(f"running compress() of {options.file} within {CPU_SECONDS:.0f} CPU seconds ...", file=sys.stderr)
    try:
        result = measure(LocalSubmission(options.file), mnist, budget_bytes=options.budget, seed=options.seed)
    except SubmissionError as error:
        return _explain(error)
    except ValueError as error:
        print(f"compress returned a model that does not work: {error}", file=sys.stderr)
        return 1
    print(_summary(result, mnist))
    print()
    print(ledger_table(ledger(result.artifact)))
    if options.out is not None:
        options.out.write_bytes(result.artifact)
        print(f"\nwritten to {options.out}")
    return 0


def _explain(error: SubmissionError) -> int:
    """The traceback of the student's own code, then what it means."""
    if error.__cause__ is not None and error.kind != "not_implemented":
        traceback.print_exception(error.__cause__)
    print(f"compress: {error}", file=sys.stderr)
    if error.kind == "not_implemented":
        print(
            "the other parts: python -m assignment report shows what each makes of the shared model",
            file=sys.stderr,
        )
    return 1


def _summary(result: Measurement, mnist: Mnist) -> str:
    card = model_card()
    times = card["float32_bytes"] / result.size_bytes
    shared_percent = card["accuracy_percent"]["test"]
    table = [
        ("bytes", f"{result.size_bytes:,}", f"the shared model is {times:.1f} times as large"),
        ("accuracy", f"{result.accuracy_percent:.2f} %", f"on {len(mnist.validation):,} validation images"),
        ("accuracy per KiB", f"{result.accuracy_per_kib:.2f}", ""),
        ("CPU seconds", f"{result.cpu_seconds:.1f}", f"of {CPU_SECONDS:.0f}"),
        (
            "score",
            f"{result.score:.2f}",
            f"the grader's is on test images (shared model: {shared_percent:.2f} %)",
        ),
    ]
    lines = [f"{name:16s} {figure:>10s}  {note}".rstrip() for name, figure, note in table]
    lines.append(f"{'weight class':16s} {weight_class(result)}")
    lines += [f"not ranked: {reason}" for reason in result.hindrances()]
    if mnist.name != "mnist":
        lines.append(f"the data were {mnist.name}: compare these figures only with others on the same data")
    return "\n".join(lines)


def weight_class(result: Measurement) -> str:
    """The badge, and how far the next one is."""
    own = badge(result.accuracy_percent, result.size_bytes)
    if own is None:
        return f"none yet (needs {BADGE_ACCURACY_PERCENT:.0f} % in at most {max(BADGES):,} bytes)"
    lighter = [(most, name) for most, name in BADGES.items() if most < result.size_bytes]
    return own + (f" (the next is {max(lighter)[1]}, at {max(lighter)[0]:,} bytes)" if lighter else "")


def ledger_command(options: argparse.Namespace) -> int:
    try:
        rows = ledger(options.file.read_bytes())
    except ArtifactError as error:
        raise ArtifactError(
            f"{options.file} is not a packed model like those that `score --out model.fw` writes: {error}"
        ) from error
    print(ledger_table(rows))
    return 0


def doctor_command(options: argparse.Namespace) -> int:
    return 0 if doctor(load_mnist) else 1


if __name__ == "__main__":
    sys.exit(main())

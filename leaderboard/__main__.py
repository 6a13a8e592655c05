"""The command line: parse, call one function, print.

Exit codes: 0 done; 1 something failed, or a file among the entries is none; 2 unusable arguments or record.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from leaderboard.entry import Entry, EntryError, check_handle, parse_json
from leaderboard.handles import RULE
from leaderboard.store import post

ENTRIES = Path(__file__).parent / "entries"
SITE = Path(__file__).parent / "site"
MAX_RECORD_BYTES = 16 * 1024 * 1024

ABOUT = "Post graded results to the leaderboard, and build the page that shows them."
EXAMPLES = """\
examples:
  python -m leaderboard post results/ann/result.json                       under a neutral handle
  python -m leaderboard post results/ann/result.json --handle quiet-heron  under a chosen one
  python -m leaderboard build                                              the page, from all entries
"""
POST_ABOUT = f"""\
Write one entry file, <entries>/<handle>/<utc>-<sha7>.json, from a result record of `python -m grader grade`.

Only what ranks in public is taken from the record: score, accuracy, bytes, hashes, commit, date. Points, test
results and the submission's name stay out. Posting the same record twice leaves one entry.

A handle is {RULE}.
"""
BUILD_ABOUT = """\
Make the static site from all entries: ranked tables for every division, the Pareto plot, a copy of each
entry. It opens from disk, without a server. An earlier site in the same place is replaced as a whole.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except EntryError as problem:
        print(f"leaderboard: {problem}", file=sys.stderr)
        return 2
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        print(f"leaderboard: {where}{problem.strerror or problem}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m leaderboard", description=ABOUT, epilog=EXAMPLES, formatter_class=raw
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser(
        "post", help="write one entry from a result record", description=POST_ABOUT, formatter_class=raw
    )
    command.set_defaults(run=_post)
    command.add_argument("result", metavar="RESULT.json", type=Path, help="a result record")
    command.add_argument(
        "--handle", metavar="NAME", help="default: a neutral one, from the submission's hash"
    )
    _add_folder(command, "--entries", ENTRIES)

    command = commands.add_parser(
        "build", help="make the static site", description=BUILD_ABOUT, formatter_class=raw
    )
    command.set_defaults(run=_build)
    _add_folder(command, "--entries", ENTRIES)
    _add_folder(command, "--out", SITE)
    command.add_argument(
        "--built",
        metavar="TIME",
        help="have the page say when it was built: an ISO 8601 time with its time zone, or `now`. "
        "Default: it does not say, and the same entries give the same bytes",
    )
    return parser


def _add_folder(command: argparse.ArgumentParser, option: str, default: Path) -> None:
    command.add_argument(option, metavar="DIR", type=Path, default=default, help=f"default: {_near(default)}")


def _post(options: argparse.Namespace) -> int:
    if options.handle is not None:
        check_handle(options.handle)
    try:
        entry = Entry.from_record(_read_record(options.result), options.handle)
    except EntryError as problem:
        raise EntryError(f"{options.result}: {problem}") from None
    path, is_new = post(entry, options.entries)
    standing = f"score {entry.score:.3f}" if entry.ranked else "not ranked"
    print(
        f"{'posted' if is_new else 'already posted'} as {entry.handle} ({standing}, {entry.bytes:,} bytes, "
        f"{entry.accuracy_percent:.2f} %): {_near(path)}"
    )
    return 0


def _build(options: argparse.Namespace) -> int:
    from leaderboard.site import build  # matplotlib takes a second to load; posting does without

    if options.entries != ENTRIES and not options.entries.is_dir():
        raise EntryError(f"there is no folder {options.entries}")
    entries, refused = build(options.entries, options.out, _built(options.built))
    count = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    print(f"built {_near(options.out / 'index.html')} from {count}")
    for file in refused:
        print(f"leaderboard: {ascii(file.path)[1:-1]} is no entry: {file.reason}", file=sys.stderr)
    return 1 if refused else 0


def _read_record(path: Path) -> object:
    if path.is_dir():
        raise EntryError("this is a folder; name the result.json in it")
    if not path.is_file():
        raise EntryError("there is no such file")
    with path.open("rb") as file:
        data = file.read(MAX_RECORD_BYTES + 1)
    if len(data) > MAX_RECORD_BYTES:
        raise EntryError(f"larger than {MAX_RECORD_BYTES:,} bytes, which no result record is")
    try:
        return parse_json(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise EntryError("this is not UTF-8 text") from None


def _built(text: str | None) -> datetime | None:
    if text is None:
        return None
    if text == "now":
        return datetime.now(UTC).replace(microsecond=0)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = datetime.min
    if time.tzinfo is None:
        raise EntryError(f'--built must be `now` or an ISO 8601 time with its time zone, got "{text}"')
    return time.astimezone(UTC)


def _near(path: Path) -> Path:
    """The path as one would type it from here."""
    absolute = path.absolute()
    return absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    sys.exit(main())

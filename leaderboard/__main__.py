"""The command line: parse, call one function, print.

Exit codes: 0 done; 1 something failed, or a file among the entries is none; 2 unusable arguments or record.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from leaderboard.board import Trust
from leaderboard.documents import EntryError, fits
from leaderboard.entry import check_handle
from leaderboard.handles import RULE, HandleMap
from leaderboard.notice import Notice
from leaderboard.posting import Place, Prepared, prepare, submission_of
from leaderboard.signing import (
    FILE_VARIABLE,
    PROJECT,
    VARIABLE,
    find_key,
    new_key,
    public_key,
    read_key,
    read_trusted,
)
from leaderboard.store import Shelf, read_all

ENTRIES = Path(__file__).parent / "entries"
SITE = Path(__file__).parent / "site"
BRANCH = "leaderboard"
NO_MODEL = "note: no model.fw beside the record, or one of over 2 MiB, so the page cannot run this model"

ABOUT = "Post graded results to the leaderboard, build the site that shows them, and check what is on it."
EXAMPLES = """\
examples:
  python -m leaderboard key ~/.config/featherweight/key                   make a signing key, once
  python -m leaderboard post results/ann/result.json --handle quiet-heron
  python -m leaderboard build                                             the site, from all entries
  python -m leaderboard serve                                             look at it on this machine
"""
POST_ABOUT = f"""\
Write one entry for each result record of `python -m grader grade`: <entries>/<handle>/<utc>-<sha7>.json, and
beside it the packed model that was scored, if model.fw lies beside the record.

Only what competes in public is taken from the record: score, accuracy, bytes, hashes, commit, date. Points,
test results and the submission's name stay out. Posting the same record twice leaves one entry.

A handle is {RULE}.
It is signed where there is a key: --key FILE, ${FILE_VARIABLE} (a file), or ${VARIABLE} (its digits).
"""
NOTICE_ABOUT = """\
Say what became of an entry: it was withdrawn, it breaks a rule, or neither any longer. The entry stays as it is;
the notice lies beside it, signed as entries are, and the page shows both. To replace a result by a new one, use
`post --corrects`.
"""
BUILD_ABOUT = """\
Make the static site from all entries: ranked tables, plots, a page for each entry and handle, JSON, CSV and a feed.
It opens from disk, without a server. An earlier site in the same place is replaced as a whole.

Signatures by your own key, if there is one, and by keys given with --trust count. Other entries are left out and
named, and the exit code is 1; with --mark-unverified they are shown, marked.
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
        "key", help="make a signing key", description="Make a signing key, in a file."
    )
    command.set_defaults(run=_key)
    command.add_argument(
        "file", metavar="FILE", type=Path, help="outside the repository; only you can read it"
    )

    command = commands.add_parser(
        "post", help="write entries from result records", description=POST_ABOUT, formatter_class=raw
    )
    command.set_defaults(run=_post)
    command.add_argument("results", metavar="RESULT.json", type=Path, nargs="+", help="a result record")
    command.add_argument(
        "--handle", metavar="NAME", help="default: a neutral one, from the submission's hash"
    )
    command.add_argument(
        "--handles",
        metavar="FILE",
        type=Path,
        help="take handles from this private CSV file (submission,handle), and write new neutral ones into it",
    )
    command.add_argument(
        "--baseline", metavar="NAME", help="a baseline of yours: shown apart, without a rank"
    )
    command.add_argument("--corrects", metavar="NAME", help="the entry file that this one takes the place of")
    command.add_argument("--reason", metavar="TEXT", help="why; with --corrects")
    _add_place(command)
    _add_key(command)

    command = commands.add_parser(
        "notice", help="withdraw, flag or restore an entry", description=NOTICE_ABOUT, formatter_class=raw
    )
    command.set_defaults(run=_notice)
    command.add_argument("action", choices=("withdraw", "flag", "restore"))
    command.add_argument("entry", metavar="HANDLE/ENTRY.json", help="as in the entry's page and file")
    command.add_argument("--reason", metavar="TEXT", required=True, help="shown on the page")
    command.add_argument("--rule", metavar="TEXT", help="which rule it breaks; with flag")
    _add_place(command)
    _add_key(command)

    command = commands.add_parser(
        "build", help="make the static site", description=BUILD_ABOUT, formatter_class=raw
    )
    command.set_defaults(run=_build)
    _add_place(command)
    _add_folder(command, "--out", SITE)
    command.add_argument(
        "--final", metavar="FILE", type=Path, help="final.json of `python -m grader finalize`"
    )
    command.add_argument(
        "--built",
        metavar="TIME",
        default="now",
        help="the time that the pages give as that of the build: ISO 8601 with a time zone; default: now. "
        "The same entries and the same time give the same bytes",
    )
    command.add_argument("--mark-unverified", action="store_true", help="show unsigned entries, too, marked")
    _add_trust(command)
    _add_key(command)

    command = commands.add_parser(
        "verify",
        help="check every file, hash, signature, score and rank",
        description="Check every file, hash, signature, score and rank; print a line for each thing that is wrong.",
    )
    command.set_defaults(run=_verify)
    command.add_argument(
        "--site",
        metavar="DIR",
        type=Path,
        help=f"whose ranks to check; default: {_near(SITE)}, if it is there",
    )
    _add_place(command)
    _add_trust(command)
    _add_key(command)

    command = commands.add_parser("serve", help="show the site on this machine, and to nobody else")
    command.set_defaults(run=_serve)
    command.add_argument("--site", metavar="DIR", type=Path, default=SITE, help=f"default: {_near(SITE)}")
    command.add_argument("--port", type=int, default=8000, help="default: 8000; 0 takes a free one")
    return parser


def _add_folder(command: argparse.ArgumentParser, option: str, default: Path) -> None:
    command.add_argument(option, metavar="DIR", type=Path, default=default, help=f"default: {_near(default)}")


def _add_place(command: argparse.ArgumentParser) -> None:
    _add_folder(command, "--entries", ENTRIES)
    command.add_argument("--repo", metavar="GIT_URL", help="a Git repository instead of a folder of entries")
    command.add_argument(
        "--branch", metavar="NAME", default=BRANCH, help=f"of the repository; default: {BRANCH}"
    )


def _add_key(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--key", metavar="FILE", type=Path, help=f"your signing key; default: ${FILE_VARIABLE}"
    )


def _add_trust(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--trust",
        metavar="KEY",
        action="append",
        default=[],
        help="a public key whose signatures count, or a file of them; may be given again",
    )


def _key(options: argparse.Namespace) -> int:
    file: Path = options.file.expanduser()
    if file.resolve().is_relative_to(PROJECT):
        raise EntryError(f"{file} lies in the repository: keep the key where it cannot be committed")
    file.parent.mkdir(parents=True, exist_ok=True)
    secret = new_key()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise EntryError(f"{file} is there already; a key is never overwritten") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secret + "\n")
    print(f"secret key: {file} (to sign with: export {FILE_VARIABLE}={file})")
    print(f"public key: {public_key(read_key(secret, str(file)))} (to be trusted by whoever checks: --trust)")
    return 0


def _place(options: argparse.Namespace) -> Place:
    if options.repo is None:
        return Place(folder=options.entries)
    return Place(repo=options.repo, branch=options.branch)


def _post(options: argparse.Namespace) -> int:
    if options.handle is not None:
        check_handle(options.handle)
    given = [name for name in ("handle", "baseline", "corrects") if getattr(options, name) is not None]
    if len(options.results) > 1 and given:
        raise EntryError(f"--{given[0]} goes with one record, got {len(options.results)}")
    if (options.corrects is None) != (options.reason is None):
        raise EntryError("--corrects and --reason go together")
    if options.corrects is not None and not fits(options.corrects, "entry", "/$defs/entry_file"):
        raise EntryError("--corrects wants an entry's file name, as 20260304T101530Z-3f2a91c.json")
    corrects = None if options.corrects is None else (options.corrects, options.reason)
    key = find_key(options.key)
    known = None if options.handles is None else HandleMap(options.handles.expanduser())
    taken = Shelf.of_folder(options.entries).handles("") if options.repo is None else {}
    prepared: list[Prepared] = []
    refused: list[str] = []
    for result in options.results:
        try:
            handle = options.handle
            if known is not None and handle is None and options.baseline is None:
                handle = known.handle_of(submission_of(result), taken)
            prepared.append(prepare(result, handle, baseline=options.baseline, corrects=corrects, key=key))
        except EntryError as problem:
            if len(options.results) == 1:
                raise
            refused.append(str(problem))
    place = _place(options)
    without_model = {one.entry.path for one in prepared if one.artifact is None}
    for part in [prepared] if options.repo is not None else [[one] for one in prepared]:
        for posted in place.post(part, refused if len(options.results) > 1 else None):
            where, path = "" if options.repo is not None else f"{_near(options.entries)}/", posted.entry.path
            print(str(posted).replace(f": {path}", f": {where}{path}"))
            if path in without_model:
                print(NO_MODEL, file=sys.stderr)
    for sentence in refused:
        print(f"leaderboard: {sentence}", file=sys.stderr)
    if key is None and prepared:
        print("note: not signed, as there is no key; the page marks it as unverified", file=sys.stderr)
    return 1 if refused else 0


def _notice(options: argparse.Namespace) -> int:
    handle, _, entry = options.entry.removesuffix(".json").rpartition("/")
    document = {
        "schema": "featherweight/notice/v1",
        "handle": handle,
        "entry": f"{entry}.json",
        "action": options.action,
        "rule": options.rule,
        "reason": options.reason,
        "at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "signature": None,
    }
    if (options.action == "flag") != (options.rule is not None):
        raise EntryError("flag wants the rule that is broken (--rule TEXT), and the other actions want none")
    notice = Notice.from_document(document)
    key = find_key(options.key)
    _place(options).post_notice(notice if key is None else notice.signed(key))
    done = {"withdraw": "withdrawn", "flag": "flagged", "restore": "restored"}[options.action]
    print(f"{done}: {handle}/{entry}.json")
    return 0


def _build(options: argparse.Namespace) -> int:
    from leaderboard.final import Final
    from leaderboard.site import build

    trust = _trust(options)
    final = None if options.final is None else Final.read(options.final)
    with tempfile.TemporaryDirectory(prefix="featherweight-") as scratch:
        entries = _entries(options, Path(scratch))
        board = build(entries, options.out, trust, _built(options.built), final)
    count = "1 entry" if len(board.entries) == 1 else f"{len(board.entries)} entries"
    print(f"built {_near(options.out / 'index.html')} from {count}")
    for file in board.refused:
        print(f"leaderboard: {ascii(file.path)[1:-1]} is left out: {file.reason}", file=sys.stderr)
    return 1 if board.refused else 0


def _verify(options: argparse.Namespace) -> int:
    from leaderboard.verify import problems, wrong_rows

    site: Path | None = options.site
    if site is None and options.repo is None and options.entries == ENTRIES and SITE.is_dir():
        site = SITE
    trust = _trust(options)
    with tempfile.TemporaryDirectory(prefix="featherweight-") as scratch:
        contents = read_all(_entries(options, Path(scratch)))
    found = list(problems(contents, trust))
    if site is not None:
        found += wrong_rows(contents, site, trust)
    for problem in found:
        print(f"leaderboard: {ascii(problem)[1:-1]}", file=sys.stderr)
    if not found:
        print(
            f"all {len(contents.entries)} entries and {len(contents.notices)} notices are as they should be"
        )
    return 1 if found else 0


def _serve(options: argparse.Namespace) -> int:
    from leaderboard.serve import serve

    serve(options.site, options.port)
    return 0


def _entries(options: argparse.Namespace, scratch: Path) -> Path:
    """The folder of entries: the given one, or that of the repository as it is now."""
    if options.repo is not None:
        from leaderboard.repository import download

        return download(options.repo, options.branch, scratch / "board")
    folder: Path = options.entries
    if folder != ENTRIES and not folder.is_dir():
        raise EntryError(f"there is no folder {folder}")
    return folder


def _trust(options: argparse.Namespace) -> Trust:
    own = find_key(options.key)
    keys = read_trusted(options.trust) | (frozenset() if own is None else {public_key(own)})
    return Trust(frozenset(keys), getattr(options, "mark_unverified", False))


def _built(text: str) -> datetime:
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

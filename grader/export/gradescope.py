"""Gradescope: the zip that it builds an autograder of, and what that writes for each submission.

    python -m grader export gradescope OUT.zip     the zip, for the instructor to upload
    python -m grader.export.gradescope /autograder  what its `run_autograder` does

Where nothing can be graded (no compression.py, a link in its place), the submission gets 0 points and is told
so. Where the grader itself fails there is no results.json: Gradescope then says that the autograder failed,
and nobody is given a 0.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader import GraderError, UnusableError
from grader.export.bundle import LOCK, Files, as_json, read, source_files, write_zip
from grader.grade import Request, grade
from grader.intake import WANTED, take
from grader.record import Record, write_whole
from grader.table import ALL_POINTS, show, shown

OWN_FILES = Path(__file__).with_name("gradescope_files")
VISIBILITY = {"public": "visible", "hidden": "after_due_date"}
Results = dict[str, Any]


def write(path: Path) -> None:
    """The zip that an instructor uploads as the autograder."""
    write_zip(autograder_files(), path)


def autograder_files() -> Files:
    """What Gradescope needs: the grader, both suites, the given code, and the two programs that it runs."""
    own = {path.name: read(path) for path in sorted(OWN_FILES.iterdir())}
    folders = ("assignment", "grader", "tests_public", "tests_hidden")
    return source_files(*folders, without=("tests_hidden/right",)) | own | {LOCK.name: read(LOCK)}


def results(record: Record) -> Results:
    """A record without an error as results.json.

    There is no score at the top: Gradescope adds up the tests', and shows students no total as long as one
    of them is hidden.
    """
    return {
        "output": "\n".join(summary(record)),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": record["grader"]["cpu_seconds"],
        "tests": list(test_results(record["tests"])),
        "leaderboard": leaderboard(record),
        "extra_data": {key: record[key] for key in ("submission", "grader", "competition")},
    }


def summary(record: Record) -> list[str]:
    """What a student reads at the top, where Gradescope shows no total."""
    lines = []
    for suite in VISIBILITY:
        tests = [test for test in record["tests"] if test["suite"] == suite]
        most = shown(sum(test["max_points"] for test in tests))
        if suite == "public" and tests:
            lines.append(f"public points {shown(sum(test['points'] for test in tests))} of {most}")
        elif tests:
            lines.append(f"hidden points pending: {most} of {ALL_POINTS}, shown after the due date")
    entry = record["competition"]
    if entry is not None and entry["bytes"] is not None:
        measured = f"{entry['bytes']:,} bytes, {entry['accuracy_percent']:.2f} % accuracy"
        lines.append(f"competition: {measured}, score {entry['score']:.3f} ({entry['division']})")
    if entry is not None and not entry["ranked"]:
        lines.append(f"not ranked: {'; '.join(entry['flags'])}")
    if record["grader"]["data"] == "mnist-5k":
        lines.append("measured on mnist-5k: compare these figures only with others on the same data")
    return lines


def test_results(tests: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each test, numbered within its part."""
    numbers: Counter[int] = Counter()
    for test in tests:
        numbers[test["part"]] += 1
        name = test["name"].removeprefix("test_").replace("_", " ")
        yield {
            "name": f"{test['function']}: {name}",
            "number": f"{test['part']}.{numbers[test['part']]}",
            "score": test["points"],
            "max_score": test["max_points"],
            "status": test["outcome"],
            "output": test["reason"] or "",
            "tags": [test["function"], test["suite"]],
            "visibility": VISIBILITY[test["suite"]],
        }


def leaderboard(record: Record) -> list[dict[str, Any]]:
    """Columns of the ranked entry. Runs on the 5,000 images have columns of their own."""
    entry = record["competition"]
    if entry is None or not entry["ranked"]:
        return []
    where = "" if record["grader"]["data"] == "mnist" else f" ({record['grader']['data']})"
    return [
        {"name": f"score{where}", "value": round(entry["score"], 3), "order": "desc"},
        {"name": f"bytes{where}", "value": entry["bytes"], "order": "asc"},
        {"name": f"accuracy %{where}", "value": round(entry["accuracy_percent"], 2), "order": "desc"},
    ]


def nothing_to_grade(why: str) -> Results:
    """For a submission that holds nothing that can be graded."""
    sentence = f"{why}. Submit {WANTED.name}, or your repository with {WANTED}; nothing was graded."
    test = {
        "name": WANTED.name,
        "score": 0,
        "max_score": ALL_POINTS,
        "status": "failed",
        "output": sentence,
        "visibility": "visible",
    }
    return {"output": sentence, "visibility": "visible", "stdout_visibility": "hidden", "tests": [test]}


def submitted(folder: Path) -> Path:
    """Where a submission is in what was uploaded: a lone file, a repository, or a zip's one folder of it.

    Raises UnusableError where more than one could be meant: which of them a folder lists first is chance.
    """
    children = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    for places in ([folder], sorted(path for path in children if path.name != "__MACOSX")):
        found = [path for path in places if (path / WANTED).is_file()] or [
            path / WANTED.name for path in places if (path / WANTED.name).is_file()
        ]
        if len(found) > 1:
            names = " and ".join(str(path.relative_to(folder)) for path in found[:2])
            raise UnusableError(f"{len(found)} submissions are here, as {names}")
        if found:
            return found[0]
    return folder


def run(root: Path) -> int:
    """Grade what lies in `root`/submission. The exit code is 0 exactly where there are results."""
    file = root / "results" / "results.json"
    file.unlink(missing_ok=True)
    try:
        path = submitted(root / "submission")
        take(path)
    except UnusableError as error:
        write_results(nothing_to_grade(str(error).replace(f"{root}/", "")), file)
        return 0
    record = grade(Request(path=path, out=root / "graded"))
    show(record)
    if record["error"] is not None:
        return 1
    write_results(results(record), file)
    return 0


def write_results(made: Results, file: Path) -> None:
    write_whole(file, as_json(made))


def main(arguments: list[str]) -> int:
    try:
        return run(Path(arguments[0]))
    except (GraderError, UnusableError) as error:
        print(f"grader: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

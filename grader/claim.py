"""What a student's repository says that it is worth, beside what it is worth: shown, and never believed.

Results are left in repositories by a student's own workflow, and anybody can write one by hand. The
grade is made from compression.py alone; this line tells an instructor where the two differ.
"""

from __future__ import annotations

import json
import math
import os
import stat
from pathlib import Path
from typing import Any

from grader.record import Record

PLACES = ("result.json", "results/result.json", "results.json")
"""Where the student's workflow, the exports and their like leave a result."""

LARGEST_BYTES = 256 * 1024


def claimed_and_graded(path: Path, record: Record) -> str | None:
    """One line where the folder at `path` claims a result, else None. Whatever the folder holds, no error."""
    found = claim(path)
    if found is None:
        return None
    place, points = found
    totals = record["totals"]
    graded = "nothing" if totals["points"] is None else spelled(totals["points"], totals["max_points"])
    said = "an unreadable result" if points is None else spelled(*points)
    return f"claimed / graded: {said} / {graded} (what {place} of the submission says decides nothing)"


def claim(path: Path) -> tuple[str, tuple[float, float] | None] | None:
    """The first place that holds a result, and its points and most points; None for them if it says none."""
    for place in PLACES:
        content = read_plain(path, place)
        if content is not None:
            return place, points_of(content)
    return None


def read_plain(folder: Path, place: str) -> bytes | None:
    """A small regular file's bytes, no link on the way to it followed; None where there is no such file."""
    descriptors: list[int] = []
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptors.append(os.open(folder, flags | os.O_DIRECTORY))
        *parents, name = place.split("/")
        for parent in parents:
            descriptors.append(os.open(parent, flags | os.O_DIRECTORY, dir_fd=descriptors[-1]))
        descriptors.append(os.open(name, flags, dir_fd=descriptors[-1]))
        if not stat.S_ISREG(os.fstat(descriptors[-1]).st_mode):
            return None
        with os.fdopen(descriptors.pop(), "rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError):
        return None
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def points_of(content: bytes) -> tuple[float, float] | None:
    """Points and most points in a record of ours, an autograding reporter's, Classroom 50's or Gradescope's."""
    if len(content) > LARGEST_BYTES:
        return None
    try:
        said = json.loads(content)
        if not isinstance(said, dict):
            return None
        if isinstance(totals := said.get("totals"), dict):
            pair = totals["points"], totals["max_points"]
        elif "max_score" in said:
            pair = sum(number(test["score"]) for test in said["tests"]), said["max_score"]
        elif "max-score" in said:
            pair = said["score"], said["max-score"]
        else:
            tests = said["tests"]
            pair = (
                sum(number(test["score"]) for test in tests),
                sum(number(test["max_score"]) for test in tests),
            )
        return number(pair[0]), number(pair[1])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def number(value: Any) -> float:
    """A plain finite number; nothing that a result could hide a text or a flood of digits in."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a number")
    found = float(value)
    if not math.isfinite(found) or abs(found) > 1e6:
        raise ValueError("no points")
    return found


def spelled(points: float, most: float) -> str:
    return f"{points:.6g} of {most:.6g} points"

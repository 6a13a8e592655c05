"""A class of 400, graded twice: in one go, and killed on the way and resumed. Every row must be the same.

    python -m tests.whole_class                         400 submissions of every kind, the small suites
    python -m tests.whole_class --count 40 --suites own  the assignment's own public tests, right and wrong solutions

Without the competition, which would take days for 400. `make test-class` runs the first.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.classroom import BROKEN, HALF, HOSTILE, TEXTS, WRONG, kill_at, rows_of, runs_of
from tests.grading import RIGHT, ROOT, command, make_suites

KINDS = {
    "right": RIGHT,
    "wrong": WRONG,
    "half": HALF,
    "hostile": HOSTILE,
    "broken": BROKEN,
    "stub": "",
    **{name: TEXTS[name] for name in ("exits", "lies", "text")},
    "memory": "def double(x): return bytearray(10**11)\n",
    "frames": "import os\nfor n in range(3, 9):\n    try: os.write(n, b'FWT1')\n    except OSError: pass\n"
    + RIGHT,
    "floods": "print('x' * 10**6)\n" + RIGHT,
}
WEIGHTS = {"right": 10, "wrong": 4, "half": 4}
ABSENT = ("empty", "link", "fifo", "folder", "bad-zip")


def made_class(folder: Path, texts: dict[str, str], count: int) -> Counter[str]:
    """So many submissions, the same each time; how many there are of each kind."""
    chance = random.Random(20260101)
    names = list(texts)
    weights = [WEIGHTS.get(name, 1) for name in names]
    kinds: Counter[str] = Counter()
    for number in range(count):
        is_absent = number % 25 == 24
        kind = chance.choice(ABSENT) if is_absent else chance.choices(names, weights)[0]
        kinds[kind] += 1
        place = folder / f"student-{number:03}"
        if kind == "bad-zip":
            place.with_suffix(".zip").write_bytes(b"PK no zip")
            continue
        (place / "assignment").mkdir(parents=True)
        file = place / "assignment" / "compression.py"
        match kind:
            case "link":
                file.symlink_to("/etc/passwd")
            case "fifo":
                os.mkfifo(file)
            case "folder":
                file.mkdir()
            case "empty":
                pass
            case _:
                file.write_text(f"{texts[kind]}\n# {number}\n")
    return kinds


def own_kinds() -> dict[str, str]:
    """The assignment's own: the reference, the stubs, and a few known mistakes and attacks."""
    attacks = ("exit_zero_in_call", "memory_bomb", "frame_twice", "read_hidden_tests")
    found = {name: (ROOT / "tests" / "attacks" / f"{name}.py").read_text() for name in attacks}
    found["right"] = (ROOT / "solution" / "compression.py").read_text()
    found["stub"] = (ROOT / "assignment" / "compression.py").read_text()
    return found


def grading(place: Path, out: Path, suites: Path | None, *options: str) -> list[str]:
    which = ("--suites", suites) if suites is not None else ("--tests", "public")
    return command(
        "grade-class", place, "--out", out, *which, "--no-compete", "--seed", 7, "--jobs", 2, *options
    )


def finish(arguments: list[str], allowed: tuple[int, ...] = (0,)) -> float:
    started = time.monotonic()
    done = subprocess.run(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode not in allowed:
        raise SystemExit(f"it ended with {done.returncode}: {done.stdout}")
    print(done.stdout.rstrip(), flush=True)
    return time.monotonic() - started


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--suites", choices=("small", "own"), default="small")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="featherweight-whole-class-") as name:
        root = Path(name)
        small = make_suites(root / "suites") if chosen.suites == "small" else None
        place = root / "handed-in"
        place.mkdir()
        kinds = made_class(place, KINDS if small else own_kinds(), chosen.count)
        print(", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())), flush=True)
        calm, rough = root / "calm", root / "rough"
        seconds = finish(grading(place, calm, small))
        print(f"in one go: {seconds:.0f} s", flush=True)
        kill_at(grading(place, rough, small), rough, chosen.count // 4)
        first = runs_of(rough)
        print(f"killed after {len(first)} runs", flush=True)
        kill_at(grading(place, rough, small, "--resume"), rough, 5 * chosen.count // 8)
        second = runs_of(rough)
        print(f"killed after {len(second)} runs", flush=True)
        finish(grading(place, rough, small, "--resume"))
        last = runs_of(rough)
        present = chosen.count - sum(kinds[kind] for kind in ABSENT)
        problems = []
        if not first.items() <= second.items() <= last.items():
            problems.append("a run that was kept was lost or repeated")
        if len(last) != present:
            problems.append(f"{len(last)} runs of {present} submissions")
        one, other = rows_of(calm), rows_of(rough)
        problems += [f"{row}: {one.get(row)} / {other.get(row)}" for row in sorted({*one, *other})
                     if one.get(row) != other.get(row)]  # fmt: skip
        statuses = Counter(row["status"] for row in one.values())
        if statuses != Counter({"graded": present, "missing": chosen.count - present}):
            problems.append("somebody was neither graded nor missing")
        for problem in problems:
            print(problem)
        print("every row is the same" if not problems else f"{len(problems)} differences")
        return bool(problems)


if __name__ == "__main__":
    sys.exit(main())

"""Our entries and baselines on the whole test set, beside what others published.

    python benchmarks/competition.py                        # everything, each reference with three seeds
    python benchmarks/competition.py reference --seeds 0

Each row is a real file: `compress` ran in the sandbox within the competition's limits, its model was packed, read
again and measured on all 10,000 test images, which no recipe saw. Published rows are others' own figures, for the
same network or digits; nothing of them was measured here.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import mean

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from assignment.scoring import REFERENCE_ACCURACY_PERCENT, REFERENCE_BYTES, score  # noqa: E402
from grader.gallery import REFERENCES, recipes, write_submission  # noqa: E402
from grader.grade import ARTIFACT, Request, competition_inputs, grade  # noqa: E402
from grader.measured import entry, measure, part_of  # noqa: E402
from grader.rules import Rules, read_rules  # noqa: E402
from grader.trial import backend_for  # noqa: E402

PUBLISHED = ROOT / "leaderboard" / "published.json"


@dataclasses.dataclass(frozen=True)
class Row:
    """A file and what it is worth on the whole test set."""

    name: str
    bytes: int
    accuracy_percent: float
    score: float
    cpu_seconds: float
    note: str = ""

    def line(self) -> str:
        seconds = f"{self.cpu_seconds:6.1f} s" if self.cpu_seconds else f"{'-':>8}"
        return (
            f"{self.name:36} {self.bytes:>9,} {self.accuracy_percent:8.2f} % {self.score:7.3f} {seconds}  "
            f"{self.note}"
        )


def measured(path: Path, name: str, seed: int, out: Path, note: str = "") -> Row:
    """One run of `compress`. Exits where nothing came of it: then a table would say less than it seems to."""
    rules = with_seed(read_rules(), seed)
    record = grade(Request(path, out, tests="none", twice=False, rules=rules))
    found = record["competition"]
    if record["error"] or found["bytes"] is None:
        sys.exit(f"{name}: {record['error'] or found['flags'][0]}")
    content = (out / record["submission"]["id"] / ARTIFACT).read_bytes()
    mnist, _ = competition_inputs()
    answers = measure(content, part_of(mnist.test, "full"), rules, backend_for("auto"))
    full = entry(content, answers, rules.competition, mnist.name, split="full")
    assert full.bytes is not None and full.accuracy_percent is not None  # noqa: PT018
    note = note if mnist.name == "mnist" else f"{mnist.name}, {note}"
    return Row(name, full.bytes, full.accuracy_percent, full.score, found["cpu_seconds"], note)


def with_seed(rules: Rules, seed: int) -> Rules:
    return dataclasses.replace(rules, competition=dataclasses.replace(rules.competition, seed=seed))


def published() -> list[Row]:
    """Others' figures, with the score that they would have here."""
    rows = []
    for each in json.loads(PUBLISHED.read_text(encoding="utf-8"))["results"]:
        size, accuracy = round(1000 * float(each["size_kb"])), each["accuracy_percent"]
        worth = score(accuracy, size, REFERENCE_ACCURACY_PERCENT, REFERENCE_BYTES)
        rows.append(Row(each["name"], size, accuracy, worth, 0.0, f"{each['authors']} {each['year']}"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="which of ours (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the references")
    options = parser.parse_args()
    print(f"{'entry':36} {'bytes':>9} {'accuracy':>10} {'score':>7} {'CPU':>8}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        for name, path in REFERENCES.items():
            if options.names and name not in options.names:
                continue
            rows = []
            for seed in options.seeds:
                rows.append(measured(path, f"{name}, seed {seed}", seed, out))
                print(rows[-1].line(), flush=True)
            sizes, accuracies = [row.bytes for row in rows], [row.accuracy_percent for row in rows]
            scores, seconds = [row.score for row in rows], [row.cpu_seconds for row in rows]
            print(
                Row(f"{name}, mean", round(mean(sizes)), mean(accuracies), mean(scores), mean(seconds)).line()
            )
        for recipe in recipes():
            if not options.names or recipe.name in options.names:
                path = write_submission(recipe, out)
                print(measured(path, recipe.name, 0, out, recipe.title).line(), flush=True)
    print("\npublished, not measured here")
    for row in published():
        print(row.line())


if __name__ == "__main__":
    main()

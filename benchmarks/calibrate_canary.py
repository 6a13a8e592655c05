"""How far an honest recipe's score on a canary is from its score on the shared model: what the margin must cover.

    python benchmarks/calibrate_canary.py --canaries /tmp/canaries --secrets 8

Makes that many canaries (or takes those that are in the folder), runs every recipe on the shared model and on each of
them, in the sandbox, and prints the differences. A canary's score counts rounded up to a step; what is then still
missing to the shared model's is what the margin in grader/competition.toml must cover.
Recipes are both reference entries and those of the gallery that keep to the budget.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from assignment.data import Mnist  # noqa: E402
from assignment.nn import Sequential  # noqa: E402
from grader import canary  # noqa: E402
from grader.baseline import Recipe as Training  # noqa: E402
from grader.compete import Compress, attempt  # noqa: E402
from grader.gallery import REFERENCES, recipes  # noqa: E402
from grader.grade import competition_inputs  # noqa: E402
from grader.log import nowhere  # noqa: E402
from grader.measured import entry  # noqa: E402
from grader.remote import room_for  # noqa: E402
from grader.rules import Rules, read_rules  # noqa: E402
from grader.sandbox import Backend  # noqa: E402
from grader.trial import backend_for  # noqa: E402


def sources(names: list[str]) -> Iterator[tuple[str, bytes]]:
    """The recipes' names and files, those asked for or all."""
    every = {name: path.read_bytes() for name, path in REFERENCES.items()}
    every |= {recipe.name: recipe.source.encode() for recipe in recipes()}
    unknown = set(names) - set(every)
    if unknown:
        sys.exit(f"there is no recipe {', '.join(sorted(unknown))}: choose from {', '.join(every)}")
    yield from ((name, source) for name, source in every.items() if not names or name in names)


def scored(
    source: bytes, model: Sequential, mnist: Mnist, rules: Rules, backend: Backend
) -> tuple[float, str]:
    """The score on this model and these digits, and how it came about; 0 where nothing is ranked."""
    with room_for(source) as room, nowhere() as sink:
        run = Compress("compress", model, mnist, sink=sink)
        found = attempt(room, run, rules, backend)
    if found.content is None or found.measured is None:
        return 0.0, str(found.fault)
    made = entry(found.content, found.measured, rules.competition, mnist.name)
    return made.score * made.ranked, f"{made.bytes:,} bytes, {made.accuracy_percent:.2f} %"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--canaries", type=Path, required=True, help="folder for them, outside the repository"
    )
    parser.add_argument("--secrets", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=Training.epochs, help="of a new canary's training")
    parser.add_argument("recipes", nargs="*", help="default: all")
    options = parser.parse_args()
    rules, backend = read_rules(), backend_for("auto")
    mnist, shared = competition_inputs()
    options.canaries.mkdir(parents=True, exist_ok=True)
    folders = [options.canaries / f"canary-{number}" for number in range(options.secrets)]
    for folder in folders:
        if not folder.exists():
            card = canary.make(folder, epochs=options.epochs)
            print(f"{folder.name}: validation {card['validation_accuracy_percent']:.2f} %", flush=True)
    losses, needs = [], []
    for name, source in sources(options.recipes):
        own, how = scored(source, shared, mnist, rules, backend)
        print(f"{name}: {own:.3f} ({how})", flush=True)
        if own == 0.0:
            continue
        for folder in folders:
            other = canary.read(folder, mnist)
            score, how = scored(source, other.model, other.mnist, rules, backend)
            counted = math.ceil(score / rules.canary.step) * rules.canary.step
            losses.append(own - score)
            needs.append(own - counted)
            print(
                f"  {folder.name}: {score:.3f} ({how}), less by {own - score:+.3f}; counts as {counted:g}, so it "
                f"needs a margin of {max(0.0, own - counted):.3f}",
                flush=True,
            )
    if losses:
        print(
            f"{len(losses)} runs: less by {np.mean(losses):+.3f} on average, standard deviation "
            f"{np.std(losses):.3f}, at most {max(losses):+.3f}; all need a margin of {max(0.0, *needs):.3f}, and it is "
            f"{rules.canary.margin}"
        )


if __name__ == "__main__":
    main()

"""Try settings of a reference entry: what it earns on the validation images, with a line in the log for each try.

    python benchmarks/search_open.py                                   # as it stands, seed 0
    python benchmarks/search_open.py EPOCHS=10 PRICE=2e-4 --seeds 0 1  # with other constants
    python benchmarks/search_open.py --division mlp UNITS=(80,30)      # the other reference
    python benchmarks/search_open.py --keep /tmp/files                 # and write the file: open-0.fw for seed 0
    python benchmarks/search_open.py --test --seeds 0 1 2              # once it is chosen: the full test set, no log

Lines are JSON, appended to benchmarks/search_open.log (search_mlp.log). The accuracy on the first 20,000 training
images stands beside that on the 5,000 validation images: a network this small does not overfit, and four times the
images tell near settings apart with half the noise.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from assignment.artifact import pack, unpack  # noqa: E402
from assignment.data import Mnist, load_mnist  # noqa: E402
from assignment.nn import Data, Dataset, evaluate  # noqa: E402
from assignment.scoring import BUDGET_BYTES, REFERENCE_ACCURACY_PERCENT, REFERENCE_BYTES, score  # noqa: E402
from assignment.seam import LocalSubmission  # noqa: E402
from assignment.shared_model import shared_model  # noqa: E402

ENTRIES = {"open": ROOT / "solution/open_division/compression.py", "mlp": ROOT / "solution/compression.py"}


def module_with(division: str, settings: dict[str, Any]) -> ModuleType:
    module = LocalSubmission(ENTRIES[division]).load()
    unknown = set(settings) - set(vars(module))
    if unknown:
        sys.exit(f"{ENTRIES[division].name} has no constant {', '.join(sorted(unknown))}")
    vars(module).update(settings)
    return module


def tried(
    module: ModuleType, mnist: Mnist, seed: int, measured: dict[str, Dataset], file: Path | None
) -> dict[str, Any]:
    """Compress, pack, unpack, and measure what came out; write the file if there is a name for it."""
    data = Data(mnist.train, mnist.validation)
    started = time.process_time()
    small = module.compress(shared_model(), data, BUDGET_BYTES, seed=seed)
    cpu_seconds = time.process_time() - started
    content = pack(small)
    if file is not None:
        file.write_bytes(content)
    row: dict[str, Any] = {"seed": seed, "bytes": len(content)}
    for name, dataset in measured.items():
        percent = 100 * evaluate(unpack(content), dataset)
        row[f"{name}_percent"] = round(percent, 3)
        row[f"{name}_score"] = round(
            score(percent, len(content), REFERENCE_ACCURACY_PERCENT, REFERENCE_BYTES), 3
        )
    return row | {"cpu_seconds": round(cpu_seconds, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("settings", nargs="*", metavar="NAME=VALUE", help="constants of the entry to change")
    parser.add_argument("--division", choices=ENTRIES, default="open")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--test", action="store_true", help="measure on the test set instead; no settings then"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write the files there, too")
    options = parser.parse_args()
    if options.test and options.settings:
        parser.error("the test set does not choose: --test takes the entry as it stands")
    settings = {name: ast.literal_eval(value) for name, value in (s.split("=", 1) for s in options.settings)}
    module = module_with(options.division, settings)
    mnist = load_mnist(allow_fallback=False)
    if options.test:
        measured = {"test": mnist.test}
    else:
        some = Dataset(mnist.train.images[:20_000], mnist.train.labels[:20_000])
        measured = {"validation": mnist.validation, "train": some}
    scores = []
    for seed in options.seeds:
        file = None if options.keep is None else options.keep / f"{options.division}-{seed}.fw"
        row = tried(module, mnist, seed, measured, file)
        constants = {
            name: value
            for name, value in vars(module).items()
            if name.isupper() and isinstance(value, int | float | tuple)
        }
        line = json.dumps({"settings": constants} | row)
        scores.append(row["test_score" if options.test else "validation_score"])
        print(line, flush=True)
        if not options.test:
            with (ROOT / f"benchmarks/search_{options.division}.log").open("a", encoding="utf-8") as log:
                log.write(line + "\n")
    print(f"mean score: {sum(scores) / len(scores):.3f}")


if __name__ == "__main__":
    main()

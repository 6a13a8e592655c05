"""`python -m tests_hidden.right`: what the graded tests hold against right solutions; nothing, it must be."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path

from tests_hidden.mutants.matrix import Verdict, examine_right

from . import solutions


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests_hidden.right", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these solutions")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first run (default: 0)")
    parser.add_argument(
        "--runs", type=int, default=1, help="how many runs, each with the next seed (default: 1)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    chosen = parser.parse_args()
    names = [path.stem for path in solutions()]
    if unknown := set(chosen.names) - set(names):
        parser.error(f"no right solution {', '.join(sorted(unknown))}: choose from {', '.join(names)}")
    paths = [path for path in solutions() if not chosen.names or path.stem in chosen.names]
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    work = list(product(range(chosen.seed, chosen.seed + chosen.runs), paths))
    faults = 0
    with ProcessPoolExecutor(chosen.jobs, mp_context=get_context("spawn")) as pool:
        for (seed, path), verdict in zip(
            work, pool.map(examine_right, *zip(*work, strict=True)), strict=True
        ):
            faults += report(seed, path, verdict)
    print(f"{len(paths)} right solutions, {chosen.runs} runs, {faults} faults")
    return 1 if faults else 0


def report(seed: int, path: Path, verdict: Verdict) -> int:
    """Print one line for the run, and one for each fault; how many faults."""
    faults = [*verdict.failed, *verdict.crashed, *verdict.broken]
    count = len(verdict.passed) + len(verdict.failed)
    print(f"seed {seed}: {path.stem:12} {len(verdict.passed)}/{count} tests passed", flush=True)
    for fault in [*faults, *verdict.reasons]:
        print(f"  {fault}")
    return len(faults) + (not verdict.passed)


if __name__ == "__main__":
    sys.exit(main())

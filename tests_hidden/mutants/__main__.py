"""`python -m tests_hidden.mutants`: the matrix of functions, mutants, and the tests that kill them."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from . import REFERENCE, Mutant, bank
from .matrix import Verdict, examine, examine_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests_hidden.mutants", description=__doc__)
    parser.add_argument("functions", nargs="*", help="only the mutants of these functions")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random inputs (default: 0)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--write", metavar="DIR", type=Path, help="write each mutant as a file, run nothing")
    parser.add_argument("--public", action="store_true", help="say which public tests no mutant fails")
    chosen = parser.parse_args()
    mutants = [mutant for mutant in bank() if not chosen.functions or mutant.function in chosen.functions]
    if chosen.write:
        return write(mutants, chosen.write)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    started = time.perf_counter()
    if chosen.public:
        faults = needless(examine_all(mutants, chosen.seed, chosen.jobs, ("tests_public",)))
        print("\n".join(faults) or "every public test is failed by a mutant")
        return 1 if faults else 0
    verdicts = examine_all(mutants, chosen.seed, chosen.jobs)
    return report(mutants, verdicts, chosen.seed, time.perf_counter() - started)


def write(mutants: list[Mutant], folder: Path) -> int:
    for mutant in mutants:
        place = folder / f"{mutant.function}--{mutant.name}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(mutant.source(), encoding="utf-8")
    print(f"{len(mutants)} mutants written to {folder}")
    return 0


def report(mutants: list[Mutant], verdicts: list[Verdict], seed: int, seconds: float) -> int:
    """Print the matrix, and what is wrong with it; 0 where nothing is."""
    faults: list[str] = []
    table = Table("function", "mutant", "killed by", "also by", title=f"wrong solutions, seed {seed}")
    for mutant, verdict in zip(mutants, verdicts, strict=True):
        pinned = mutant.killed_by in verdict.failed
        others = len(verdict.failed) - pinned
        killer = mutant.killed_by if pinned else f"[red]not by {mutant.killed_by}[/red]"
        table.add_row(mutant.function, mutant.misconception, killer, str(others or ""))
        if not verdict.failed:
            faults.append(f"{mutant.function}: {mutant.name} survives")
        elif not pinned:
            faults.append(f"{mutant.function}: {mutant.name} is not failed by {mutant.killed_by}")
        faults += [f"{mutant.function}: {mutant.name} crashes {test}" for test in verdict.crashed]
        faults += [f"{mutant.function}: {mutant.name} does not run: {reason}" for reason in verdict.broken]
    faults += needless(verdicts) + reference_faults(mutants, seed)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    for fault in faults:
        print(fault)
    killed = sum(bool(verdict.failed) for verdict in verdicts)
    print(f"{killed} of {len(mutants)} mutants killed, {len(faults)} faults, {seconds:.1f} s")
    return 1 if faults else 0


def needless(verdicts: list[Verdict]) -> list[str]:
    """Tests of the functions under test that no mutant fails: each must earn its place."""
    failed = {test for verdict in verdicts for test in verdict.failed}
    seen = {test for verdict in verdicts for test in verdict.passed}
    return [f"no mutant fails {test}" for test in sorted(seen - failed)]


def reference_faults(mutants: list[Mutant], seed: int) -> list[str]:
    """What the tests hold against the reference solution itself."""
    source, faults = REFERENCE.read_text(encoding="utf-8"), []
    for function in dict.fromkeys(mutant.function for mutant in mutants):
        verdict = examine(source, [function], seed)
        faults += [f"the reference fails {test}" for test in (*verdict.failed, *verdict.crashed)]
        if not verdict.passed:
            faults.append(f"{function} has no hidden test")
    return faults


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests_hidden.mutants`: the matrix of functions, mutants, and the tests that kill them."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from . import FUNCTIONS, REFERENCE, Mutant, bank
from .matrix import Verdict, examine, examine_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests_hidden.mutants", description=__doc__)
    parser.add_argument("functions", nargs="*", help="only the mutants of these functions")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first run (default: 0)")
    parser.add_argument(
        "--runs", type=int, default=1, help="how many runs, each with the next seed (default: 1)"
    )
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="only every Nth, where time is short (default: 1)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--write", metavar="DIR", type=Path, help="write each mutant as a file, run nothing")
    parser.add_argument("--public", action="store_true", help="say which public tests no mutant fails")
    chosen = parser.parse_args()
    if unknown := set(chosen.functions) - set(FUNCTIONS):
        parser.error(f"no mutants of {', '.join(sorted(unknown))}: choose from {', '.join(FUNCTIONS)}")
    mutants = [mutant for mutant in bank() if not chosen.functions or mutant.function in chosen.functions]
    mutants = mutants[:: chosen.every]
    if chosen.write:
        return write(mutants, chosen.write)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if chosen.public:
        faults = needless(examine_all(mutants, chosen.seed, chosen.jobs, ("tests_public",)))
        print("\n".join(faults) or "every public test is failed by a mutant")
        return 1 if faults else 0
    faults = 0
    for seed in range(chosen.seed, chosen.seed + chosen.runs):
        started = time.perf_counter()
        is_first = seed == chosen.seed
        verdicts = examine_all(mutants, seed, chosen.jobs, diagnosed=is_first)
        if is_first:
            print_matrix(mutants, verdicts, seed)
            print(named_line(mutants, verdicts))
        faults += report(mutants, verdicts, seed, time.perf_counter() - started, is_whole=chosen.every == 1)
    return 1 if faults else 0


def write(mutants: list[Mutant], folder: Path) -> int:
    for mutant in mutants:
        place = folder / f"{mutant.function}--{mutant.name}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(mutant.source(), encoding="utf-8")
    print(f"{len(mutants)} mutants written to {folder}")
    return 0


def print_matrix(mutants: list[Mutant], verdicts: list[Verdict], seed: int) -> None:
    table = Table("function", "mutant", "killed by", "also by", title=f"wrong solutions, seed {seed}")
    for mutant, verdict in zip(mutants, verdicts, strict=True):
        pinned = mutant.killed_by in verdict.failed
        others = len(verdict.failed) - pinned
        killer = mutant.killed_by if pinned else f"[red]not by {mutant.killed_by}[/red]"
        table.add_row(mutant.function, mutant.misconception, killer, str(others or ""))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def named_line(mutants: list[Mutant], verdicts: list[Verdict]) -> str:
    """How many of them a student would be told by name."""
    named = sum(
        any(mutant.misconception in reason for reason in verdict.reasons)
        for mutant, verdict in zip(mutants, verdicts, strict=True)
    )
    return f"{named} of {len(mutants)} mutants are named for what they are in a failing test's reason"


def report(
    mutants: list[Mutant], verdicts: list[Verdict], seed: int, seconds: float, *, is_whole: bool
) -> int:
    """Print what is wrong with the matrix, and its sums; how many faults. A part of it says of no test that it
    is needless."""
    faults: list[str] = []
    for mutant, verdict in zip(mutants, verdicts, strict=True):
        if not verdict.failed:
            faults.append(f"{mutant.function}: {mutant.name} survives")
        elif mutant.killed_by not in verdict.failed:
            faults.append(f"{mutant.function}: {mutant.name} is not failed by {mutant.killed_by}")
        faults += [f"{mutant.function}: {mutant.name} crashes {test}" for test in verdict.crashed]
        faults += [f"{mutant.function}: {mutant.name} does not run: {reason}" for reason in verdict.broken]
    faults += (needless(verdicts) if is_whole else []) + reference_faults(mutants, seed)
    print("\n".join(faults), end="\n" if faults else "")
    killed = sum(bool(verdict.failed) for verdict in verdicts)
    print(
        f"seed {seed}: {killed} of {len(mutants)} mutants killed, {len(faults)} faults, {seconds:.1f} s",
        flush=True,
    )
    return len(faults)


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

"""Throw broken artifacts at `unpack`: each must be refused with ArtifactError, or be a model, in time and memory.

    python benchmarks/fuzz_artifact.py --inputs 1000000 --seed 0 --jobs 2

Inputs are golden files and small models with bits flipped, bytes changed, cut out, doubled or cut off, joined with
each other, and plain noise. A model that is accepted must pack, and unpack to the same bits. Failures are
written to the folder --failures, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from assignment.artifact import MAGIC, ArtifactError, pack, unpack

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
LARGEST_SEED_FILE = 600  # bytes: many short inputs find more than few long ones
SECONDS, MEBIBYTES = 2.0, 64  # allowed for one input; memory beyond the model itself
BATCH = 2000


def corpus() -> list[bytes]:
    files = [path.read_bytes() for path in sorted(GOLDEN.glob("*.fw"))]
    return sorted(
        (data for data in files if len(data) <= LARGEST_SEED_FILE), key=len
    )  # small ones are tried more


def broken(rng: np.random.Generator, files: list[bytes]) -> bytes:
    """One input. Most changes are near the front, where the claims are."""
    data = bytearray(files[int(len(files) * rng.random() ** 3)])
    for _ in range(rng.integers(1, 4)):
        size = max(len(data), 1)
        place = int(size * rng.random() ** 2)
        kind = rng.integers(8)
        if kind == 0 and data:
            data[place] ^= 1 << rng.integers(8)
        elif kind == 1 and data:
            data[place] = int(rng.integers(256))
        elif kind == 2:
            del data[place:]
        elif kind == 3:
            del data[place : place + int(rng.integers(1, 9))]
        elif kind == 4:
            data[place:place] = data[place : place + int(rng.integers(1, 9))]
        elif kind == 5:
            data += rng.bytes(int(rng.integers(1, 9)))
        elif kind == 6:
            other = files[rng.integers(len(files))]
            data[place:] = other[int(len(other) * rng.random()) :]
        else:
            value = 255 * int(rng.integers(2))
            data[place : place + 4] = bytes([value]) * 4
    if rng.random() < 0.05:
        data = bytearray(MAGIC + rng.bytes(int(rng.integers(60))))
    if rng.random() < 0.95:
        data[:1] = MAGIC
    return bytes(data)


def verdict(data: bytes) -> str:
    """`refused`, `a model`, or what is wrong."""
    start, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        model = unpack(data)
    except ArtifactError as error:
        model, outcome = None, "refused" if str(error) else "refused without a reason"
    except Exception:
        return traceback.format_exc()
    seconds = time.process_time() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    if seconds > SECONDS:
        return f"took {seconds:.1f} s of CPU"
    claimed = sum(array.nbytes for array in model.parameters()) / 2**20 if model else 0
    if grown > MEBIBYTES + claimed:
        return f"took {grown:.0f} MiB"
    if model is None:
        return outcome
    twin = unpack(pack(model))
    same = [a.tobytes() == b.tobytes() for a, b in zip(model.parameters(), twin.parameters(), strict=True)]
    return "a model" if all(same) else "is another model once packed again"


def batch(seeds: tuple[int, int, int]) -> tuple[Counter[str], list[tuple[str, bytes]], float]:
    """seeds: the run's, the batch's, how many inputs."""
    rng, files = np.random.default_rng(seeds[:2]), corpus()
    outcomes, failures, slowest = Counter[str](), list[tuple[str, bytes]](), 0.0
    for _ in range(seeds[2]):
        data = broken(rng, files)
        start = time.process_time()
        outcome = verdict(data)
        slowest = max(slowest, time.process_time() - start)
        known = outcome in ("refused", "a model")
        outcomes[outcome if known else "failed"] += 1
        if not known:
            failures.append((outcome, data))
    return outcomes, failures, slowest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--failures", type=Path, default=Path("fuzz-failures"))
    options = parser.parse_args()
    parts = range(0, options.inputs, BATCH)
    tasks = [(options.seed, i, min(BATCH, options.inputs - start)) for i, start in enumerate(parts)]
    total, start, slowest, failed = Counter[str](), time.time(), 0.0, 0
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for outcomes, failures, longest in pool.imap_unordered(batch, tasks):
            total += outcomes
            slowest = max(slowest, longest)
            for reason, data in failures:
                options.failures.mkdir(exist_ok=True)
                (options.failures / f"{failed}.fw").write_bytes(data)
                (options.failures / f"{failed}.txt").write_text(reason)
                print(f"{options.failures / str(failed)}.fw: {reason.strip().splitlines()[-1]}", flush=True)
                failed += 1
    seconds = time.time() - start
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in total.most_common())
    print(
        f"{total.total():,} inputs, seed {options.seed}: {counts}; {total.total() / seconds:,.0f} a second with "
        f"{options.jobs} jobs; the slowest took {slowest:.2f} s of CPU"
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

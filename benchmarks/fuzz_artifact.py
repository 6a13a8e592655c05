"""Throw broken artifacts at `unpack`: each must be refused with ArtifactError, or be a model, in time and memory.

    python benchmarks/fuzz_artifact.py --inputs 1000000 --seed 0 --jobs 2
    python benchmarks/fuzz_artifact.py --inputs 1000000 --javascript 1000   # each in node, every 1000th here as well
    python benchmarks/fuzz_artifact.py --worst          # files of 16 KB made to take long, one by one

Inputs are golden files and small models with bits flipped, bytes changed, cut out, doubled or cut off, joined with
each other; claims that are well coded and then lie (every field at random or at its largest) with noise behind
them; and plain noise. A model that is accepted must pack, and unpack to the same bits. Each process may use so much
memory and no more, and an input that takes minutes is killed with its process. Failures are written to the folder
--failures, and the exit code is 1.

The leaderboard's decoder, leaderboard/decoder.js, is several times as fast. With --javascript N it reads all inputs, and the
one here every Nth: where they do not agree, that is a failure.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from assignment.artifact import MAGIC, ArtifactError, pack, unpack
from assignment.entropy import Encoder, Fields
from assignment.nn import AvgPool2D, Conv2D, Dense, Flatten, MaxPool2D, ReLU, Reshape, Sequential
from assignment.structure import code_structure, specs_of

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
DECODER = Path(__file__).parents[1] / "leaderboard" / "decoder.js"
LARGEST_SEED_FILE = 600  # bytes: many short inputs find more than few long ones
SECONDS, MEBIBYTES = 2.0, 64  # allowed for one input; memory beyond the model itself
HANGS = 120  # seconds by the clock: this machine may be busy
MOST_MEMORY = 2 << 30  # bytes of addresses, libraries and all
BATCH = 2000
BUDGET = 16_384


def grid(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    levels = rng.integers(-3, 4, shape) * (rng.random(shape) < rng.random())
    return (levels * rng.choice([0.5, 0.1, 0.0371], shape[-1:] if rng.random() < 0.2 else ())).astype(
        np.float32
    )


def small_model(rng: np.random.Generator) -> Sequential:
    """A few layers of a few units: most of its file is claims."""
    channels, side, layers = 1, 4, list[Any]([Reshape((1, 4, 4))])
    features = 16
    if rng.random() < 0.5:
        channels = int(rng.integers(1, 4))
        layers += [Conv2D(1, channels, int(rng.integers(1, 4)), padding=1), ReLU()]
        side = 4 + 2 - layers[1].weight.shape[2] + 1
    if rng.random() < 0.5:
        layers.append(rng.choice([MaxPool2D(2), AvgPool2D(2)]))
        side //= 2
    layers, features = [*layers, Flatten()], channels * side * side
    for units in rng.integers(1, 6, rng.integers(1, 3)).tolist():
        layers += [Dense(features, units), ReLU()]
        features = units
    model = Sequential(layers[: -int(rng.integers(0, 2)) or None])
    for layer in model.layers:
        if isinstance(layer, (Dense, Conv2D)):
            fill = grid if rng.random() < 0.7 else lambda rng, shape: rng.standard_normal(shape, np.float32)
            layer.weight, layer.bias = fill(rng, layer.weight.shape), fill(rng, layer.bias.shape)
    return model


def corpus() -> list[bytes]:
    """Short files, the shortest first: those are tried more."""
    files = [path.read_bytes() for path in sorted(GOLDEN.glob("*.fw"))]
    rng = np.random.default_rng(0)
    files += [pack(small_model(rng)) for _ in range(40)]
    return sorted(
        {data for data in files if len(data) <= LARGEST_SEED_FILE}, key=lambda data: (len(data), data)
    )


def claims(rng: np.random.Generator) -> bytes:
    """Layers that fit each other, then an array whose fields say anything, then noise."""
    encoder = Encoder()
    fields = Fields(encoder)
    widths = (2 ** (rng.random(3) * rng.choice([4, 8, 10]))).astype(int).tolist()
    layers = [Dense(1, 1) for _ in widths]
    for layer, inputs, units in zip(layers, [widths[-1], *widths], widths, strict=False):
        layer.weight, layer.bias = np.zeros((inputs, units), np.float32), np.zeros(units, np.float32)
    code_structure(fields, specs_of(Sequential(layers)))
    coding = int(rng.integers(8))
    fields.choice("weight coding", coding, 3)
    largest = rng.random() < 0.3
    for name, width in (("rough levels of a weight", 6), ("sides of a weight", 2)):
        fields.choice(name, (1 << width) - 1 if largest else int(rng.integers(1 << width)), width)
    fields.bits(int(rng.integers(1 << 16)) if not largest else (1 << 16) - 1, 16)
    return MAGIC + encoder.finish() + rng.bytes(int(rng.integers(30)))


def broken(rng: np.random.Generator, files: list[bytes]) -> bytes:
    """One input. Most changes are near the front, where the claims are."""
    kind = rng.random()
    if kind < 0.08:
        return MAGIC + rng.bytes(int(rng.integers(60)))
    if kind < 0.16:
        return claims(rng)
    data = bytearray(files[int(len(files) * rng.random() ** 6)])
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
            other = files[int(len(files) * rng.random() ** 6)]
            data[place:] = other[int(len(other) * rng.random()) :]
        else:
            value = 255 * int(rng.integers(2))
            data[place : place + 4] = bytes([value]) * 4
    if rng.random() < 0.98:
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


def in_javascript(files: list[bytes]) -> list[tuple[str, bytes]]:
    """What the leaderboard's decoder makes of each file, and the beginning of its arrays' hash."""
    asked = b"".join(len(data).to_bytes(4, "little") + data for data in files)
    command = ["node", str(DECODER.parents[1] / "benchmarks" / "fuzz_decoder.js"), str(DECODER)]
    done = subprocess.run(command, input=asked, capture_output=True, check=True, timeout=BATCH * SECONDS)
    trouble = iter(done.stderr.decode().split("\n\n"))
    said = ("refused", "a model", "failed in JavaScript", f"took more than {SECONDS} s in JavaScript")
    found = [done.stdout[k : k + 9] for k in range(0, len(done.stdout), 9)]
    return [(said[each[0]] + (f": {next(trouble)}" if each[0] == 2 else ""), each[1:]) for each in found]


def arrays_hash(data: bytes) -> bytes:
    arrays = unpack(data).parameters()
    return hashlib.sha1(b"".join(array.astype("<f4").tobytes() for array in arrays)).digest()[:8]


def both(files: list[bytes], every: int) -> Iterator[str]:
    """For each file what JavaScript says, and every so many checked here: `refused`, `a model`, or what is wrong."""
    for number, (data, (said, digest)) in enumerate(zip(files, in_javascript(files), strict=True)):
        if number % every == 0:
            here = verdict(data)
            if here != said:
                said = f"{said} in JavaScript, and here {here}"
            elif here == "a model" and arrays_hash(data) != digest:
                said = "is another model in JavaScript"
        yield said


def guard() -> None:
    """What a process may use: beyond it a failure is an exception, and a hang is an end."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    signal.signal(signal.SIGALRM, hang)


def hang(*_: object) -> None:
    raise TimeoutError(f"took {HANGS} s")


def batch(task: tuple[int, int, int, int | None]) -> tuple[Counter[str], list[tuple[str, bytes]], float]:
    """task: the run's seed, the batch's, how many inputs, and which of them here if all are read in JavaScript."""
    *seeds, count, every = task
    rng, files = np.random.default_rng(seeds), corpus()
    outcomes, failures, slowest = Counter[str](), list[tuple[str, bytes]](), 0.0
    inputs = [broken(rng, files) for _ in range(count)]
    verdicts = map(verdict, inputs) if every is None else both(inputs, every)
    for data in inputs:
        start = time.process_time()
        signal.alarm(HANGS)
        outcome = next(verdicts)
        signal.alarm(0)
        slowest = max(slowest, time.process_time() - start)
        known = outcome in ("refused", "a model")
        outcomes[outcome if known else "failed"] += 1
        if not known:
            failures.append((outcome, data))
    return outcomes, failures, slowest


def slow_files() -> dict[str, bytes]:
    """Files as large as the budget that ask for all the work there is: predictable bits of large arrays."""
    files = {}
    for units in (1, 2, 10, 100, 512, 5000):
        for name, levels in (("unary", 7), ("gamma", 55)):
            encoder = Encoder()
            fields = Fields(encoder)
            layer = Dense(1, 1)
            inputs = min(BUDGET * 2 - 1, (1 << 22) // (units + 1) - 1)
            layer.weight, layer.bias = np.zeros((inputs, units), np.float32), np.zeros(units, np.float32)
            code_structure(fields, specs_of(Sequential([layer])))
            fields.choice("weight coding", 4, 3)
            fields.choice("rough levels of a weight", levels, 6)
            fields.choice("sides of a weight", 0, 2)
            fields.flag("no zeros in a weight", False)
            head = MAGIC + encoder.finish()
            rng = np.random.default_rng(units)
            for fill, rest in (
                ("00", bytes(BUDGET)),
                ("55", b"\x55" * BUDGET),
                ("ff", b"\xff" * BUDGET),
                ("noise", rng.bytes(BUDGET)),
            ):
                files[f"{inputs} x {units}, {name}, {fill}"] = (head + rest)[:BUDGET]
    return files


def worst() -> int:
    slowest = 0.0
    for name, data in slow_files().items():
        start, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            unpack(data)
            outcome = "a model"
        except ArtifactError as error:
            outcome = f"refused: {error}"
        seconds = time.process_time() - start
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
        slowest = max(slowest, seconds)
        print(f"{name:32} {seconds:5.2f} s of CPU, {grown:3.0f} MiB more, {outcome}", flush=True)
    print(f"the slowest took {slowest:.2f} s of CPU")
    return int(slowest > SECONDS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--failures", type=Path, default=Path("fuzz-failures"))
    parser.add_argument(
        "--javascript", type=int, metavar="N", help="all inputs in leaderboard/decoder.js, every Nth here"
    )
    parser.add_argument("--worst", action="store_true", help="time files of 16 KB made to take long")
    options = parser.parse_args()
    if options.worst:
        return worst()
    parts = range(0, options.inputs, BATCH)
    tasks = [(options.seed, i, min(BATCH, options.inputs - start), options.javascript)
             for i, start in enumerate(parts)]  # fmt: skip
    total, start, slowest, failed = Counter[str](), time.time(), 0.0, 0
    with multiprocessing.get_context("spawn").Pool(options.jobs, initializer=guard) as pool:
        for outcomes, failures, longest in pool.imap_unordered(batch, tasks):
            total += outcomes
            slowest = max(slowest, longest)
            for reason, data in failures:
                options.failures.mkdir(exist_ok=True)
                (options.failures / f"{failed}.fw").write_bytes(data)
                (options.failures / f"{failed}.txt").write_text(reason)
                print(f"{options.failures / str(failed)}.fw: {reason.strip().splitlines()[-1]}", flush=True)
                failed += 1
            if total.total() % (25 * BATCH) == 0:
                print(f"{total.total():,} inputs so far, {failed} failures", flush=True)
    seconds = time.time() - start
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in total.most_common())
    print(
        f"{total.total():,} inputs, seed {options.seed}: {counts}; {total.total() / seconds:,.0f} a second with "
        f"{options.jobs} jobs; the slowest took {slowest:.2f} s of CPU"
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""How many bytes a model takes, packed by what one could use instead of `pack`, and by `pack`.

    python benchmarks/artifact_sizes.py [FOLDER ...] [--nnc PYTHON]

raw      4 bytes a parameter
npz      numpy.savez_compressed of the float32 arrays
deflate  zlib, level 9, of the arrays as small integers with their levels beside them (so for lzma and zstd)
static   a range coder whose frequencies are sent before each array: what its ideal costs, tables included
entropy  zero-order entropy of each array's integers, without tables; floats and biases in raw bits as they are
nnc      payload of the ISO standard's coder for the same integers, nothing else (benchmarks/nnc_payload.py)
ours     the whole file

All but npz get the integers that `pack` finds, so that only the coding differs.
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import math
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from assignment.artifact import ledger, pack, unpack
from assignment.nn import Sequential
from assignment.plans import CODEBOOK, FLOAT, GRIDS, RAW, ZEROS, Plan, best_plan
from benchmarks.stored_models import FOLDER, models

try:
    import zstandard
except ImportError:
    zstandard = None  # type: ignore[assignment]

COLUMNS = ("raw", "npz", "deflate", "lzma", "zstd", "static", "entropy", "nnc", "ours")


def plans_of(model: Sequential) -> list[Plan]:
    """What `pack` finds in each array, as a (inputs, units) matrix; steps of earlier arrays are known."""
    plans: list[Plan] = []
    for array in model.parameters():
        matrix = array.reshape(-1, 1) if array.ndim == 1 else array
        matrix = array.reshape(len(array), -1).T if array.ndim == 4 else matrix
        steps = [plan.steps[0] for plan in plans if len(plan.steps) == 1]
        plans.append(best_plan(np.ascontiguousarray(matrix), steps))
    return plans


def table_bytes(plan: Plan) -> int:
    """Steps as float32; a codebook's levels too."""
    if plan.kind == CODEBOOK:
        return 4 * (plan.alphabet.negatives + plan.alphabet.positives)
    return 4 * (np.count_nonzero(plan.symbols.any(axis=0)) if plan.kind == GRIDS else plan.kind != ZEROS)


def plain_bytes(plan: Plan) -> bytes:
    """The integers in one or two bytes each, their table (as zeros) in front, raw mantissas behind."""
    small = plan.alphabet.largest < 128
    parts = [bytes(table_bytes(plan)), plan.symbols.astype(np.int8 if small else np.int16).tobytes()]
    if plan.tails is not None:
        bits = np.unpackbits(plan.tails.astype(">u4").view(np.uint8).reshape(-1, 4), axis=1)
        parts.append(np.packbits(bits[:, 32 - (32 if plan.kind == RAW else plan.mantissa) :]).tobytes())
    return b"".join(parts)


def static_bytes(plan: Plan) -> float:
    """Counts of every level from the lowest to the highest in Elias's gamma code, then entropy."""
    if plan.kind == ZEROS:
        return 0.0
    counts = np.bincount((plan.symbols - plan.symbols.min()).ravel())
    table = sum(2 * math.floor(math.log2(count + 1)) + 1 for count in counts.tolist())
    return table / 8 + table_bytes(plan) + plan.entropy_bytes


def npz_bytes(model: Sequential) -> int:
    file = io.BytesIO()
    np.savez_compressed(file, **{str(i): array for i, array in enumerate(model.parameters())})
    return len(file.getvalue())


def nnc_bytes(plans: list[Plan], python: str) -> float:
    """NNC's payload; what `pack` leaves raw is added as it is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "integers.npz"
        np.savez(path, *[plan.symbols.T.astype(np.int32) for plan in plans if plan.kind not in (ZEROS, RAW)])
        script = Path(__file__).with_name("nnc_payload.py")
        answer = subprocess.run([python, script, path], capture_output=True, check=True, text=True)
    tails = sum(
        plan.tails.size * plan.mantissa / 8 for plan in plans if plan.kind == FLOAT and plan.tails is not None
    )
    return sum(json.loads(answer.stdout)) + tails


def sizes(model: Sequential, nnc: str | None) -> dict[str, float | None]:
    plans = plans_of(model)
    plain = b"".join(plain_bytes(plan) for plan in plans)
    packed = pack(model)
    return {
        "raw": sum(array.nbytes for array in model.parameters()),
        "npz": npz_bytes(model),
        "deflate": len(zlib.compress(plain, 9)),
        "lzma": len(lzma.compress(plain, lzma.FORMAT_ALONE, preset=9 | lzma.PRESET_EXTREME)),
        "zstd": len(zstandard.compress(plain, 22)) if zstandard else None,
        "static": sum(static_bytes(plan) for plan in plans),
        "entropy": sum(row.entropy_bytes for row in ledger(packed)),
        "nnc": nnc_bytes(plans, nnc) if nnc else None,
        "ours": len(packed),
    }


def seconds(model: Sequential) -> tuple[float, float]:
    """CPU seconds to pack and to unpack."""
    start = time.process_time()
    data = pack(model)
    middle = time.process_time()
    unpack(data)
    return middle - start, time.process_time() - middle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folders", nargs="*", type=Path, default=[FOLDER], help="of models (default: benchmarks/models)"
    )
    parser.add_argument("--nnc", metavar="PYTHON", help="a Python that has nncodec 2.1.3")
    options = parser.parse_args()
    for folder in options.folders:
        print(
            f"{folder.name:24}"
            + "".join(f"{name:>9}" for name in COLUMNS)
            + "   to entropy  to nnc   seconds"
        )
        for name, model in models(folder).items():
            row = sizes(model, options.nnc)
            cells = "".join("        -" if row[c] is None else f"{row[c]:9,.0f}" for c in COLUMNS)
            against = f"{row['ours'] / row['entropy'] - 1:12.1%}"  # type: ignore[operator]
            against += f"{row['ours'] / row['nnc'] - 1:8.1%}" if row["nnc"] else "       -"  # type: ignore[operator]
            packing, unpacking = seconds(model)
            print(f"{name:24}{cells}{against}  {packing:4.2f} {unpacking:4.2f}", flush=True)


if __name__ == "__main__":
    main()

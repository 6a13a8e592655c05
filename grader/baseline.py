"""Train the shared model that everybody compresses: `python -m grader baseline [--out DIR] [--seed N]`.

LeNet-300-100 on MNIST's 55,000 training images, warped anew each time they are seen. The recipe was
chosen by accuracy on the validation images; the test images are looked at once, for the card.

The same command gives the same weights bit for bit on the same machine: everything random comes from
the seed, and matrix products, whose rounding depends on how they are shared out, run on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assignment.data import DataError, Mnist, load_mnist
from assignment.nn import Adam, Dataset, Sequential, cosine, evaluate, fit
from assignment.nn.distort import random_distortions
from assignment.shared_model import ARRAY_NAMES, NAME, SIZES, lenet_300_100, model_card, weights_sha256

ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
DEFAULT_OUT = Path("results/baseline")


@dataclass(frozen=True)
class Recipe:
    """The hyper-parameters. The learning rate falls along half a cosine; warps are `random_distortions`."""

    epochs: int = 100
    batch_size: int = 128
    learning_rate: float = 1e-3
    degrees: float = 10.0
    stretch: float = 0.1
    shear: float = 0.1
    shift: float = 1.5
    wobble: float = 1.0


def main(arguments: list[str] | None = None) -> int:
    """Train, write the weights and their card, and say whether they are the committed ones."""
    parser = argparse.ArgumentParser(
        prog="python -m grader baseline", description="Train the shared model, LeNet-300-100, on MNIST."
    )
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help=f"folder (default: {DEFAULT_OUT})")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and warps (default: 0)")
    options = parser.parse_args(arguments)
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        return _on_one_thread(options)
    try:
        mnist = load_mnist(allow_fallback=False)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    committed = _committed_card()  # before it may be overwritten
    card = make(mnist, options.out, seed=options.seed)
    print(comparison(card, committed))
    return 0


def _on_one_thread(options: argparse.Namespace) -> int:
    """Start over in a process whose BLAS finds the thread count in its environment, where it must be."""
    command = [
        sys.executable,
        "-m",
        "grader.baseline",
        "--out",
        str(options.out),
        "--seed",
        str(options.seed),
    ]
    return subprocess.run(command, env={**os.environ, **ONE_THREAD}, check=False).returncode


def make(mnist: Mnist, out: Path, *, seed: int, recipe: Recipe | None = None) -> dict[str, Any]:
    """Train, measure, write `lenet-300-100.npz` and its card into `out`; returns the card."""
    recipe = recipe or Recipe()
    started = time.process_time()
    model = train(mnist.train, seed=seed, recipe=recipe, after_step=_reporter(mnist.train, recipe))
    arrays = dict(zip(ARRAY_NAMES, model.parameters(), strict=True))
    accuracy = {
        "validation": round(100 * evaluate(model, mnist.validation), 4),
        "test": round(100 * evaluate(model, mnist.test), 4),
    }
    card = {
        "model": NAME,
        "layers": list(SIZES),
        "parameters": sum(array.size for array in arrays.values()),
        "float32_bytes": sum(array.nbytes for array in arrays.values()),
        "command": f"python -m grader baseline --seed {seed}",
        "seed": seed,
        "trained_on": f"{mnist.name}: {len(mnist.train)} training images, without the validation images",
        "recipe": asdict(recipe),
        "recipe_chosen_by": "accuracy on the validation images",
        "accuracy_percent": accuracy,
        "weights_sha256": weights_sha256(arrays.values()),
        "made_on": {**machine(), "cpu_seconds": round(time.process_time() - started, 1)},
    }
    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / f"{NAME}.npz", allow_pickle=False, **arrays)
    (out / f"{NAME}.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(f"validation {accuracy['validation']:.2f} %, test {accuracy['test']:.2f} %, written to {out}")
    return card


def train(
    dataset: Dataset,
    *,
    seed: int,
    recipe: Recipe | None = None,
    after_step: Callable[[Sequential], None] | None = None,
) -> Sequential:
    """LeNet-300-100 trained on these images from this seed."""
    recipe = recipe or Recipe()
    model = lenet_300_100(np.random.default_rng(seed))
    warp = random_distortions(
        degrees=recipe.degrees,
        stretch=recipe.stretch,
        shear=recipe.shear,
        shift=recipe.shift,
        wobble=recipe.wobble,
    )
    fit(
        model,
        dataset,
        epochs=recipe.epochs,
        optimizer=Adam(recipe.learning_rate),
        batch_size=recipe.batch_size,
        seed=seed,
        schedule=cosine,
        augment=warp,
        after_step=after_step,
    )
    return model


def _reporter(dataset: Dataset, recipe: Recipe) -> Callable[[Sequential], None] | None:
    """Lines for a log, a tenth of the training apart; None in a terminal, where `fit` shows a bar."""
    if sys.stderr.isatty():
        return None
    total = recipe.epochs * -(-len(dataset) // recipe.batch_size)
    steps, started = 0, time.process_time()

    def report(model: Sequential) -> None:
        nonlocal steps
        steps += 1
        if steps * 10 // total > (steps - 1) * 10 // total:
            print(
                f"{100 * steps / total:.0f} % trained, {time.process_time() - started:.0f} CPU s", flush=True
            )

    return report


def machine() -> dict[str, str]:
    """What the rounding of a float32 product may depend on."""
    blas = np.show_config(mode="dicts")["Build Dependencies"].get("blas", {})
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}, 1 thread",
        "cpu": _cpu_name(),
        "platform": platform.system() + " " + platform.machine(),
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def _committed_card() -> dict[str, Any] | None:
    try:
        return model_card()
    except DataError:
        return None


def comparison(card: dict[str, Any], committed: dict[str, Any] | None) -> str:
    """One sentence: whether these are the weights that the repository holds."""
    if committed is None:
        return "there was no committed shared model to compare with"
    if card["weights_sha256"] == committed["weights_sha256"]:
        return "the weights are those of the committed shared model, bit for bit"
    theirs = committed["accuracy_percent"]
    return (
        f"the weights are not those of the committed shared model (seed {committed['seed']}, validation "
        f"{theirs['validation']:.2f} %, test {theirs['test']:.2f} %); with its seed and recipe that happens "
        f"where another processor or BLAS rounds otherwise"
    )


if __name__ == "__main__":
    sys.exit(main())

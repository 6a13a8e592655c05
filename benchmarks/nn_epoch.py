"""One training epoch of the shared model's network: `assignment.nn` beside PyTorch, on one thread.

Both run the same loop on the same images in the same process: shuffle, batches of 128, cross-entropy,
Adam. They take turns, and CPU seconds are compared by their medians, so that a busy machine slows all alike.

    pip install torch
    python benchmarks/nn_epoch.py
"""

from __future__ import annotations

import os

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))  # read when NumPy and PyTorch are imported

import argparse  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1]))

from assignment.nn import Adam, Dataset, fit  # noqa: E402
from assignment.shared_model import SIZES, lenet_300_100  # noqa: E402

BATCH_SIZE = 128
LEARNING_RATE = 1e-3


def made_up_digits(count: int) -> Dataset:
    """As many, as large and as dark as MNIST's (time does not depend on what they show): no download."""
    rng = np.random.default_rng(0)
    ink = rng.random((count, SIZES[0]), dtype=np.float32)
    ink *= rng.random((count, SIZES[0]), dtype=np.float32) < 0.19
    return Dataset(ink, rng.integers(0, SIZES[-1], count))


def numpy_epoch(dataset: Dataset) -> Callable[[], None]:
    model, optimizer = lenet_300_100(), Adam(LEARNING_RATE)

    def epoch() -> None:
        fit(model, dataset, epochs=1, optimizer=optimizer, batch_size=BATCH_SIZE)

    return epoch


def torch_epoch(dataset: Dataset, **adam_options: bool) -> Callable[[], None]:
    """The usual PyTorch loop, indexing tensors directly: no DataLoader, which would only slow it down."""
    import torch
    from torch import nn

    model = nn.Sequential(
        nn.Linear(SIZES[0], SIZES[1]),
        nn.ReLU(),
        nn.Linear(SIZES[1], SIZES[2]),
        nn.ReLU(),
        nn.Linear(SIZES[2], 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, **adam_options)
    loss_function = nn.CrossEntropyLoss()
    images, labels = torch.from_numpy(dataset.images), torch.from_numpy(dataset.labels)

    def epoch() -> None:
        total = 0.0
        order = torch.randperm(len(labels))
        for start in range(0, len(labels), BATCH_SIZE):
            rows = order[start : start + BATCH_SIZE]
            optimizer.zero_grad(set_to_none=True)
            loss = loss_function(model(images[rows]), labels[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)

    return epoch


def cpu_seconds(epoch: Callable[[], None]) -> float:
    started = time.process_time()
    epoch()
    return time.process_time() - started


def main() -> int:
    parser = argparse.ArgumentParser(description="Time one training epoch beside PyTorch's, on one thread.")
    parser.add_argument("--repeats", type=int, default=5, help="epochs of each (default: 5)")
    parser.add_argument("--images", type=int, default=55_000, help="images in an epoch (default: 55000)")
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        install = f"{sys.executable} -m pip install torch"
        print(f"PyTorch is not installed: run `{install}`, then this again", file=sys.stderr)
        return 2
    torch.set_num_threads(1)

    dataset = made_up_digits(arguments.images)
    contestants = {
        "assignment.nn, Adam": numpy_epoch(dataset),
        "PyTorch, fused Adam": torch_epoch(dataset, fused=True),
        "PyTorch, default Adam": torch_epoch(dataset),
    }
    print(f"LeNet-300-100, {arguments.images} images, batch {BATCH_SIZE}, one thread", end=", ")
    print(f"NumPy {np.__version__}, PyTorch {torch.__version__}", flush=True)
    for epoch in contestants.values():
        epoch()  # the first one allocates and warms up
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for repeat in range(arguments.repeats):
        for name, epoch in contestants.items():
            seconds[name].append(cpu_seconds(epoch))
        latest = ", ".join(f"{times[-1]:.2f}" for times in seconds.values())
        print(f"  repeat {repeat + 1}: {latest} CPU seconds", flush=True)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, median in medians.items():
        print(f"{name:24s} median {median:6.3f} CPU s")
    ours, *theirs = medians.values()
    print(f"ratio to PyTorch's faster one: {ours / min(theirs):.2f} (under 1: assignment.nn is faster)")
    return 0


if __name__ == "__main__":
    sys.exit(main())

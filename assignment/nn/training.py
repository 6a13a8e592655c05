"""Data in, trained model out: the loop that every training in this repository runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from .layers import Array
from .losses import cross_entropy
from .model import Sequential
from .optim import Adam, Optimizer, Schedule


@dataclass(frozen=True)
class Dataset:
    """Images (N, 784) float32 in [0, 1] and labels (N,) int64."""

    images: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, batch_size: int, rng: np.random.Generator | None = None) -> Iterator[Dataset]:
        """Every image once, in an order drawn from `rng` (as they stand without one).

        The last batch is smaller where the sizes do not divide.
        """
        order = np.arange(len(self)) if rng is None else rng.permutation(len(self))
        for start in range(0, len(self), batch_size):
            rows = order[start : start + batch_size]
            yield Dataset(self.images[rows], self.labels[rows])


@dataclass(frozen=True)
class Data:
    """What `compress` may learn from: never the test images."""

    train: Dataset
    validation: Dataset


@dataclass(frozen=True)
class EpochReport:
    """One pass over the data: mean loss per image, and accuracy (a fraction) where it was asked for."""

    epoch: int
    loss: float
    validation_accuracy: float | None


Loss = Callable[[Array, Dataset], tuple[float, Array]]


def label_loss(logits: Array, batch: Dataset) -> tuple[float, Array]:
    """Cross-entropy against the batch's own labels: what `fit` minimises unless told otherwise."""
    return cross_entropy(logits, batch.labels)


def fit(
    model: Sequential,
    dataset: Dataset,
    *,
    epochs: int,
    optimizer: Optimizer | None = None,
    batch_size: int = 128,
    seed: int = 0,
    loss: Loss = label_loss,
    schedule: Schedule | None = None,
    augment: Callable[[Array, np.random.Generator], Array] | None = None,
    after_step: Callable[[Sequential], None] | None = None,
    validation: Dataset | None = None,
) -> list[EpochReport]:
    """Train `model` in place; the same seed and arguments give the same weights.

    optimizer: Adam at its usual rate unless given.
    loss: (logits, batch) -> (mean loss, gradient by the logits).
    schedule: share of the training done, in [0, 1) -> factor on the learning rate.
    augment: (images, rng) -> images, on each training batch.
    after_step: called with the model after each step, to hold weights where they must stay.
    validation: measured after each epoch.
    """
    optimizer = Adam() if optimizer is None else optimizer
    rng = np.random.default_rng(seed)
    steps = epochs * -(-len(dataset) // batch_size)
    step, reports = 0, []
    with progress_bar("training", steps) as advance:
        for epoch in range(epochs):
            total = 0.0
            for batch in dataset.batches(batch_size, rng):
                if augment is not None:
                    batch = Dataset(augment(batch.images, rng), batch.labels)
                value, grad = loss(model.forward(batch.images), batch)
                model.backward(grad, input_gradient=False)
                optimizer.step(model, 1.0 if schedule is None else schedule(step / steps))
                if after_step is not None:
                    after_step(model)
                total += value * len(batch)
                step += 1
                advance(f"epoch {epoch + 1}/{epochs}  loss {value:.3f}")
            accuracy = None if validation is None else evaluate(model, validation)
            reports.append(EpochReport(epoch, total / max(len(dataset), 1), accuracy))
    return reports


def evaluate(model: Sequential, dataset: Dataset) -> float:
    """Accuracy, a fraction in [0, 1]."""
    if not len(dataset):
        raise ValueError("accuracy needs at least one image, got an empty dataset")
    return float(np.mean(model.predict(dataset.images) == dataset.labels))


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[str], None]]:
    """A function to call once a step: a bar when a person is watching stderr, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda note: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), TextColumn("{task.fields[note]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total, note="")
        yield lambda note: progress.update(task, advance=1, note=note)

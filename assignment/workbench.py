"""What the lab and the report work with: your functions, the shared model, the digits.

    bench = workbench()
    thinner = bench.student.prune(bench.base, sparsity=0.9)
    bench.accuracy(thinner)                        # percent of the validation images

`bench.student` reads `compression.py` again whenever it was saved, so that a notebook stays open while you
write. A function that is not there yet is a `SubmissionError`, and `note_for` says what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .data import Mnist, load_mnist
from .nn import Dataset, Sequential, evaluate
from .plain import Flat
from .seam import Call, LocalSubmission, Submission, SubmissionError
from .shared_model import shared_model

COMPRESSION_FILE = Path(__file__).with_name("compression.py")
FEW_IMAGES = 10_000
"""Enough to retrain on when a picture needs ten trainings."""

PARTS = {
    "count_parameters": 1,
    "sparsity": 1,
    "storage_bytes": 1,
    "magnitude_mask": 2,
    "global_magnitude_masks": 2,
    "prune": 2,
    "finetune": 2,
    "quantize_affine": 3,
    "dequantize_affine": 3,
    "quantize_symmetric": 3,
    "kmeans_codebook": 3,
    "quantize_model": 3,
    "softmax": 4,
    "distillation_loss": 4,
    "distill": 4,
    "neuron_importance": 5,
    "prune_neurons": 5,
    "compress": 6,
}


class SavedSubmission(Submission):
    """The functions of a file as it was saved last."""

    def __init__(self, path: Path):
        self.path = path
        self._saved_at = -1
        self._local = LocalSubmission(path)

    def run(self, function: str, given: Flat, *, inspecting: bool) -> Call:
        saved_at = self.path.stat().st_mtime_ns if self.path.exists() else 0
        if saved_at != self._saved_at:
            self._saved_at, self._local = saved_at, LocalSubmission(self.path)
        return self._local.run(function, given, inspecting=inspecting)


@dataclass(frozen=True)
class Workbench:
    """student: your functions. base: the class's shared model. mnist: images and labels, split."""

    student: Any  # a Submission; its functions are attributes made on demand
    mnist: Mnist
    base: Sequential = field(default_factory=shared_model)

    @property
    def few(self) -> Dataset:
        """The first of the training images."""
        train = self.mnist.train
        return Dataset(train.images[:FEW_IMAGES], train.labels[:FEW_IMAGES])

    def accuracy(self, model: Sequential) -> float:
        """Percent of the validation images that the model reads rightly."""
        return 100 * evaluate(model, self.mnist.validation)


def workbench(file: Path = COMPRESSION_FILE) -> Workbench:
    """The bench with the functions of `file`. Raises DataError where MNIST or the model cannot be had."""
    return Workbench(SavedSubmission(file), load_mnist())


def note_for(error: SubmissionError) -> str:
    """What a student whose function did not do its part reads: what is missing, then what to do."""
    name, part = error.function, PARTS.get(error.function)
    if part is None:  # the file as a whole
        return f"{error}."
    if error.kind in ("not_implemented", "missing"):
        return (
            f"Implement this first: {name} (part {part}). Write it in compression.py, save the file, and "
            "this picture draws itself when you run it again."
        )
    return f"{error}. Its tests: python -m pytest tests_public --function {name}"

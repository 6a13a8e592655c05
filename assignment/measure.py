"""What a `compress` is worth: run it, pack what it returns, unpack the file, measure what came out."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .artifact import pack, unpack
from .data import Mnist
from .nn import evaluate
from .scoring import (
    BUDGET_BYTES,
    CPU_SECONDS,
    REFERENCE_ACCURACY_PERCENT,
    REFERENCE_BYTES,
    accuracy_per_kib,
    score,
)
from .seam import Submission
from .shared_model import shared_model


@dataclass(frozen=True)
class Measurement:
    """One run of `compress`, measured on the validation images."""

    artifact: bytes
    accuracy_percent: float
    cpu_seconds: float
    budget_bytes: int
    score: float

    @property
    def size_bytes(self) -> int:
        return len(self.artifact)

    @property
    def accuracy_per_kib(self) -> float:
        return accuracy_per_kib(self.accuracy_percent, self.size_bytes)

    def hindrances(self) -> list[str]:
        """Why the grader would not rank this; empty where it would."""
        reasons = []
        if self.size_bytes > self.budget_bytes:
            over = self.size_bytes - self.budget_bytes
            reasons.append(f"{over:,} bytes over the budget of {self.budget_bytes:,}")
        if self.cpu_seconds > CPU_SECONDS:
            reasons.append(
                f"compress took {self.cpu_seconds:.0f} CPU seconds: the limit is {CPU_SECONDS:.0f}"
            )
        if self.score == 0.0:
            reasons.append(f"accuracy {self.accuracy_percent:.2f} % is too low for a score")
        return reasons


def measure(
    submission: Submission, mnist: Mnist, *, budget_bytes: int = BUDGET_BYTES, seed: int = 0
) -> Measurement:
    """Run the submission's `compress` on the shared model and measure the file that it becomes.

    Raises SubmissionError when `compress` fails, ArtifactError when what it returns cannot be packed,
    ValueError when the packed model cannot be run on images.
    """
    started = time.process_time()
    model = submission.call("compress", shared_model(), mnist.data, budget_bytes, seed=seed)
    cpu_seconds = time.process_time() - started
    artifact = pack(model)
    accuracy_percent = 100 * evaluate(unpack(artifact), mnist.validation)
    points = score(accuracy_percent, len(artifact), REFERENCE_ACCURACY_PERCENT, REFERENCE_BYTES)
    return Measurement(artifact, accuracy_percent, cpu_seconds, budget_bytes, points)

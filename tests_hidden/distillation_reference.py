"""What distillation must compute, in float64, and how far float32 may stray from it.

With R the largest logit in magnitude and T the temperature, a logit divided by T and shifted by the
row's largest is at most 2R / T, so that float32 knows it to within a few steps of that size: a
relative error of its exponential, and an absolute one of its logarithm. The tolerances below are 16
such steps, of which two plain float32 versions of the formulas were seen to use fewer than two.
"""

from __future__ import annotations

import numpy as np

from assignment.nn import Dataset, Sequential

STEP = 2.0**-23  # float32: the relative distance between neighbouring numbers


def log_softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """(N, classes) float64: logarithms of the probabilities of each row."""
    z = logits.astype(np.float64) / temperature
    z -= z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def softmax_tolerance(logits: np.ndarray, temperature: float) -> float:
    """How far a probability in float32 may be off: it is at most 1, so its relative error bounds it."""
    return 16 * STEP * (1 + 2 * float(np.abs(logits).max()) / temperature)


def loss_and_gradient(
    student: np.ndarray, teacher: np.ndarray, labels: np.ndarray, temperature: float, alpha: float
) -> tuple[float, np.ndarray]:
    """The loss, and its (N, classes) gradient by the student's logits."""
    n, rows = len(labels), np.arange(len(labels))
    hard = log_softmax(student)
    log_p, log_q = log_softmax(student, temperature), log_softmax(teacher, temperature)
    q = np.exp(log_q)
    soft = (q * (log_q - log_p)).sum(axis=1)
    loss = float(np.mean(-alpha * hard[rows, labels] + (1 - alpha) * temperature**2 * soft))
    one_hot = np.zeros_like(hard)
    one_hot[rows, labels] = 1
    grad = alpha * (np.exp(hard) - one_hot) + (1 - alpha) * temperature * (np.exp(log_p) - q)
    return loss, grad / n


def loss_tolerance(student: np.ndarray, teacher: np.ndarray, temperature: float, alpha: float) -> float:
    """How far the loss may be off: each term is a mean of logarithms, the soft one times T**2.

    A logarithm is off by a few steps of 2R / T plus that of the sum over ten classes. The soft term has
    the teacher's probabilities as factors: each is off by as much relatively, so that the term is off by
    that share of what it adds up, the differences of the logarithms.
    """
    reach = 2 * float(max(np.abs(student).max(), np.abs(teacher).max()))
    hard, soft = 3 + reach, 3 + reach / temperature
    log_p, log_q = log_softmax(student, temperature), log_softmax(teacher, temperature)
    added = float((np.exp(log_q) * np.abs(log_q - log_p)).sum(axis=1).mean())
    return 16 * STEP * (alpha * hard + (1 - alpha) * temperature**2 * soft * (1 + added))


def gradient_tolerance(student: np.ndarray, teacher: np.ndarray, temperature: float, alpha: float) -> float:
    """How far an entry of the gradient may be off: differences of probabilities, over the batch size."""
    hard = softmax_tolerance(student, 1)
    soft = softmax_tolerance(student, temperature) + softmax_tolerance(teacher, temperature)
    return (alpha * hard + (1 - alpha) * temperature * soft) / len(student)


def mean_loss(
    student: Sequential, teacher: Sequential, dataset: Dataset, temperature: float, alpha: float
) -> float:
    """The distillation loss of a student over a whole set."""
    logits = student.copy().forward(dataset.images), teacher.copy().forward(dataset.images)
    return loss_and_gradient(*logits, dataset.labels, temperature, alpha)[0]


def weight_gradients(
    student: Sequential, teacher: Sequential, dataset: Dataset, temperature: float, alpha: float
) -> list[np.ndarray]:
    """The gradients of `mean_loss` by each of the student's arrays, in the order of `parameters`."""
    student = student.copy()
    logits = student.forward(dataset.images), teacher.copy().forward(dataset.images)
    _, grad = loss_and_gradient(*logits, dataset.labels, temperature, alpha)
    student.backward(grad.astype(np.float32))
    return student.gradients()

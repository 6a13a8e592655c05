"""Part 4, public: softmax, the distillation loss and distillation, on numbers that fit on a napkin.

The probabilities below are quarters because the logits are logarithms: softmax([0, ln 3]) is
[1, 3] / (1 + 3).
"""

from __future__ import annotations

import numpy as np
import pytest

from assignment.nn import Dataset, Dense, Sequential, cross_entropy
from tests_public import expect

LN3, LN9 = np.log(3.0), np.log(9.0)
QUARTERS = np.array([[0.25, 0.75]])

# Every number here is of size 1 or less and takes a dozen operations: float32 gets it to 1e-6.
ROUNDING = 1e-5


def row(*logits):
    """One image's logits: (1, classes) float32."""
    return np.array([logits], np.float32)


def shown(array):
    """Numbers for a sentence."""
    return np.round(array, 4).tolist()


def distances(student, teacher):
    """How far two models' probabilities are apart on images 0 to 3, image by image."""
    images = np.eye(4, dtype=np.float32)
    p, q = (np.exp(model.copy().forward(images)) for model in (student, teacher))
    return np.abs(p / p.sum(axis=1, keepdims=True) - q / q.sum(axis=1, keepdims=True)).sum(axis=1)


def four_images():
    """Four images of one bright pixel each, an undecided student, and a teacher who says 1, 0, 2, 1.

    The labels say otherwise: 0, 0, 1, 2. Row i of a weight is what the model answers to image i.
    """
    dataset = Dataset(np.eye(4, dtype=np.float32), np.array([0, 0, 1, 2]))
    answers = np.zeros((4, 10), np.float32)
    student = Sequential([Dense.from_arrays(answers.copy(), np.zeros(10, np.float32))])
    answers[np.arange(4), [1, 0, 2, 1]] = 4
    teacher = Sequential([Dense.from_arrays(answers, np.zeros(10, np.float32))])
    return student, teacher, dataset


@pytest.mark.grades("softmax")
def test_temperature_softens_the_probabilities(submission):
    """At temperature 1, [0, ln 9] is [1, 9] / 10. At 2 the logits are halved: [0, ln 3] is [1, 3] / 4."""
    for temperature, expected in ((1.0, [[0.1, 0.9]]), (2.0, QUARTERS)):
        p = expect.an_array(submission.softmax(row(0, LN9), temperature), "softmax", (1, 2), "f")
        assert np.abs(p - expected).max() < ROUNDING, (
            f"softmax([0, ln 9]) at temperature {temperature:g} is {shown(expected)}, got {shown(p)}: "
            "divide the logits by the temperature, then exponentiate and normalise"
        )


@pytest.mark.grades("softmax")
def test_softmax_survives_huge_logits(submission):
    """e**10000 overflows; taking each row's largest logit off first changes no probability."""
    logits = np.array([[1e4, 1e4, -1e4], [0, 0, 0], [-1e4, -1e4, -1e4]], np.float32)
    p = expect.an_array(submission.softmax(logits), "softmax", (3, 3), "f")
    expected = [[0.5, 0.5, 0], [1 / 3] * 3, [1 / 3] * 3]
    assert np.abs(p - expected).max() < ROUNDING, (
        f"softmax of {shown(logits)} is {shown(expected)}, got {shown(p)}: "
        "subtract the largest logit of each row (not of the batch, nor of each column)"
    )


def assert_loss(submission, student, teacher, label, temperature, alpha, expected, expected_grad, idea):
    """One image: the loss and its gradient are the ones worked out by hand."""
    returned = submission.distillation_loss(student, teacher, np.array([label]), temperature, alpha)
    loss, grad = expect.a_tuple(returned, "what distillation_loss returns, (loss, grad),", 2)
    loss = expect.a_number(loss, "loss")
    grad = expect.an_array(grad, "grad", student.shape, "f", shape_of="student_logits")
    assert abs(loss - expected) < ROUNDING, f"the loss here is {expected:.4f}, got {loss:.4f}: {idea}"
    assert np.abs(grad - expected_grad).max() < ROUNDING, (
        f"the gradient here is {shown(expected_grad)}, got {shown(grad)}: {idea}"
    )


@pytest.mark.grades("distillation_loss")
def test_hard_term_is_the_cross_entropy_with_the_label(submission):
    """alpha = 1. The student says [1/4, 3/4] and the label is class 0:
    loss = -ln(1/4) = ln 4, grad = [1/4 - 1, 3/4]. The teacher and the temperature do not matter."""
    idea = "at alpha 1 it is cross-entropy at temperature 1, and its gradient is softmax - one_hot"
    expected_grad = np.array([[-0.75, 0.75]])
    assert_loss(submission, row(0, LN3), row(5, 0), 0, 3.0, 1.0, np.log(4), expected_grad, idea)


@pytest.mark.grades("distillation_loss")
def test_soft_term_is_the_divergence_from_the_teacher(submission):
    """alpha = 0, T = 1. The teacher says q = [1/4, 3/4], the student p = [1/2, 1/2]:
    KL(q || p) = 1/4 ln(1/2) + 3/4 ln(3/2) = 0.1308, grad = p - q = [1/4, -1/4]."""
    kl = 0.25 * np.log(0.5) + 0.75 * np.log(1.5)
    idea = "KL(teacher || student) is the sum of q * (log q - log p), with q the teacher's probabilities"
    assert_loss(submission, row(0, 0), row(0, LN3), 0, 1.0, 0.0, kl, np.array([[0.25, -0.25]]), idea)


@pytest.mark.grades("distillation_loss")
def test_soft_term_is_scaled_by_the_temperature_squared(submission):
    """alpha = 0, T = 2. Logits [0, ln 9] are [1/4, 3/4] at temperature 2, so KL is 0.1308 again, and the
    loss 4 * 0.1308. Its gradient is T**2 * (p - q) / T = 2 * [1/4, -1/4]."""
    kl = 0.25 * np.log(0.5) + 0.75 * np.log(1.5)
    idea = (
        "the soft term is T**2 times the KL of softmaxes at temperature T; in its gradient the chain rule "
        "divides by T once"
    )
    assert_loss(submission, row(0, 0), row(0, LN9), 1, 2.0, 0.0, 4 * kl, np.array([[0.5, -0.5]]), idea)


@pytest.mark.grades("distillation_loss")
def test_alpha_weights_the_hard_term(submission):
    """alpha = 0.9, T = 1. The student says [1/2, 1/2], the teacher [1/4, 3/4], the label is class 0:
    loss = 0.9 ln 2 + 0.1 * 0.1308, grad = 0.9 * [-1/2, 1/2] + 0.1 * [1/4, -1/4] = [-0.425, 0.425]."""
    kl = 0.25 * np.log(0.5) + 0.75 * np.log(1.5)
    expected = 0.9 * np.log(2) + 0.1 * kl
    idea = "alpha weights the labels' term, 1 - alpha the teacher's"
    assert_loss(submission, row(0, 0), row(0, LN3), 0, 1.0, 0.9, expected, np.array([[-0.425, 0.425]]), idea)


@pytest.mark.grades("distillation_loss")
def test_loss_is_a_mean_over_the_batch(submission):
    """The same image twice: the same loss, ln 4, and half the gradient for each, [-0.375, 0.375]."""
    student, teacher = (np.concatenate([logits] * 2) for logits in (row(0, LN3), row(5, 0)))
    returned = submission.distillation_loss(student, teacher, np.array([0, 0]), 3.0, 1.0)
    loss, grad = expect.a_tuple(returned, "what distillation_loss returns, (loss, grad),", 2)
    loss, grad = expect.a_number(loss, "loss"), expect.an_array(grad, "grad", (2, 2), "f")
    assert abs(loss - np.log(4)) < ROUNDING, (
        f"an image given twice has the loss it has once, {np.log(4):.4f}, got {loss:.4f}: take the mean over "
        "the batch, not the sum"
    )
    assert np.abs(grad - [[-0.375, 0.375]] * 2).max() < ROUNDING, (
        f"each of two images has half a share in a mean: grad is [-0.375, 0.375] twice, got {shown(grad)}"
    )


@pytest.mark.grades("distillation_loss")
def test_loss_survives_a_teacher_without_doubt(submission):
    """The teacher's logits are [10000, -10000]: q = [1, 0], and 0 log 0 is 0. The student says
    [1/4, 3/4]: KL = 1 * (log 1 - log 1/4) = ln 4, grad = [1/4 - 1, 3/4 - 0]."""
    idea = "a class of probability 0 adds nothing; work with log-softmax, never with log(softmax)"
    expected_grad = np.array([[-0.75, 0.75]])
    assert_loss(submission, row(0, LN3), row(1e4, -1e4), 0, 1.0, 0.0, np.log(4), expected_grad, idea)


@pytest.mark.grades("distill")
def test_student_learns_from_its_teacher(submission):
    """alpha = 0: whatever the labels say, every answer moves towards the teacher's answer to that image."""
    student, teacher, dataset = four_images()
    settings = {"epochs": 20, "alpha": 0.0, "temperature": 2.0, "learning_rate": 0.1, "batch_size": 4}
    trained = submission.distill(student, teacher, dataset, **settings)
    trained = expect.a_model(trained, "what distill returns", like=student)
    assert (distances(trained, teacher) < distances(student, teacher)).all(), (
        "at alpha 0 the student must come closer to the teacher on every image: give the loss the teacher's "
        "logits for the same images as in the batch"
    )


@pytest.mark.grades("distill")
def test_student_learns_from_the_labels(submission):
    """alpha = 1: whatever the teacher says, the cross-entropy with the labels falls."""
    student, teacher, dataset = four_images()
    settings = {"epochs": 20, "alpha": 1.0, "learning_rate": 0.1, "batch_size": 4}
    trained = submission.distill(student, teacher, dataset, **settings)
    trained = expect.a_model(trained, "what distill returns", like=student)
    losses = [
        cross_entropy(model.copy().forward(dataset.images), dataset.labels)[0] for model in (student, trained)
    ]
    assert losses[1] < losses[0], (
        f"at alpha 1 the student learns from the labels: cross-entropy was {losses[0]:.3f} and must fall, "
        f"got {losses[1]:.3f}"
    )


@pytest.mark.grades("distill")
def test_last_smaller_batch_is_not_left_out(submission):
    """Four images in batches of three: the second batch has one image, and it is learned from as well."""
    student, teacher, dataset = four_images()
    trained = submission.distill(student, teacher, dataset, epochs=1, learning_rate=0.1, batch_size=3)
    trained = expect.a_model(trained, "what distill returns", like=student)
    still = [i for i in range(4) if not trained.layers[0].weight[i].any()]
    assert not still, (
        f"one epoch shows every image once, but the answers to images {still} did not change: train on the "
        "last, smaller batch too"
    )


@pytest.mark.grades("distill")
def test_distill_trains_a_copy(submission):
    student, teacher, dataset = four_images()
    call = submission.inspect("distill", student, teacher, dataset, epochs=1, learning_rate=0.1)
    trained = expect.a_model(expect.unaliased(call, "distill"), "what distill returns", like=student)
    assert trained.layers[0].weight.any(), (
        "distill must return the trained copy, but the weights of this one have not changed"
    )

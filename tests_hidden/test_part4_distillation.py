"""Part 4, hidden: `softmax` and `distillation_loss` decided by exact values and by what must not matter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests_hidden.distillation_reference import (
    STEP,
    gradient_tolerance,
    log_softmax,
    loss_and_gradient,
    loss_tolerance,
    softmax_tolerance,
)
from tests_public import expect

CLASSES = 10
SETTINGS = [(2.0, 0.3), (4.0, 0.8), (1.0, 0.0), (1.0, 1.0), (8.0, 0.0), (0.5, 0.5)]


def random_logits(rng, rows=6, classes=CLASSES, spread=3.0):
    """(rows, classes) float32, about as far apart as those of a trained network."""
    return (spread * rng.standard_normal((rows, classes))).astype(np.float32)


def random_labels(rng, rows=6):
    return rng.integers(0, CLASSES, rows)


def probabilities(submission, logits, *temperature):
    """`softmax` called and checked."""
    value = submission.call("softmax", logits, *temperature)
    return expect.an_array(value, "softmax", logits.shape, "f", shape_of="the logits").astype(np.float64)


def loss_and_grad(submission, student, *arguments, **settings):
    """`distillation_loss` called and checked."""
    return checked(submission.call("distillation_loss", student, *arguments, **settings), student)


def checked(value, student):
    """A finite float, and a gradient of the shape of the student's logits."""
    loss, grad = expect.a_tuple(value, "what distillation_loss returns, (loss, grad),", 2)
    loss = expect.a_number(loss, "loss")
    grad = expect.an_array(grad, "grad", student.shape, "f", shape_of="student_logits")
    return loss, grad.astype(np.float64)


def close(actual, expected, tolerance):
    return bool(np.all(np.abs(actual - expected) <= tolerance))


# softmax


@pytest.mark.grades("softmax")
def test_softmax_values_at_several_temperatures(submission, rng):
    for temperature in (0.5, 1.0, 3.0, 20.0):
        logits = random_logits(rng, rows=7)
        p = probabilities(submission, logits, temperature)
        assert close(p, np.exp(log_softmax(logits, temperature)), softmax_tolerance(logits, temperature)), (
            "probabilities are exp(logits / temperature), divided by their sum over the classes of the row"
        )


@pytest.mark.grades("softmax")
def test_softmax_without_a_temperature_uses_one(submission, rng):
    logits = random_logits(rng)
    p = probabilities(submission, logits)
    assert close(p, np.exp(log_softmax(logits)), softmax_tolerance(logits, 1)), (
        "without a temperature, softmax is the ordinary one, at temperature 1"
    )


@pytest.mark.grades("softmax")
def test_softmax_rows_are_distributions_in_any_batch(submission, rng):
    for rows, classes in ((1, 10), (40, 3), (3, 40), (5, 5), (4, 1)):
        p = probabilities(submission, random_logits(rng, rows, classes))
        assert (p >= 0).all(), "a probability is never negative"
        # A sum of `classes` float32 numbers that add up to 1, each rounded once or twice.
        assert close(p.sum(axis=1), 1, 4 * classes * STEP), "the probabilities of each row must sum to 1"


@pytest.mark.grades("softmax")
def test_softmax_of_an_image_does_not_depend_on_the_others(submission, rng):
    logits = random_logits(rng, rows=5)
    together = probabilities(submission, logits)
    for row in range(len(logits)):
        alone = probabilities(submission, logits[row : row + 1])
        assert close(alone[0], together[row], 2 * softmax_tolerance(logits, 1)), (
            "each row is its own softmax: an image alone and in a batch must get the same probabilities"
        )


@pytest.mark.grades("softmax")
def test_softmax_of_huge_logits_is_finite_and_right(submission, rng):
    logits = rng.choice(np.float32([-1e4, 1e4]), (8, CLASSES))
    logits[0], logits[1] = 1e4, -1e4
    logits[2:4] = random_logits(rng, 2)
    for temperature in (1.0, 3.0, 50.0):
        p = probabilities(submission, logits, temperature)
        # Each row to its own precision: in float32 a row of 1e4 knows the logarithm of its sum to 0.001.
        tolerance = np.array([[softmax_tolerance(row, temperature)] for row in logits])
        assert close(p, np.exp(log_softmax(logits, temperature)), tolerance), (
            "rows of 1e4 and -1e4, and ordinary rows beside them, must get probabilities that are finite "
            "and right (subtract each row's own largest logit first)"
        )


@pytest.mark.grades("softmax")
def test_softmax_ignores_a_shift_of_a_row(submission, rng):
    # Multiples of 1/64 and whole shifts: the shifted logits are exact in float32.
    logits = np.round(random_logits(rng) * 64) / np.float32(64)
    p = probabilities(submission, logits, 2.0)
    for farthest in (90, 9000):
        shifts = rng.integers(-farthest, farthest + 1, (len(logits), 1)).astype(np.float32)
        shifted = probabilities(submission, logits + shifts, 2.0)
        assert close(p, shifted, 2 * softmax_tolerance(logits + shifts, 2.0)), (
            "adding a number to all logits of a row must not change its probabilities, however large it is"
        )


@pytest.mark.grades("softmax")
def test_softmax_is_flatter_at_a_higher_temperature(submission, rng):
    logits = random_logits(rng)
    top = [probabilities(submission, logits, t).max(axis=1) for t in (0.5, 1.0, 2.0, 8.0)]
    slack = softmax_tolerance(logits, 0.5)
    assert all((cooler >= hotter - slack).all() for cooler, hotter in pairwise(top)), (
        "a higher temperature must make the probabilities more equal: divide the logits by it"
    )
    assert (top[0] > top[-1] + 0.01).all(), "temperature must change the probabilities"


@pytest.mark.grades("softmax")
def test_softmax_leaves_the_logits_alone(submission, rng):
    logits = random_logits(rng)
    p = expect.unaliased(submission.inspect("softmax", logits, 1.0), "softmax")
    p = expect.an_array(p, "softmax", logits.shape, "f", shape_of="the logits")
    assert close(p, np.exp(log_softmax(logits)), softmax_tolerance(logits, 1)), (
        "softmax must return the probabilities"
    )


# distillation_loss


@pytest.mark.grades("distillation_loss")
def test_loss_values_at_several_temperatures_and_alphas(submission, rng):
    for temperature, alpha in SETTINGS:
        s, t, labels = random_logits(rng), random_logits(rng), random_labels(rng)
        loss, _ = loss_and_grad(submission, s, t, labels, temperature=temperature, alpha=alpha)
        expected, _ = loss_and_gradient(s, t, labels, temperature, alpha)
        assert close(loss, expected, loss_tolerance(s, t, temperature, alpha)), (
            "the loss is alpha * CE + (1 - alpha) * T**2 * KL(teacher_T || student_T), a mean over the batch"
        )


@pytest.mark.grades("distillation_loss")
def test_gradient_values_at_several_temperatures_and_alphas(submission, rng):
    for temperature, alpha in SETTINGS:
        s, t, labels = random_logits(rng), random_logits(rng), random_labels(rng)
        _, grad = loss_and_grad(submission, s, t, labels, temperature=temperature, alpha=alpha)
        _, expected = loss_and_gradient(s, t, labels, temperature, alpha)
        assert close(grad, expected, gradient_tolerance(s, t, temperature, alpha)), (
            "grad must be the derivative of the mean loss with respect to student_logits: check T, alpha "
            "and the batch size"
        )


@pytest.mark.grades("distillation_loss")
def test_gradient_is_the_slope_of_the_loss(submission, rng):
    """Central differences over five points: error h**4 / 30 of the fifth derivative, below 1e-4 here, and
    rounding of the loss, a few 1e-6, over h."""
    h = np.float32(1 / 16)
    for temperature, alpha in ((1.0, 0.5), (3.0, 0.2), (4.0, 1.0), (2.0, 0.0)):
        # Multiples of 1/64, so that a step of h is exact in float32.
        s, t = (np.round(random_logits(rng, 3, spread=1.5) * 64) / np.float32(64) for _ in range(2))
        labels, settings = random_labels(rng, 3), {"temperature": temperature, "alpha": alpha}
        _, grad = loss_and_grad(submission, s, t, labels, **settings)
        direction = rng.choice(np.float32([-1, 1]), s.shape)
        at = {
            k: loss_and_grad(submission, s + k * h * direction, t, labels, **settings)[0]
            for k in (-2, -1, 1, 2)
        }
        slope = (at[-2] - 8 * at[-1] + 8 * at[1] - at[2]) / (12 * float(h))
        assert close(slope, float((grad * direction).sum()), 2e-3), (
            "grad must be the exact derivative of the loss that the same call returns (central differences "
            "along a random direction disagree)"
        )


@pytest.mark.grades("distillation_loss")
def test_alpha_weights_the_labels_and_the_rest_the_teacher(submission, rng):
    s, labels = random_logits(rng), random_labels(rng)
    first, second = random_logits(rng), random_logits(rng)
    hard = [loss_and_grad(submission, s, t, labels, temperature=2.0, alpha=1.0) for t in (first, second)]
    assert close(hard[0][0], hard[1][0], loss_tolerance(s, first, 2.0, 1.0)), (
        "at alpha 1 the loss is the cross-entropy with the labels, whatever the teacher says"
    )
    others = (labels + 1 + rng.integers(0, CLASSES - 1, len(labels))) % CLASSES
    soft = [loss_and_grad(submission, s, first, y, temperature=2.0, alpha=0.0) for y in (labels, others)]
    assert close(soft[0][1], soft[1][1], gradient_tolerance(s, first, 2.0, 0.0)), (
        "at alpha 0 only the teacher counts: other labels must not change the gradient"
    )
    rows = np.arange(len(labels))
    assert close(hard[0][0], -log_softmax(s)[rows, labels].mean(), loss_tolerance(s, first, 2.0, 1.0)), (
        "at alpha 1 the loss is the ordinary cross-entropy, at temperature 1"
    )


@pytest.mark.grades("distillation_loss")
def test_duplicating_the_batch_changes_nothing_but_each_rows_share(submission, rng):
    s, t, labels = random_logits(rng), random_logits(rng), random_labels(rng)
    settings = {"temperature": 3.0, "alpha": 0.4}
    loss, grad = loss_and_grad(submission, s, t, labels, **settings)
    twice, grad_twice = loss_and_grad(
        submission, *(np.concatenate([a, a]) for a in (s, t, labels)), **settings
    )
    assert close(loss, twice, 2 * loss_tolerance(s, t, 3.0, 0.4)), (
        "the loss is a mean over the batch: the same batch given twice has the same loss"
    )
    assert close(grad_twice, np.concatenate([grad, grad]) / 2, gradient_tolerance(s, t, 3.0, 0.4)), (
        "in a batch twice as long each image has half the share of the gradient"
    )
    assert np.abs(grad).max() > 10 * gradient_tolerance(s, t, 3.0, 0.4), "the gradient must not be zero"


@pytest.mark.grades("distillation_loss")
def test_divergence_is_from_the_teacher_to_the_student(submission, rng):
    # A teacher sure of one class and an undecided student: the two directions differ severalfold.
    s = random_logits(rng, spread=0.1)
    t = random_logits(rng, spread=0.1)
    t[np.arange(6), random_labels(rng)] += np.float32(6)
    loss, _ = loss_and_grad(submission, s, t, random_labels(rng), temperature=1.0, alpha=0.0)
    log_p, log_q = log_softmax(s), log_softmax(t)
    kl = (np.exp(log_q) * (log_q - log_p)).sum(axis=1).mean()
    assert close(loss, kl, loss_tolerance(s, t, 1.0, 0.0)), (
        "the soft term is KL(teacher || student): the teacher's probabilities weight the logarithms"
    )


@pytest.mark.grades("distillation_loss")
def test_a_student_that_agrees_with_its_teacher_has_no_soft_loss(submission, rng):
    for temperature in (1.0, 5.0):
        t = np.round(random_logits(rng) * 64) / np.float32(64)
        s = t + rng.integers(-3, 4, (len(t), 1)).astype(np.float32)
        loss, grad = loss_and_grad(submission, s, t, random_labels(rng), temperature=temperature, alpha=0.0)
        assert close(loss, 0, loss_tolerance(s, t, temperature, 0.0)), (
            "KL is 0 where student and teacher give the same probabilities (cross-entropy would not be)"
        )
        assert close(grad, 0, gradient_tolerance(s, t, temperature, 0.0)), (
            "a student that agrees with its teacher has nothing to learn from it: its gradient is 0"
        )


@pytest.mark.grades("distillation_loss")
def test_temperature_squared_keeps_the_soft_gradient_from_fading(submission, rng):
    """For a large T the soft gradient tends to ((z - mean z) - (v - mean v)) / classes, up to O(1 / T)."""
    s, t = random_logits(rng, spread=0.5), random_logits(rng, spread=0.5)
    _, grad = loss_and_grad(submission, s, t, random_labels(rng), temperature=50.0, alpha=0.0)
    difference = s.astype(np.float64) - t
    limit = (difference - difference.mean(axis=1, keepdims=True)) / CLASSES / len(s)
    size = np.abs(limit).sum()
    assert 0.8 * size < np.abs(grad).sum() < 1.2 * size, (
        "T**2 makes up for the 1 / T**2 by which the soft gradient shrinks: at a high temperature it must "
        "keep its size"
    )


@pytest.mark.grades("distillation_loss")
def test_rows_of_the_gradient_sum_to_zero(submission, rng):
    for temperature, alpha in SETTINGS:
        s, t, labels = random_logits(rng), random_logits(rng), random_labels(rng)
        _, grad = loss_and_grad(submission, s, t, labels, temperature=temperature, alpha=alpha)
        assert close(grad.sum(axis=1), 0, CLASSES * gradient_tolerance(s, t, temperature, alpha)), (
            "adding a number to all logits of a row does not change the loss, so each row of grad sums to 0"
        )
        assert np.abs(grad).max(axis=1).min() > 0, "every image of the batch must contribute to the gradient"


@pytest.mark.grades("distillation_loss")
def test_a_sure_teacher_adds_nothing_for_the_classes_it_rules_out(submission, rng):
    # Logits of +-1e4: the teacher's other probabilities are exactly 0, and 0 log 0 is 0.
    s, labels, sure = random_logits(rng), random_labels(rng), random_labels(rng)
    t = np.full(s.shape, -1e4, np.float32)
    t[np.arange(6), sure] = 1e4
    loss, grad = loss_and_grad(submission, s, t, labels, temperature=1.0, alpha=0.0)
    log_p = log_softmax(s)
    assert close(loss, -log_p[np.arange(6), sure].mean(), loss_tolerance(s, s, 1.0, 0.0)), (
        "where the teacher is sure of one class, the soft term is -log of the student's probability for "
        "that class"
    )
    assert close(grad, (np.exp(log_p) - np.eye(CLASSES)[sure]) / 6, gradient_tolerance(s, s, 1.0, 0.0)), (
        "where the teacher is sure of one class, the soft gradient is that of the cross-entropy with that "
        "class"
    )


@pytest.mark.grades("distillation_loss")
def test_improbable_classes_keep_their_exact_logarithm(submission, rng):
    # The label is 30 to 60 below the largest logit: a probability under 1e-13, and no constant hides it.
    s, labels = random_logits(rng, spread=0.5), random_labels(rng)
    s[np.arange(6), labels] -= rng.uniform(30, 60, 6).astype(np.float32)
    t = random_logits(rng, spread=0.5)
    for alpha in (1.0, 0.0):
        loss, _ = loss_and_grad(submission, s, t, labels, temperature=1.0, alpha=alpha)
        expected, _ = loss_and_gradient(s, t, labels, 1.0, alpha)
        assert close(loss, expected, loss_tolerance(s, t, 1.0, alpha)), (
            "a very small probability has a large logarithm: compute log-softmax directly, and do not add a "
            "constant to the probability or clip it"
        )


@pytest.mark.grades("distillation_loss")
def test_huge_logits_give_a_finite_and_right_loss_and_gradient(submission, rng):
    for temperature, alpha in ((1.0, 0.5), (3.0, 0.0), (2.0, 1.0)):
        s, t = (rng.choice(np.float32([-1e4, 1e4]), (8, CLASSES)) for _ in range(2))
        s[0], s[1] = 1e4, -1e4
        t[0], t[2] = -1e4, 1e4
        labels = random_labels(rng, 8)
        loss, grad = loss_and_grad(submission, s, t, labels, temperature=temperature, alpha=alpha)
        expected, expected_grad = loss_and_gradient(s, t, labels, temperature, alpha)
        assert close(loss, expected, loss_tolerance(s, t, temperature, alpha)), (
            "logits of 1e4 and -1e4 must give the loss of the formula, however large it is"
        )
        assert close(grad, expected_grad, gradient_tolerance(s, t, temperature, alpha)), (
            "logits of 1e4 and -1e4 must give the exact gradient"
        )


@pytest.mark.grades("distillation_loss")
def test_loss_of_any_number_of_images_and_classes(submission, rng):
    for rows, classes in ((1, CLASSES), (1, 2), (7, 4), (4, 25)):
        s, t = random_logits(rng, rows, classes), random_logits(rng, rows, classes)
        labels = rng.integers(0, classes, rows)
        loss, grad = loss_and_grad(submission, s, t, labels, temperature=2.0, alpha=0.6)
        expected, expected_grad = loss_and_gradient(s, t, labels, 2.0, 0.6)
        assert close(loss, expected, loss_tolerance(s, t, 2.0, 0.6)), (
            "logits are (N, classes): the loss must also be right for one image, and for another number of "
            "classes"
        )
        assert close(grad, expected_grad, gradient_tolerance(s, t, 2.0, 0.6)), (
            "logits are (N, classes): the gradient must also be right for one image, and for another number "
            "of classes"
        )


@pytest.mark.grades("distillation_loss")
def test_loss_defaults_are_temperature_3_and_alpha_a_half(submission, rng):
    s, t, labels = random_logits(rng), random_logits(rng), random_labels(rng)
    loss, _ = loss_and_grad(submission, s, t, labels)
    expected, _ = loss_and_gradient(s, t, labels, 3.0, 0.5)
    assert close(loss, expected, loss_tolerance(s, t, 3.0, 0.5)), (
        "without temperature and alpha, distillation_loss must use the defaults of its signature"
    )


@pytest.mark.grades("distillation_loss")
def test_loss_leaves_its_arguments_alone(submission, rng):
    s, t, labels = random_logits(rng), random_logits(rng), random_labels(rng)
    value = expect.unaliased(submission.inspect("distillation_loss", s, t, labels), "distillation_loss")
    loss, grad = checked(value, s)
    expected, expected_grad = loss_and_gradient(s, t, labels, 3.0, 0.5)
    assert close(loss, expected, loss_tolerance(s, t, 3.0, 0.5)), "distillation_loss must return the loss"
    assert close(grad, expected_grad, gradient_tolerance(s, t, 3.0, 0.5)), (
        "distillation_loss must return the gradient of the loss as its second value"
    )

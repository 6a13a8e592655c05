"""Wrong versions of `distillation_loss`.

`assembled` is the right one with its parts open to change, so that each mutant shows its own mistake.
"""

from __future__ import annotations

import numpy as np

from tests_hidden.mutants import right, wrong


def log_softmax(logits, temperature=1.0):
    z = logits.astype(np.float64) / temperature
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def divergence(log_q, log_p):
    return (np.exp(log_q) * (log_q - log_p)).sum(axis=1)


def assembled(
    student,
    teacher,
    labels,
    temperature,
    alpha,
    *,
    scale=None,
    grad_scale=None,
    teacher_temperature=None,
    student_temperature=None,
    hard_temperature=1.0,
    soft=divergence,
):
    """The right loss and gradient where every setting is left alone.

    scale: the factor on the soft term, T**2. grad_scale: that on its gradient, T.
    """
    t, rows, n = temperature, np.arange(len(labels)), len(labels)
    hard = log_softmax(student, hard_temperature)
    log_p, log_q = (
        log_softmax(student, student_temperature or t),
        log_softmax(teacher, teacher_temperature or t),
    )
    scale, grad_scale = t**2 if scale is None else scale, t if grad_scale is None else grad_scale
    loss = np.mean(-alpha * hard[rows, labels] + (1 - alpha) * scale * soft(log_q, log_p))
    one_hot = np.zeros_like(hard)
    one_hot[rows, labels] = 1
    grad = alpha * (np.exp(hard) - one_hot) + (1 - alpha) * grad_scale * (np.exp(log_p) - np.exp(log_q))
    return float(loss), (grad / n).astype(np.float32)


# the loss


@wrong("returns 1.0, whatever it is given", killed_by="test_loss_values_at_several_temperatures_and_alphas")
def always_one(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    return 1.0, np.zeros_like(student_logits)


@wrong("leaves out the factor T**2", killed_by="test_temperature_squared_keeps_the_soft_gradient_from_fading")
def leaves_out_t_squared(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return assembled(*arguments, scale=1.0, grad_scale=1 / temperature)


@wrong(
    "scales by T instead of T**2", killed_by="test_temperature_squared_keeps_the_soft_gradient_from_fading"
)
def scales_by_t(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return assembled(*arguments, scale=temperature, grad_scale=1.0)


@wrong(
    "scales the hard term by T**2 as well", killed_by="test_loss_values_at_several_temperatures_and_alphas"
)
def scales_both_terms(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = leaves_out_t_squared(student_logits, teacher_logits, labels, temperature, alpha)
    return loss * temperature**2, grad * np.float32(temperature**2)


@wrong(
    "alpha weights the teacher, not the labels",
    killed_by="test_alpha_weights_the_labels_and_the_rest_the_teacher",
)
def swaps_alpha(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    return right.distillation_loss(student_logits, teacher_logits, labels, temperature, 1 - alpha)


@wrong(
    "ignores alpha and adds both halves", killed_by="test_alpha_weights_the_labels_and_the_rest_the_teacher"
)
def ignores_alpha(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    return right.distillation_loss(student_logits, teacher_logits, labels, temperature, 0.5)


@wrong(
    "weights the soft term by 1, not by 1 - alpha",
    killed_by="test_loss_values_at_several_temperatures_and_alphas",
)
def forgets_one_minus_alpha(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature
    hard, soft = right.distillation_loss(*arguments, 1.0), right.distillation_loss(*arguments, 0.0)
    return alpha * hard[0] + soft[0], np.float32(alpha) * hard[1] + soft[1]


@wrong(
    "uses cross-entropy alone: the teacher is ignored",
    killed_by="test_a_student_that_agrees_with_its_teacher_has_no_soft_loss",
)
def hard_term_alone(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    return right.distillation_loss(student_logits, teacher_logits, labels, temperature, 1.0)


@wrong(
    "sums over the batch instead of averaging",
    killed_by="test_duplicating_the_batch_changes_nothing_but_each_rows_share",
)
def sums_over_the_batch(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    return loss * len(labels), grad * np.float32(len(labels))


@wrong(
    "averages over classes too, as np.mean does without an axis",
    killed_by="test_loss_values_at_several_temperatures_and_alphas",
)
def averages_over_the_classes(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    return loss / student_logits.shape[1], grad / np.float32(student_logits.shape[1])


@wrong(
    "KL the other way round, from student to teacher",
    killed_by="test_divergence_is_from_the_teacher_to_the_student",
)
def reverses_the_divergence(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return assembled(*arguments, soft=lambda log_q, log_p: divergence(log_p, log_q))


@wrong(
    "symmetric divergence (Jeffreys), half each way",
    killed_by="test_divergence_is_from_the_teacher_to_the_student",
)
def symmetric_divergence(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return assembled(*arguments, soft=lambda q, p: (divergence(p, q) + divergence(q, p)) / 2)


@wrong(
    "cross-entropy with the teacher instead of KL",
    killed_by="test_a_student_that_agrees_with_its_teacher_has_no_soft_loss",
)
def cross_entropy_with_the_teacher(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return assembled(*arguments, soft=lambda log_q, log_p: -(np.exp(log_q) * log_p).sum(axis=1))


@wrong(
    "squared distance of the probabilities instead of KL",
    killed_by="test_divergence_is_from_the_teacher_to_the_student",
)
def squared_distance(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return assembled(*arguments, soft=lambda q, p: ((np.exp(q) - np.exp(p)) ** 2).sum(axis=1))


@wrong(
    "softens the student alone: the teacher's softmax is at temperature 1",
    killed_by="test_loss_values_at_several_temperatures_and_alphas",
)
def sharp_teacher(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return assembled(*arguments, teacher_temperature=1.0)


@wrong(
    "softens the teacher alone: the student's softmax is at temperature 1",
    killed_by="test_loss_values_at_several_temperatures_and_alphas",
)
def sharp_student(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return assembled(*arguments, student_temperature=1.0, grad_scale=temperature**2)


@wrong(
    "never softens: every softmax at temperature 1",
    killed_by="test_loss_values_at_several_temperatures_and_alphas",
)
def no_temperature(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    return right.distillation_loss(student_logits, teacher_logits, labels, 1.0, alpha)


@wrong(
    "computes the hard term at the temperature as well",
    killed_by="test_alpha_weights_the_labels_and_the_rest_the_teacher",
)
def softens_the_hard_term(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return assembled(*arguments, hard_temperature=temperature)


@wrong(
    "uses the teacher's answers as labels: no soft targets",
    killed_by="test_loss_values_at_several_temperatures_and_alphas",
)
def teacher_as_labels(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    certain = np.where(teacher_logits == teacher_logits.max(axis=1, keepdims=True), 1e4, -1e4)
    return right.distillation_loss(student_logits, certain.astype(np.float32), labels, temperature, alpha)


# the numbers


def through_probabilities(arguments, log):
    """The textbook formula: logarithms are taken of probabilities, by the given `log`."""
    student, teacher, labels, t, alpha = arguments
    _, grad = right.distillation_loss(*arguments)
    p, q, h = (np.exp(log_softmax(*pair)) for pair in ((student, t), (teacher, t), (student, 1.0)))
    hard = -log(h[np.arange(len(labels)), labels])
    return float(np.mean(alpha * hard + (1 - alpha) * t**2 * (q * (log(q) - log(p))).sum(axis=1))), grad


@wrong(
    "log(p) of probabilities that are exactly 0",
    killed_by="test_huge_logits_give_a_finite_and_right_loss_and_gradient",
)
def logarithm_of_zero(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    with np.errstate(all="ignore"):
        return through_probabilities((student_logits, teacher_logits, labels, temperature, alpha), np.log)


@wrong("0 log 0 is NaN", killed_by="test_a_sure_teacher_adds_nothing_for_the_classes_it_rules_out")
def zero_times_infinity(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    _, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    with np.errstate(all="ignore"):
        q = np.exp(log_softmax(teacher_logits, temperature))
        soft = (q * (np.log(q) - log_softmax(student_logits, temperature))).sum(axis=1)
    hard = -log_softmax(student_logits)[np.arange(len(labels)), labels]
    return float(np.mean(alpha * hard + (1 - alpha) * temperature**2 * soft)), grad


@wrong(
    "computes log(p + 1e-10) to avoid log(0)", killed_by="test_improbable_classes_keep_their_exact_logarithm"
)
def pads_the_logarithm(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return through_probabilities(arguments, lambda p: np.log(p + 1e-10))


@wrong("clips probabilities at 1e-7", killed_by="test_improbable_classes_keep_their_exact_logarithm")
def clips_the_probabilities(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return through_probabilities(arguments, lambda p: np.log(np.clip(p, 1e-7, 1)))


@wrong(
    "replaces probabilities of 0 by 1e-300",
    killed_by="test_huge_logits_give_a_finite_and_right_loss_and_gradient",
)
def floors_at_the_smallest_number(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return through_probabilities(arguments, lambda p: np.log(np.maximum(p, 1e-300)))


@wrong("overflows on large logits", killed_by="test_huge_logits_give_a_finite_and_right_loss_and_gradient")
def overflows(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    with np.errstate(all="ignore"):
        shift = np.log(np.exp(student_logits.astype(np.float64)).sum(axis=1))
    return loss + 0 * float(shift.sum()), grad


@wrong(
    "replaces NaN and infinity by 0", killed_by="test_huge_logits_give_a_finite_and_right_loss_and_gradient"
)
def hides_what_is_not_finite(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = logarithm_of_zero(student_logits, teacher_logits, labels, temperature, alpha)
    return float(np.nan_to_num(loss, posinf=0.0, neginf=0.0)), grad


# the gradient


@wrong(
    "soft gradient without the factor T: T**2 times the chain rule's 1 / T",
    killed_by="test_gradient_values_at_several_temperatures_and_alphas",
)
def gradient_without_t(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return assembled(*arguments, grad_scale=1.0)


@wrong(
    "soft gradient with T**2: the chain rule's 1 / T is forgotten",
    killed_by="test_gradient_is_the_slope_of_the_loss",
)
def gradient_with_t_squared(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    arguments = student_logits, teacher_logits, labels, temperature, alpha
    return assembled(*arguments, grad_scale=temperature**2)


@wrong(
    "the loss is a mean, but the gradient is that of the sum",
    killed_by="test_gradient_is_the_slope_of_the_loss",
)
def gradient_of_the_sum(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    return loss, grad * np.float32(len(labels))


@wrong("gradient with its sign turned", killed_by="test_gradient_is_the_slope_of_the_loss")
def gradient_uphill(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    return loss, -grad


@wrong("gradient of the hard term alone", killed_by="test_gradient_is_the_slope_of_the_loss")
def gradient_of_the_hard_term(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, _ = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    _, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, 1.0)
    return loss, np.float32(alpha) * grad


@wrong(
    "gradient with respect to the teacher's logits",
    killed_by="test_gradient_values_at_several_temperatures_and_alphas",
)
def gradient_by_the_teacher(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, _ = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    _, grad = right.distillation_loss(teacher_logits, student_logits, labels, temperature, alpha)
    return loss, grad


@wrong("the one-hot label is not subtracted", killed_by="test_rows_of_the_gradient_sum_to_zero")
def forgets_the_one_hot(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    grad = grad.copy()
    grad[np.arange(len(labels)), labels] += np.float32(alpha / len(labels))
    return loss, grad


@wrong("gradient of the first image of the batch alone", killed_by="test_rows_of_the_gradient_sum_to_zero")
def gradient_of_one_image(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    return loss, np.where(np.arange(len(labels))[:, None] == 0, grad, np.float32(0))


# the rest of the contract


@wrong(
    "temperature 4 unless told otherwise", killed_by="test_loss_defaults_are_temperature_3_and_alpha_a_half"
)
def another_default_temperature(student_logits, teacher_logits, labels, temperature=4.0, alpha=0.5):
    return right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)


@wrong("alpha 0.1 unless told otherwise", killed_by="test_loss_defaults_are_temperature_3_and_alpha_a_half")
def another_default_alpha(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.1):
    return right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)


@wrong("ten classes, always", killed_by="test_loss_of_any_number_of_images_and_classes")
def ten_classes(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    return loss, grad + 0 * np.eye(10)[labels]


@wrong(
    "loses the batch axis of a single image (np.squeeze)",
    killed_by="test_loss_of_any_number_of_images_and_classes",
)
def squeezes_one_image(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    return loss, grad.squeeze()


@wrong(
    "divides by n - 1 as a sample variance does",
    killed_by="test_duplicating_the_batch_changes_nothing_but_each_rows_share",
)
def divides_by_one_less(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    n = len(labels)
    return loss * n / max(n - 1, 1), grad * np.float32(n / max(n - 1, 1))


@wrong("returns the gradient alone", killed_by="test_loss_leaves_its_arguments_alone")
def returns_the_gradient(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    return right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)[1]


@wrong("returns the loss of each image", killed_by="test_loss_values_at_several_temperatures_and_alphas")
def returns_a_loss_for_each_image(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    loss, grad = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    return np.full(len(labels), loss, np.float32), grad


@wrong("softens the student's logits in place", killed_by="test_loss_leaves_its_arguments_alone")
def works_in_place(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.5):
    value = right.distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    student_logits /= np.float32(temperature)
    return value

"""Part 4, hidden: `distill` decided by its first step, by what must not matter, and by what it learns.

The first step of SGD, of momentum and of Adam has the same signs: those of minus the gradient. With
images that are the rows of the identity each image has weights of its own, so that these signs tell
image by image and class by class which loss is being followed.
"""

from __future__ import annotations

import numpy as np
import pytest

from assignment.nn import Conv2D, Dataset, Dense, Flatten, ReLU, Reshape, Sequential
from tests_hidden.distillation_reference import mean_loss, weight_gradients
from tests_public import expect

CLASSES = 10


def dense(rng, inputs, units, spread):
    """A layer with random weights and biases: after two such layers no logits are alike."""
    weight = (spread * rng.standard_normal((inputs, units))).astype(np.float32)
    return Dense.from_arrays(weight, (spread * rng.standard_normal(units)).astype(np.float32))


def one_image_a_row(rng, images=12):
    """Images of one bright pixel each, with a student and a teacher that disagree about them."""
    dataset = Dataset(np.eye(images, dtype=np.float32), rng.integers(0, CLASSES, images))
    return (
        Sequential([dense(rng, images, CLASSES, 1.0)]),
        Sequential([dense(rng, images, CLASSES, 2.5)]),
        dataset,
    )


def small_network(rng, pixels=16):
    return Sequential([dense(rng, pixels, 12, 0.4), ReLU(), dense(rng, 12, CLASSES, 0.4)])


def random_images(rng, count=20, pixels=16):
    return Dataset(rng.random((count, pixels), np.float32), rng.integers(0, CLASSES, count))


def learnable(rng, images=325, pixels=20):
    """Ten clusters with their labels, and a linear teacher that knows them (least squares)."""
    centres = rng.random((CLASSES, pixels))
    labels = rng.permutation(np.arange(images) % CLASSES)
    noisy = np.clip(centres[labels] + 0.1 * rng.standard_normal((images, pixels)), 0, 1)
    inputs = np.hstack([noisy, np.ones((images, 1))])
    solution = np.linalg.lstsq(inputs, 8 * np.eye(CLASSES)[labels] - 2, rcond=None)[0].astype(np.float32)
    teacher = Sequential([Dense.from_arrays(solution[:-1].copy(), solution[-1].copy())])
    student = Sequential([dense(rng, pixels, 24, 0.2), ReLU(), dense(rng, 24, CLASSES, 0.1)])
    return student, teacher, Dataset(noisy.astype(np.float32), labels.astype(np.int64))


def distilled(submission, student, teacher, dataset, **settings):
    """`distill` called, and its result checked to be a network like the student."""
    value = submission.call("distill", student, teacher, dataset, **settings)
    return expect.a_model(value, "what distill returns", like=student)


def movement(before, after):
    """How far each array moved, in float64."""
    pairs = zip(before.parameters(), after.parameters(), strict=True)
    return [b.astype(np.float64) - a for a, b in pairs]


def distance(one, other):
    return sum(float(np.abs(moved).sum()) for moved in movement(one, other))


def follows(student, trained, gradients):
    """Whether each weight went down its gradient, where that is not lost in rounding: 2 % of the largest."""
    for moved, grad in zip(movement(student, trained), gradients, strict=True):
        clear = np.abs(grad) > 0.02 * np.abs(grad).max()
        if (np.sign(moved) != -np.sign(grad))[clear].any():
            return False
    return True


def one_step(submission, student, teacher, dataset, **settings):
    """The student after a single step on the whole set."""
    steps = {"epochs": 1, "learning_rate": 0.05, "batch_size": len(dataset)}
    return distilled(submission, student, teacher, dataset, **steps, **settings)


def first_step_follows(submission, student, teacher, dataset, temperature, alpha):
    """Whether one step goes down the gradient of the loss at this temperature and alpha."""
    trained = one_step(submission, student, teacher, dataset, temperature=temperature, alpha=alpha)
    return follows(student, trained, weight_gradients(student, teacher, dataset, temperature, alpha))


@pytest.mark.grades("distill")
def test_first_step_follows_the_teacher_at_the_given_temperature(submission, rng):
    for temperature in (1.0, 6.0):
        student, teacher, dataset = one_image_a_row(rng)
        assert first_step_follows(submission, student, teacher, dataset, temperature, 0.0), (
            "at alpha 0 training must bring each image's softened probabilities, at the given temperature, "
            "closer to those of the teacher on the same image"
        )


@pytest.mark.grades("distill")
def test_first_step_follows_the_labels_at_alpha_1(submission, rng):
    student, teacher, dataset = one_image_a_row(rng)
    assert first_step_follows(submission, student, teacher, dataset, 4.0, 1.0), (
        "at alpha 1 training must bring each image's probabilities closer to its own label"
    )


@pytest.mark.grades("distill")
def test_first_step_mixes_labels_and_teacher_as_alpha_says(submission, rng):
    for _ in range(3):
        student, teacher, dataset = one_image_a_row(rng)
        temperature, alpha = float(rng.uniform(1.5, 6)), float(rng.choice([0.25, 0.5, 0.9]))
        assert first_step_follows(submission, student, teacher, dataset, temperature, alpha), (
            "training must follow distillation_loss: alpha weights the labels' term, (1 - alpha) * "
            "temperature**2 the teacher's"
        )


@pytest.mark.grades("distill")
def test_settings_left_out_are_those_of_the_signature(submission, rng):
    student, teacher, dataset = one_image_a_row(rng, images=300)
    steps = {"epochs": 1, "learning_rate": 0.05}
    signature = {"temperature": 3.0, "alpha": 0.5, "batch_size": 128, "seed": 0}
    short = distilled(submission, student, teacher, dataset, **steps)
    full = distilled(submission, student, teacher, dataset, **steps, **signature)
    assert distance(student, short) > 0, "training must change the student's weights"
    assert all(np.array_equal(a, b) for a, b in zip(short.parameters(), full.parameters(), strict=True)), (
        "arguments that are left out must have the defaults of the signature: passing these values must "
        "give the same student"
    )


@pytest.mark.grades("distill")
def test_first_step_reaches_every_layer(submission, rng):
    teacher = small_network(rng, 36)
    convolution = Conv2D(1, 3, 3, rng=rng)
    for student in (
        small_network(rng, 36),
        Sequential([Reshape((1, 6, 6)), convolution, ReLU(), Flatten(), dense(rng, 48, CLASSES, 0.4)]),
    ):
        dataset = random_images(rng, 16, 36)
        assert first_step_follows(submission, student, teacher, dataset, 2.0, 0.3), (
            "every weight and bias of every layer, convolutions too, must go down its own gradient"
        )


@pytest.mark.grades("distill")
def test_training_starts_from_the_students_own_weights(submission, rng):
    student, teacher, dataset = one_image_a_row(rng)
    steps = {"epochs": 1, "batch_size": len(dataset), "alpha": 0.5, "temperature": 2.0}
    rates = (0.01, 0.04)
    trained = [
        distilled(submission, student, teacher, dataset, learning_rate=rate, **steps) for rate in rates
    ]
    near = max(float(np.abs(moved).max()) for moved in movement(student, trained[0]))
    # SGD moves a weight by rate * gradient (below 1 here), Adam by the rate, Nesterov's by up to twice that.
    assert near <= 3 * rates[0], "training starts from a copy of the student: one small step stays near it"
    ratio = distance(student, trained[1]) / max(distance(student, trained[0]), 1e-30)
    assert 3.9 < ratio < 4.1, (
        "learning_rate must be the size of the steps: a larger rate must make the first step larger by the "
        "same factor"
    )
    # One image, its label the least likely class: SGD's gradient is nearly 1, whatever the temperature.
    student, teacher, dataset = one_image_a_row(rng, images=1)
    unlikely = Dataset(dataset.images, student.forward(dataset.images).argmin(axis=1))
    steps = {"batch_size": 1, "learning_rate": 0.01, "alpha": 1.0, "temperature": 9.0}
    trained = distilled(submission, student, teacher, unlikely, epochs=1, **steps)
    assert max(float(np.abs(moved).max()) for moved in movement(student, trained)) <= 3 * 0.01, (
        "learning_rate must be the size of the steps as it is given: do not scale it with the temperature"
    )


@pytest.mark.grades("distill")
def test_the_teacher_has_no_influence_at_alpha_1(submission, rng):
    student, dataset = small_network(rng), random_images(rng)
    teachers = small_network(rng), Sequential([dense(rng, 16, CLASSES, 3.0)])
    steps = {"epochs": 2, "learning_rate": 0.02, "batch_size": 8, "temperature": 2.0, "alpha": 1.0}
    one, other = (distilled(submission, student, teacher, dataset, **steps) for teacher in teachers)
    assert distance(student, one) > 0, "training must change the student's weights"
    # Some forms of the sum leave a rounding error of the soft term behind: far below a hundredth.
    assert distance(one, other) <= 0.01 * distance(student, one), (
        "at alpha 1 only the labels count: another teacher must give the same student"
    )


@pytest.mark.grades("distill")
def test_the_labels_have_no_influence_at_alpha_0(submission, rng):
    student, teacher, dataset = small_network(rng), small_network(rng), random_images(rng)
    relabelled = Dataset(dataset.images, (dataset.labels + 1 + np.arange(len(dataset)) % 9) % CLASSES)
    steps = {"epochs": 2, "learning_rate": 0.02, "batch_size": 8, "temperature": 2.0, "alpha": 0.0}
    one, other = (distilled(submission, student, teacher, data, **steps) for data in (dataset, relabelled))
    assert distance(student, one) > 0, "training must change the student's weights"
    assert distance(one, other) <= 0.01 * distance(student, one), (
        "at alpha 0 only the teacher counts: other labels must give the same student"
    )


@pytest.mark.grades("distill")
def test_the_last_smaller_batch_counts(submission, rng):
    for images, steps in ((11, {"batch_size": 4}), (9, {"batch_size": 8}), (5, {})):
        student, teacher, dataset = one_image_a_row(rng, images)
        steps = {"epochs": 1, "learning_rate": 0.05, "alpha": 0.5, **steps}
        trained = distilled(submission, student, teacher, dataset, **steps)
        (weights, _) = movement(student, trained)
        assert (np.abs(weights).max(axis=1) > 0).all(), (
            "train on every image in every epoch: also on a last batch that is smaller, and on a dataset "
            "that is smaller than one batch"
        )


@pytest.mark.grades("distill")
def test_batches_have_the_size_that_was_asked_for(submission, rng):
    steps = {"epochs": 1, "learning_rate": 0.05, "alpha": 0.5}
    for sizes in ((2, 12), (128, 200)):
        student, teacher, dataset = one_image_a_row(rng, images=sizes[1])
        one, other = (
            distilled(submission, student, teacher, dataset, batch_size=size, **steps) for size in sizes
        )
        assert distance(one, other) > 0.01 * distance(student, one), (
            "use batch_size as it is given, large ones too: several small batches and one large batch must "
            "give different students"
        )


@pytest.mark.grades("distill")
def test_a_set_smaller_than_a_batch_is_a_batch_of_its_own_size(submission, rng):
    student, teacher, dataset = one_image_a_row(rng)
    steps = {"epochs": 1, "learning_rate": 0.05, "alpha": 0.5}
    one, other = (
        distilled(submission, student, teacher, dataset, batch_size=size, **steps) for size in (12, 48)
    )
    # The same mean gradient: only the order in which the biases' sums are taken may differ.
    assert distance(one, other) <= 0.01 * distance(student, one), (
        "a batch's loss is the mean over its own images: divide the sum over a smaller batch by its number "
        "of images, not by batch_size"
    )


@pytest.mark.grades("distill")
def test_the_same_seed_gives_the_same_student(submission, rng):
    student, teacher, dataset = small_network(rng), small_network(rng), random_images(rng, 40)
    steps = {"epochs": 2, "learning_rate": 0.05, "batch_size": 6, "seed": int(rng.integers(1000))}
    one, other = (distilled(submission, student, teacher, dataset, **steps) for _ in range(2))
    assert distance(student, one) > 0, "training must change the student's weights"
    assert all(np.array_equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)), (
        "the same seed and arguments must give identical arrays: draw every random number from a generator "
        "made from the seed"
    )


@pytest.mark.grades("distill")
def test_loss_falls_in_small_batches(submission, rng):
    """The contract: a tenth at a rate of 0.02 for 1,000 steps; here 1,100, the last of each epoch small."""
    student, teacher, dataset = learnable(rng)
    steps = {"epochs": 100, "learning_rate": 0.02, "batch_size": 32, "alpha": 0.0}
    trained = distilled(submission, student, teacher, dataset, **steps)
    before, after = (mean_loss(model, teacher, dataset, 3.0, 0.0) for model in (student, trained))
    assert after <= 0.9 * before, (
        "a thousand small steps on a learnable set must bring the distillation loss down by a tenth or more "
        "(does each image meet the teacher's logits of that same image?)"
    )


@pytest.mark.grades("distill")
def test_loss_falls_in_full_batches(submission, rng):
    """The contract: a tenth at a rate of 0.06 for 500 steps on the full batch."""
    student, teacher, dataset = learnable(rng, images=200)
    settings = {"temperature": 2.0, "alpha": 0.1}
    steps = {"epochs": 500, "learning_rate": 0.06, "batch_size": 200}
    trained = distilled(submission, student, teacher, dataset, **steps, **settings)
    before, after = (mean_loss(model, teacher, dataset, 2.0, 0.1) for model in (student, trained))
    assert after <= 0.9 * before, (
        "five hundred steps on the full batch must bring the distillation loss down by a tenth or more"
    )


@pytest.mark.grades("distill")
def test_student_teacher_and_data_stay_as_they_were(submission, rng):
    student, teacher, dataset = small_network(rng), small_network(rng), random_images(rng)
    call = submission.inspect("distill", student, teacher, dataset, epochs=1, learning_rate=0.1, batch_size=8)
    trained = expect.a_model(expect.unaliased(call, "distill"), "what distill returns", like=student)
    assert distance(student, trained) > 0, "distill returns the trained copy"

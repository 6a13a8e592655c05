"""Wrong versions of `distill`. `trained` is a right one with its parts open to change."""

from __future__ import annotations

import time

import numpy as np

from assignment.nn import SGD, Adam, Dataset, Dense, fit
from tests_hidden.mutants import right, wrong


def trained(
    student,
    teacher,
    dataset,
    *,
    epochs,
    temperature=3.0,
    alpha=0.5,
    learning_rate,
    batch_size=128,
    seed=0,
    loss=None,
    optimizer=None,
    **fitting,
):
    model = student.copy()

    def ordinary(logits, batch):
        said = teacher.forward(batch.images)
        return right.distillation_loss(logits, said, batch.labels, temperature, alpha)

    optimizer = optimizer or SGD(learning_rate)
    settings = {"epochs": epochs, "batch_size": batch_size, "seed": seed, **fitting}
    fit(model, dataset, optimizer=optimizer, loss=loss or ordinary, **settings)
    return model


# what is trained


@wrong("returns an untrained copy", killed_by="test_the_last_smaller_batch_counts")
def trains_nothing(student, teacher, dataset, **settings):
    return student.copy()


@wrong("returns the teacher", killed_by="test_student_teacher_and_data_stay_as_they_were")
def returns_the_teacher(student, teacher, dataset, **settings):
    return teacher


@wrong("returns a copy of the teacher", killed_by="test_first_step_reaches_every_layer")
def returns_a_copy_of_the_teacher(student, teacher, dataset, **settings):
    return teacher.copy()


@wrong("trains the student it was given", killed_by="test_student_teacher_and_data_stay_as_they_were")
def trains_the_argument(student, teacher, dataset, *, epochs, learning_rate, temperature=3.0, alpha=0.5,
                        batch_size=128, seed=0):  # fmt: skip
    def loss(logits, batch):
        said = teacher.forward(batch.images)
        return right.distillation_loss(logits, said, batch.labels, temperature, alpha)

    settings = {"epochs": epochs, "batch_size": batch_size, "seed": seed}
    fit(student, dataset, optimizer=SGD(learning_rate), loss=loss, **settings)
    return student


@wrong("trains the teacher towards the student", killed_by="test_first_step_reaches_every_layer")
def swaps_student_and_teacher(student, teacher, dataset, **settings):
    return trained(teacher, student, dataset, **settings)


@wrong(
    "starts from new weights, not the student's",
    killed_by="test_training_starts_from_the_students_own_weights",
)
def starts_afresh(student, teacher, dataset, **settings):
    fresh, rng = student.copy(), np.random.default_rng(settings.get("seed", 0))
    for layer in right.weighted_layers(fresh):
        layer.weight = rng.standard_normal(layer.weight.shape, np.float32) * np.float32(0.1)
        layer.bias = np.zeros_like(layer.bias)
    return trained(fresh, teacher, dataset, **settings)


@wrong(
    "starts from the teacher's weights where they fit",
    killed_by="test_training_starts_from_the_students_own_weights",
)
def starts_from_the_teacher(student, teacher, dataset, **settings):
    shapes = [[p.shape for p in model.parameters()] for model in (student, teacher)]
    return trained(teacher if shapes[0] == shapes[1] else student, teacher, dataset, **settings)


@wrong("trains the last layer alone", killed_by="test_first_step_reaches_every_layer")
def trains_the_last_layer(student, teacher, dataset, **settings):
    layers, after = right.weighted_layers(student), trained(student, teacher, dataset, **settings)
    for old, new in zip(layers[:-1], right.weighted_layers(after)[:-1], strict=True):
        new.weight, new.bias = old.weight.copy(), old.bias.copy()
    return after


@wrong("trains dense layers alone", killed_by="test_first_step_reaches_every_layer")
def trains_dense_layers(student, teacher, dataset, **settings):
    after = trained(student, teacher, dataset, **settings)
    for old, new in zip(student.layers, after.layers, strict=True):
        if hasattr(old, "weight") and not isinstance(old, Dense):
            new.weight, new.bias = old.weight.copy(), old.bias.copy()
    return after


@wrong("leaves the biases as they were", killed_by="test_first_step_reaches_every_layer")
def keeps_the_biases(student, teacher, dataset, **settings):
    after = trained(student, teacher, dataset, **settings)
    for old, new in zip(right.weighted_layers(student), right.weighted_layers(after), strict=True):
        new.bias = old.bias.copy()
    return after


# on which loss


@wrong("ignores the teacher: ordinary training", killed_by="test_the_labels_have_no_influence_at_alpha_0")
def ignores_the_teacher(student, teacher, dataset, **settings):
    return trained(student, teacher, dataset, **{**settings, "alpha": 1.0})


@wrong("ignores the labels", killed_by="test_the_teacher_has_no_influence_at_alpha_1")
def ignores_the_labels(student, teacher, dataset, **settings):
    return trained(student, teacher, dataset, **{**settings, "alpha": 0.0})


@wrong("alpha is always a half", killed_by="test_the_teacher_has_no_influence_at_alpha_1")
def ignores_alpha(student, teacher, dataset, **settings):
    return trained(student, teacher, dataset, **{**settings, "alpha": 0.5})


@wrong("alpha weights the teacher", killed_by="test_first_step_follows_the_labels_at_alpha_1")
def swaps_alpha(student, teacher, dataset, **settings):
    return trained(student, teacher, dataset, **{**settings, "alpha": 1 - settings.get("alpha", 0.5)})


@wrong(
    "the temperature is always 1", killed_by="test_first_step_follows_the_teacher_at_the_given_temperature"
)
def ignores_the_temperature(student, teacher, dataset, **settings):
    return trained(student, teacher, dataset, **{**settings, "temperature": 1.0})


@wrong(
    "the temperature is always 3", killed_by="test_first_step_follows_the_teacher_at_the_given_temperature"
)
def fixes_the_temperature(student, teacher, dataset, **settings):
    return trained(student, teacher, dataset, **{**settings, "temperature": 3.0})


@wrong(
    "passes alpha and temperature in each other's place",
    killed_by="test_first_step_mixes_labels_and_teacher_as_alpha_says",
)
def swaps_the_settings(student, teacher, dataset, *, temperature=3.0, alpha=0.5, **settings):
    alpha, temperature = min(temperature, 1.0), max(alpha, 0.1)
    return trained(student, teacher, dataset, temperature=temperature, alpha=alpha, **settings)


@wrong(
    "leaves out T**2 in its own copy of the loss",
    killed_by="test_first_step_mixes_labels_and_teacher_as_alpha_says",
)
def leaves_out_t_squared(student, teacher, dataset, *, temperature=3.0, alpha=0.5, **settings):
    def loss(logits, batch):
        arguments = logits, teacher.forward(batch.images), batch.labels, temperature
        hard, soft = right.distillation_loss(*arguments, 1.0), right.distillation_loss(*arguments, 0.0)
        return hard[0], np.float32(alpha) * hard[1] + np.float32((1 - alpha) / temperature**2) * soft[1]

    return trained(student, teacher, dataset, loss=loss, **settings)


@wrong(
    "temperature 4 unless told otherwise",
    killed_by="test_settings_left_out_are_those_of_the_signature",
)
def another_default_temperature(student, teacher, dataset, *, temperature=4.0, **settings):
    return trained(student, teacher, dataset, temperature=temperature, **settings)


@wrong(
    "alpha 0.9 unless told otherwise",
    killed_by="test_settings_left_out_are_those_of_the_signature",
)
def another_default_alpha(student, teacher, dataset, *, alpha=0.9, **settings):
    return trained(student, teacher, dataset, alpha=alpha, **settings)


@wrong(
    "learns from the teacher's answers as labels",
    killed_by="test_first_step_follows_the_teacher_at_the_given_temperature",
)
def takes_answers_for_labels(student, teacher, dataset, **settings):
    said = Dataset(dataset.images, teacher.predict(dataset.images))
    return trained(student, teacher, said, **{**settings, "alpha": 1.0})


@wrong(
    "takes the teacher's probabilities for its logits",
    killed_by="test_first_step_follows_the_teacher_at_the_given_temperature",
)
def passes_probabilities(student, teacher, dataset, *, temperature=3.0, alpha=0.5, **settings):
    def loss(logits, batch):
        said = right.softmax(teacher.forward(batch.images))
        return right.distillation_loss(logits, said, batch.labels, temperature, alpha)

    return trained(student, teacher, dataset, loss=loss, **settings)


@wrong(
    "passes student and teacher in each other's place",
    killed_by="test_first_step_follows_the_teacher_at_the_given_temperature",
)
def swaps_the_logits(student, teacher, dataset, *, temperature=3.0, alpha=0.5, **settings):
    def loss(logits, batch):
        said = teacher.forward(batch.images)
        return right.distillation_loss(said, logits, batch.labels, temperature, alpha)

    return trained(student, teacher, dataset, loss=loss, **settings)


@wrong("goes uphill", killed_by="test_loss_falls_in_full_batches")
def goes_uphill(student, teacher, dataset, *, learning_rate, **settings):
    return trained(student, teacher, dataset, learning_rate=-learning_rate, **settings)


# on which images


@wrong("shuffles the images, not the teacher's logits", killed_by="test_loss_falls_in_small_batches")
def mixes_up_the_images(student, teacher, dataset, *, temperature=3.0, alpha=0.5, batch_size=128, **settings):
    every, start = teacher.forward(dataset.images), [0]

    def loss(logits, batch):
        said = every[start[0] : start[0] + len(batch)]
        start[0] = (start[0] + len(batch)) % len(dataset)
        return right.distillation_loss(logits, said, batch.labels, temperature, alpha)

    return trained(student, teacher, dataset, loss=loss, batch_size=batch_size, **settings)


@wrong("asks the teacher about the first batch alone", killed_by="test_loss_falls_in_small_batches")
def reuses_the_first_batch(
    student, teacher, dataset, *, temperature=3.0, alpha=0.5, batch_size=128, **settings
):
    first = teacher.forward(dataset.images[:batch_size])

    def loss(logits, batch):
        return right.distillation_loss(logits, first[: len(batch)], batch.labels, temperature, alpha)

    return trained(student, teacher, dataset, loss=loss, batch_size=batch_size, **settings)


@wrong("drops the last, smaller batch", killed_by="test_the_last_smaller_batch_counts")
def drops_the_last_batch(student, teacher, dataset, *, batch_size=128, **settings):
    whole = len(dataset) // batch_size * batch_size
    kept = Dataset(dataset.images[:whole], dataset.labels[:whole])
    return trained(student, teacher, kept, batch_size=batch_size, **settings)


@wrong("trains on the first batch alone", killed_by="test_the_last_smaller_batch_counts")
def trains_on_one_batch(student, teacher, dataset, *, batch_size=128, **settings):
    kept = Dataset(dataset.images[:batch_size], dataset.labels[:batch_size])
    return trained(student, teacher, kept, batch_size=batch_size, **settings)


@wrong("ignores the batch size", killed_by="test_batches_have_the_size_that_was_asked_for")
def ignores_the_batch_size(student, teacher, dataset, *, batch_size=128, **settings):
    return trained(student, teacher, dataset, batch_size=128, **settings)


@wrong("batches of 32 at most", killed_by="test_batches_have_the_size_that_was_asked_for")
def batches_of_32_at_most(student, teacher, dataset, *, batch_size=128, **settings):
    return trained(student, teacher, dataset, batch_size=min(batch_size, 32), **settings)


@wrong("batches of 128 at most", killed_by="test_batches_have_the_size_that_was_asked_for")
def batches_of_128_at_most(student, teacher, dataset, *, batch_size=128, **settings):
    return trained(student, teacher, dataset, batch_size=min(batch_size, 128), **settings)


@wrong(
    "divides the last batch by batch_size",
    killed_by="test_a_set_smaller_than_a_batch_is_a_batch_of_its_own_size",
)
def divides_by_the_batch_size(
    student, teacher, dataset, *, temperature=3.0, alpha=0.5, batch_size=128, **settings
):
    def loss(logits, batch):
        said = teacher.forward(batch.images)
        value, grad = right.distillation_loss(logits, said, batch.labels, temperature, alpha)
        return value, grad * np.float32(len(batch) / batch_size)

    return trained(student, teacher, dataset, batch_size=batch_size, loss=loss, **settings)


# how long, how fast, from which seed


@wrong("takes one epoch, whatever was asked for", killed_by="test_loss_falls_in_full_batches")
def one_epoch(student, teacher, dataset, *, epochs, **settings):
    return trained(student, teacher, dataset, epochs=1, **settings)


@wrong("the learning rate is always 0.001", killed_by="test_training_starts_from_the_students_own_weights")
def ignores_the_learning_rate(student, teacher, dataset, *, learning_rate, **settings):
    return trained(student, teacher, dataset, learning_rate=1e-3, **settings)


@wrong("Adam at its own rate", killed_by="test_training_starts_from_the_students_own_weights")
def adam_at_its_own_rate(student, teacher, dataset, **settings):
    return trained(student, teacher, dataset, optimizer=Adam(), **settings)


@wrong("a rate ten times as large", killed_by="test_training_starts_from_the_students_own_weights")
def ten_times_the_rate(student, teacher, dataset, *, learning_rate, **settings):
    return trained(
        student,
        teacher,
        dataset,
        learning_rate=10 * learning_rate,
        optimizer=Adam(10 * learning_rate),
        **settings,
    )


@wrong("batches of 64 unless told otherwise", killed_by="test_settings_left_out_are_those_of_the_signature")
def another_default_batch_size(student, teacher, dataset, *, batch_size=64, **settings):
    return trained(student, teacher, dataset, batch_size=batch_size, **settings)


@wrong("no seed unless it is told one", killed_by="test_settings_left_out_are_those_of_the_signature")
def no_default_seed(student, teacher, dataset, *, seed=None, **settings):
    return trained(student, teacher, dataset, seed=seed, **settings)


@wrong("multiplies the rate by T**2", killed_by="test_training_starts_from_the_students_own_weights")
def scales_the_rate_by_the_temperature(
    student, teacher, dataset, *, learning_rate, temperature=3.0, **settings
):
    rate = learning_rate * temperature**2
    return trained(student, teacher, dataset, learning_rate=rate, temperature=temperature, **settings)


@wrong("shuffles by the clock, not the seed", killed_by="test_the_same_seed_gives_the_same_student")
def shuffles_by_the_clock(student, teacher, dataset, *, seed=0, **settings):
    return trained(student, teacher, dataset, seed=time.perf_counter_ns(), **settings)


@wrong(
    "shuffles by NumPy's global generator, which a seed given does not set",
    killed_by="test_the_same_seed_gives_the_same_student",
)
def shuffles_by_the_global_generator(student, teacher, dataset, *, seed=0, **settings):
    return trained(student, teacher, dataset, seed=int(np.random.randint(2**31)), **settings)


@wrong("sorts the data it was given by label", killed_by="test_student_teacher_and_data_stay_as_they_were")
def sorts_the_data(student, teacher, dataset, **settings):
    order = np.argsort(dataset.labels, kind="stable")
    after = trained(student, teacher, dataset, **settings)
    dataset.images[:], dataset.labels[:] = dataset.images[order], dataset.labels[order]
    return after

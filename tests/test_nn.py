"""The given framework: exact gradients, optimisers worked by hand, a training loop that repeats."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import numpy as np
import pytest

from assignment.nn import (
    SGD,
    Adam,
    AvgPool2D,
    Conv2D,
    Dataset,
    Dense,
    Flatten,
    MaxPool2D,
    ReLU,
    Reshape,
    Sequential,
    cosine,
    cross_entropy,
    evaluate,
    fit,
    random_shifts,
)

LAYERS_AND_INPUTS = {
    "dense": (lambda rng: Dense(5, 3, rng=rng), (4, 5)),
    "conv": (lambda rng: Conv2D(2, 3, 3, rng=rng), (2, 2, 6, 5)),
    "conv with stride and padding": (lambda rng: Conv2D(2, 3, 3, 2, 1, rng=rng), (2, 2, 6, 7)),
    "conv with a long kernel": (lambda rng: Conv2D(1, 2, (1, 4), rng=rng), (2, 1, 3, 6)),
    "relu": (lambda rng: ReLU(), (4, 5)),
    "flatten": (lambda rng: Flatten(), (2, 3, 2, 2)),
    "reshape": (lambda rng: Reshape((2, 6)), (3, 12)),
    "max pool": (lambda rng: MaxPool2D(2), (2, 2, 5, 4)),
    "average pool": (lambda rng: AvgPool2D(3), (2, 2, 6, 7)),
}


def numeric_gradient(loss, array, step=1e-6):
    """Central differences, entry by entry: error of order step**2, far below what we ask for."""
    grad = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = loss()
        array[index] = kept - step
        below = loss()
        array[index] = kept
        grad[index] = (above - below) / (2 * step)
    return grad


@pytest.mark.parametrize("name", LAYERS_AND_INPUTS)
def test_gradients_match_central_differences(name):
    """In float64, which layers accept since they compute with what they hold."""
    rng = np.random.default_rng(7)
    make, shape = LAYERS_AND_INPUTS[name]
    layer = make(rng)
    if layer.parameters():
        layer.weight, layer.bias = layer.weight.astype(float), rng.normal(size=layer.bias.shape)
    x = rng.normal(size=shape)
    direction = rng.normal(size=layer.forward(x).shape)

    def loss():
        return float((layer.forward(x) * direction).sum())

    layer.forward(x)
    input_grad = layer.backward(direction)
    np.testing.assert_allclose(input_grad, numeric_gradient(loss, x), rtol=1e-6, atol=1e-7)
    for array, grad in zip(layer.parameters(), layer.gradients(), strict=True):
        np.testing.assert_allclose(grad, numeric_gradient(loss, array), rtol=1e-6, atol=1e-7)


def test_a_model_has_the_gradients_of_its_layers_in_a_row():
    rng = np.random.default_rng(3)
    layers = [Reshape((1, 4, 4)), Conv2D(1, 2, 3, padding=1, rng=rng), ReLU(), MaxPool2D(2), Flatten()]
    model = Sequential([*layers, Dense(8, 3, rng=rng)])
    for layer in model.layers:
        if layer.parameters():
            layer.weight, layer.bias = layer.weight.astype(float), layer.bias.astype(float) + 0.1
    x, labels = rng.normal(size=(5, 16)), np.array([0, 2, 1, 1, 0])

    def loss():
        return cross_entropy(model.forward(x), labels)[0]

    input_grad = model.backward(cross_entropy(model.forward(x), labels)[1])
    np.testing.assert_allclose(input_grad, numeric_gradient(loss, x), rtol=1e-5, atol=1e-8)
    for array, grad in zip(model.parameters(), model.gradients(), strict=True):
        np.testing.assert_allclose(grad, numeric_gradient(loss, array), rtol=1e-5, atol=1e-8)


def test_backward_without_the_input_gradient_fills_the_same_weight_gradients():
    rng = np.random.default_rng(3)
    model = Sequential([Dense(6, 4, rng=rng), ReLU(), Dense(4, 3, rng=rng)])
    grad = cross_entropy(model.forward(rng.random((5, 6), np.float32)), np.array([0, 1, 2, 0, 1]))[1]
    model.backward(grad)
    expected = [array.copy() for array in model.gradients()]
    model.layers[0].weight_grad = None
    assert model.backward(grad, input_gradient=False) is None
    for got, want in zip(model.gradients(), expected, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 0), (1, 2), (3, 1)])
def test_conv_is_the_cross_correlation_of_its_definition(stride, padding):
    rng = np.random.default_rng(1)
    layer = Conv2D(2, 3, 3, stride, padding, rng=rng)
    layer.bias = rng.normal(size=3).astype(np.float32)
    x = rng.normal(size=(2, 2, 7, 6)).astype(np.float32)
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = layer.forward(x)
    for n, o, i, j in np.ndindex(out.shape):
        patch = padded[n, :, i * stride : i * stride + 3, j * stride : j * stride + 3]
        assert out[n, o, i, j] == pytest.approx((patch * layer.weight[o]).sum() + layer.bias[o], abs=1e-5)


def test_pools_by_hand():
    #   1 2 | 3 4 | 9      windows of two: {1, 2, 5, 6} and {3, 4, 7, 8};
    #   5 6 | 7 8 | 9      the last column fills no window
    x = np.array([[[[1, 2, 3, 4, 9], [5, 6, 7, 8, 9]]]], np.float32)
    assert MaxPool2D(2).forward(x).tolist() == [[[[6, 8]]]]
    assert AvgPool2D(2).forward(x).tolist() == [[[[3.5, 5.5]]]]


def test_max_pool_gives_the_gradient_to_one_of_equal_values():
    pool = MaxPool2D(2)
    pool.forward(np.ones((1, 1, 2, 2), np.float32))
    assert sorted(pool.backward(np.full((1, 1, 1, 1), 3.0)).ravel().tolist()) == [0, 0, 0, 3]


def test_cross_entropy_by_hand_and_for_huge_logits():
    # Equal logits: probability 1/2 each, loss log 2, gradient (1/2 - 1, 1/2) for the one image.
    loss, grad = cross_entropy(np.zeros((1, 2), np.float32), np.array([0]))
    assert loss == pytest.approx(np.log(2))
    assert grad.tolist() == [[-0.5, 0.5]]
    loss, grad = cross_entropy(np.array([[1e4, -1e4]], np.float32), np.array([1]))
    assert loss == pytest.approx(2e4)
    assert grad.tolist() == [[1.0, -1.0]]


def one_weight(value, grad):
    layer = Dense.from_arrays(np.array([[value]], np.float32), np.zeros(1, np.float32))
    layer.weight_grad, layer.bias_grad = np.array([[grad]], np.float32), np.zeros(1, np.float32)
    return Sequential([layer])


def test_sgd_with_momentum_by_hand():
    # velocity 2, w = 1 - 0.1 * 2 = 0.8; velocity 0.5 * 2 + 2 = 3, w = 0.8 - 0.1 * 3 = 0.5
    model, optimizer = one_weight(1.0, 2.0), SGD(0.1, momentum=0.5)
    optimizer.step(model)
    assert model.layers[0].weight.item() == pytest.approx(0.8)
    optimizer.step(model)
    assert model.layers[0].weight.item() == pytest.approx(0.5)


def test_adam_follows_its_paper():
    model, optimizer = one_weight(1.0, 0.0), Adam(0.1)
    w, m, v = 1.0, 0.0, 0.0
    for step, grad in enumerate([0.3, -0.2, 0.5, 1e-9], start=1):
        m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * grad**2
        w -= 0.1 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        model.layers[0].weight_grad = np.array([[grad]], np.float32)
        optimizer.step(model)
        assert model.layers[0].weight.item() == pytest.approx(w, rel=1e-5)


def test_the_first_adam_step_is_the_rate_whatever_the_gradient():
    for grad in (1e-3, 50.0):
        model = one_weight(1.0, grad)
        Adam(0.1).step(model)
        assert model.layers[0].weight.item() == pytest.approx(0.9, rel=1e-4)


def test_optimizers_start_afresh_where_an_array_was_replaced_by_a_smaller_one():
    for optimizer in (SGD(0.1, momentum=0.9), Adam(0.1)):
        model = Sequential([Dense(4, 3)])
        model.forward(np.ones((2, 4), np.float32))
        model.backward(np.ones((2, 3), np.float32))
        optimizer.step(model)
        model.layers[0].weight = model.layers[0].weight[:, :2].copy()
        model.layers[0].bias = model.layers[0].bias[:2].copy()
        model.forward(np.ones((2, 4), np.float32))
        model.backward(np.ones((2, 2), np.float32))
        optimizer.step(model)
        assert model.layers[0].weight.shape == (4, 2)


def test_cosine_schedule_ends():
    assert (cosine(0.0), cosine(0.5)) == (1.0, pytest.approx(0.5))
    assert cosine(0.999) < 1e-5


def blobs(n=300, seed=0):
    """Ten well separated classes in 20 numbers: learnable in a moment."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, n)
    centres = np.random.default_rng(99).random((10, 20))
    images = centres[labels] + rng.normal(scale=0.1, size=(n, 20))
    return Dataset(images.astype(np.float32), labels)


def small_model(seed=0):
    rng = np.random.default_rng(seed)
    return Sequential([Dense(20, 16, rng=rng), ReLU(), Dense(16, 10, rng=rng)])


def weights_of(model):
    return np.concatenate([array.ravel() for array in model.parameters()])


def test_fit_learns_and_repeats_itself():
    runs, settings = [], {"epochs": 15, "batch_size": 32, "schedule": cosine}
    for _ in range(2):
        model = small_model()
        reports = fit(model, blobs(), **settings, seed=5, optimizer=Adam(0.01), validation=blobs(seed=1))
        runs.append(weights_of(model))
    assert reports[-1].loss < 0.5 * reports[0].loss
    assert reports[-1].validation_accuracy > 0.9
    np.testing.assert_array_equal(runs[0], runs[1])
    other = small_model()
    fit(other, blobs(), **settings, seed=6, optimizer=Adam(0.01))
    assert not np.array_equal(weights_of(other), runs[0])


def test_fit_steps_once_for_every_batch_and_the_last_smaller_batch_counts():
    sizes, factors = [], []

    def loss(logits, batch):
        sizes.append(len(batch))
        return cross_entropy(logits, batch.labels)

    def schedule(progress):
        factors.append(progress)
        return 1.0

    held = []
    fit(
        small_model(),
        blobs(70),
        epochs=2,
        batch_size=32,
        loss=loss,
        schedule=schedule,
        after_step=lambda model: held.append(model),
    )
    assert sizes == [32, 32, 6, 32, 32, 6]
    assert factors == pytest.approx([k / 6 for k in range(6)])
    assert len(held) == 6


def test_the_loss_reported_is_the_mean_over_images_not_over_batches():
    """With weights that do not move, every epoch's report is the plain loss of the whole set."""
    model, dataset = small_model(), blobs(70)
    (report,) = fit(model, dataset, epochs=1, batch_size=32, optimizer=SGD(0.0))
    assert report.loss == pytest.approx(
        cross_entropy(model.forward(dataset.images), dataset.labels)[0], rel=1e-5
    )


def test_batches_hold_every_image_once_with_its_own_label():
    dataset = Dataset(np.arange(10, dtype=np.float32)[:, None], np.arange(10))
    batches = list(dataset.batches(4, np.random.default_rng(0)))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    seen = np.concatenate([batch.labels for batch in batches])
    assert sorted(seen.tolist()) == list(range(10))
    assert seen.tolist() != list(range(10))
    assert all((batch.images[:, 0] == batch.labels).all() for batch in batches)


def test_evaluate_is_a_fraction_and_refuses_nothing_to_measure():
    model = Sequential([Dense.from_arrays(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))])
    dataset = Dataset(np.eye(3, dtype=np.float32)[[0, 1, 2, 2]], np.array([0, 1, 2, 0]))
    assert evaluate(model, dataset) == 0.75
    with pytest.raises(ValueError, match="empty dataset"):
        evaluate(model, Dataset(np.zeros((0, 3), np.float32), np.zeros(0, np.int64)))


def test_copies_share_nothing_and_can_be_written_to():
    model = small_model()
    for array in model.parameters():
        array.flags.writeable = False
    twin = model.copy()
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        assert not np.shares_memory(ours, theirs)
        np.testing.assert_array_equal(ours, theirs)
        theirs += 1


def test_a_copy_leaves_the_last_batch_behind():
    model = small_model()
    model.forward(blobs().images)
    assert all("_input" not in vars(layer) for layer in model.copy().layers)


def test_a_layer_computes_with_the_arrays_it_was_given_last():
    layer = Dense(4, 3)
    layer.weight, layer.bias = np.ones((2, 5), np.float32), np.zeros(5, np.float32)
    assert (layer.in_features, layer.out_features) == (2, 5)
    assert repr(layer) == "Dense(2, 5)"
    assert layer.forward(np.ones((1, 2), np.float32)).tolist() == [[2.0] * 5]


def test_everything_stays_float32():
    layers = [
        Reshape((1, 6, 6)),
        Conv2D(1, 2, 3),
        ReLU(),
        AvgPool2D(2),
        MaxPool2D(2),
        Flatten(),
        Dense(2, 10),
    ]
    model = Sequential(layers)
    dataset = Dataset(np.random.default_rng(0).random((8, 36), np.float32), np.arange(8))
    for optimizer in (SGD(0.1, momentum=0.9), Adam()):
        fit(model, dataset, epochs=1, optimizer=optimizer)
    assert model.forward(dataset.images).dtype == np.float32
    assert {array.dtype for array in model.parameters() + model.gradients()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("layer", "shape", "named"),
    [
        (Dense(784, 3), (2, 100), r"Dense\(784, 3\) needs input of shape \(N, 784\), got \(2, 100\)"),
        (Conv2D(1, 2, 3), (2, 784), r"needs input of shape \(N, 1, H, W\), got \(2, 784\)"),
        (Conv2D(1, 2, 5), (2, 1, 4, 4), "larger than its input of 4x4 pixels"),
        (MaxPool2D(3), (1, 1, 2, 2), "of at least its own size"),
        (Reshape((2, 3)), (1, 7), "the sizes differ"),
    ],
)
def test_input_of_the_wrong_shape_is_named(layer, shape, named):
    with pytest.raises(ValueError, match=named):
        layer.forward(np.zeros(shape, np.float32))


def test_random_shifts_move_each_image_by_whole_pixels():
    image = np.zeros((9, 9), np.float32)
    image[4, 4] = 1
    shifted = random_shifts(2)(np.repeat(image.reshape(1, -1), 500, axis=0), np.random.default_rng(0))
    rows, columns = np.divmod(shifted.argmax(axis=1), 9)
    assert (shifted.sum(axis=1) == 1).all()
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {
        (r, c) for r in range(2, 7) for c in range(2, 7)
    }


TRAIN_A_LITTLE = """
import numpy as np
from assignment.nn import *
fit(Sequential([Dense(20, 10)]), Dataset(np.zeros((64, 20), np.float32), np.zeros(64, int)), epochs=3)
"""


def test_training_is_silent_in_a_pipe():
    run = subprocess.run([sys.executable, "-c", TRAIN_A_LITTLE], capture_output=True, text=True, check=True)
    assert run.stdout + run.stderr == ""


def test_training_shows_a_bar_in_a_terminal():
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    subprocess.run([sys.executable, "-c", TRAIN_A_LITTLE], stderr=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode(errors="replace")
    os.close(ours)
    assert "training" in shown
    assert "epoch 3/3" in shown

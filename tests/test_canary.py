"""The canary: an honest recipe earns as much there, an answer that was carried in earns nothing more."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import stat
from pathlib import Path

import numpy as np
import pytest

from assignment.artifact import pack
from assignment.data import Mnist, load_mnist_5k
from assignment.nn import Adam, Dataset, Dense, ReLU, Sequential, cosine, evaluate, fit
from grader import GraderError, UnusableError, canary
from grader.canary import SIDE, Canary, Change, change_of, changed
from grader.compete import Attempt, checked, compete
from grader.grade import Request, grade
from grader.log import nowhere
from grader.measured import Entry, Measured
from grader.remote import room_for
from grader.rules import ROOT, read_rules
from grader.sandbox import NoSandbox

pytestmark = pytest.mark.xdist_group("canary")  # which trains once for all
RULES = dataclasses.replace(
    read_rules(), competition=dataclasses.replace(read_rules().competition, budget_bytes=100_000)
)
MARGIN = RULES.canary.margin
SECRET = b"one of many secrets"


def identity(symmetry: int) -> Change:
    rows, columns = (axis.ravel().astype(np.float32) for axis in np.mgrid[:SIDE, :SIDE])
    return Change(symmetry, rows, columns, np.arange(10))


def test_the_eight_symmetries_are_those_of_the_square():
    image = np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32)
    dataset = Dataset(image.reshape(1, -1), np.array([3]))
    seen = [identity(symmetry).apply(dataset).images.reshape(SIDE, SIDE) for symmetry in range(8)]
    np.testing.assert_array_equal(seen[0], image)
    np.testing.assert_array_equal(seen[1], np.rot90(image))
    np.testing.assert_array_equal(seen[4], image[:, ::-1])
    assert len({picture.tobytes() for picture in seen}) == 8


def test_a_secret_decides_the_change_and_another_secret_another():
    one, same, other = change_of(SECRET), change_of(SECRET), change_of(b"another")
    assert one.symmetry == same.symmetry
    np.testing.assert_array_equal(one.rows, same.rows)
    np.testing.assert_array_equal(one.labels, same.labels)
    assert one.labels.tolist() != other.labels.tolist() or one.symmetry != other.symmetry
    assert {change_of(bytes([n])).symmetry for n in range(100)} == set(range(8))
    for n in range(20):
        labels = change_of(bytes([n])).labels
        assert sorted(labels) == list(range(10))


def test_changed_digits_are_images_still():
    """A pooled image of them is one of a digit: no pixel is out of range, hardly any ink leaves the frame."""
    digits = load_mnist_5k().validation
    for n in range(8):
        change = change_of(bytes([n]))
        images = change.apply(digits).images
        assert images.dtype == np.float32
        assert images.shape == digits.images.shape
        assert images.min() >= 0 and images.max() <= 1 + 1e-6  # noqa: PT018
        area = abs(np.diff(change.rows.reshape(SIDE, SIDE)[:, 0])[0] * np.diff(change.columns[:2])[0])
        assert images.sum() * area == pytest.approx(digits.images.sum(), rel=0.03)
        assert not np.allclose(images, digits.images, atol=0.2)


@pytest.fixture(scope="module")
def mnist() -> Mnist:
    """Real digits, and an easy test: its images are among those to learn from."""
    train = load_mnist_5k().train
    return Mnist(
        train, Dataset(train.images[::8], train.labels[::8]), Dataset(train.images, train.labels), "mnist"
    )


def trained(model: Sequential, digits: Mnist, epochs: int) -> Sequential:
    steps = {"optimizer": Adam(3e-3), "batch_size": 64, "schedule": cosine}
    fit(model, digits.train, epochs=epochs, **steps)
    assert evaluate(model, digits.test) > 0.98
    return model


def wide(seed: int) -> Sequential:
    """To be compressed: less wide than the real one, and packed in a fraction of the time."""
    rng = np.random.default_rng(seed)
    return Sequential([Dense(784, 100, rng=rng), ReLU(), Dense(100, 10, rng=rng)])


@pytest.fixture(scope="module")
def shared(mnist) -> Sequential:
    return trained(wide(0), mnist, 8)


@pytest.fixture(scope="module")
def second(mnist) -> Canary:
    digits = changed(mnist, change_of(SECRET))
    return Canary(trained(wide(1), digits, 8), digits)


@pytest.fixture(scope="module")
def carried(mnist) -> str:
    """A small network for the digits as everybody knows them, as text to put into a source."""
    rng = np.random.default_rng(0)
    model = trained(Sequential([Dense(784, 24, rng=rng), ReLU(), Dense(24, 10, rng=rng)]), mnist, 20)
    for array in model.parameters():
        array[...] = np.round(array * 16) / 16
    assert evaluate(model, mnist.test) > 0.97
    assert len(pack(model)) < 20_000
    file = io.BytesIO()
    np.savez_compressed(file, *model.parameters())
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture(scope="module")
def run(tmp_path_factory, mnist, shared, second):
    folder = tmp_path_factory.mktemp("artifacts")

    def run(source: str, *, with_canary: bool = True) -> Entry:
        with room_for(source.encode()) as room, nowhere() as sink:
            return compete(
                room,
                shared,
                mnist,
                RULES,
                NoSandbox(),
                folder / "model.fw",
                sink=sink,
                canary=second if with_canary else None,
                twice=False,
            )

    return run


HONEST = """
import numpy as np
def honest(model):
    new = model.copy()
    for layer in new.layers[::2]:
        step = np.abs(layer.weight).max() / 7
        layer.weight = (np.round(layer.weight / step) * step).astype(np.float32)
    return new
"""

COMPRESS_HONESTLY = HONEST + "def compress(model, data, budget_bytes, seed=0): return honest(model)\n"


@pytest.fixture(scope="module")
def honest(run) -> Entry:
    return run(COMPRESS_HONESTLY)


CARRIED = """
import base64, io
from assignment.nn import Dense, ReLU, Sequential
def carried():
    arrays = list(np.load(io.BytesIO(base64.b64decode(TEXT))).values())
    return Sequential([Dense.from_arrays(*arrays[:2]), ReLU(), Dense.from_arrays(*arrays[2:])])
"""

FITS = """
def right(model, data):
    return np.mean(model.predict(data.validation.images) == data.validation.labels)
"""


def test_an_honest_recipe_is_worth_what_it_was_without(run, honest):
    checked, plain = honest, run(COMPRESS_HONESTLY, with_canary=False)
    assert checked.score == plain.score > 3
    assert (checked.ranked, checked.flags) == (True, [])
    assert plain.canary is None
    assert checked.canary.unchecked_score == plain.score
    assert abs(checked.canary.score - plain.score) < MARGIN


def test_a_memorised_model_earns_nothing(run, carried):
    source = f"{HONEST}{CARRIED}TEXT = {carried!r}\ndef compress(model, data, budget_bytes, seed=0): return carried()\n"
    plain, checked = run(source, with_canary=False), run(source)
    assert plain.ranked
    assert plain.score > 5
    assert checked.canary.score == 0.0
    assert checked.score == MARGIN
    assert not checked.ranked
    assert "look at its source" in checked.flags[-1]


def test_one_that_first_checks_whether_it_fits_earns_no_more_than_an_honest_recipe(run, carried, honest):
    body = "    known = carried()\n    return known if right(known, data) > 0.9 else honest(model)\n"
    source = (
        f"{HONEST}{CARRIED}{FITS}TEXT = {carried!r}\ndef compress(model, data, budget_bytes, seed=0):\n{body}"
    )
    found = run(source)
    assert found.canary.unchecked_score >= found.score
    assert found.score <= found.canary.score + MARGIN
    assert found.canary.score == honest.canary.score


SEARCH = """
def compress(model, data, budget_bytes, seed=0):
    known, best, found = carried(), 0.0, None
    pixels = np.arange(784).reshape(28, 28)
    for symmetry in range(8):
        order = np.rot90(pixels, symmetry % 4)
        order = (order[:, ::-1] if symmetry >= 4 else order).ravel()
        back = np.argsort(order)
        guesses = known.predict(np.ascontiguousarray(data.validation.images[:, back]))
        names = [np.bincount(data.validation.labels[guesses == g], minlength=10).argmax() for g in range(10)]
        share = np.mean(np.array(names)[guesses] == data.validation.labels)
        if share > best:
            best, found = share, (order, names)
    order, names = found
    if len({*names}) < 10:
        return honest(model)
    new = known.copy()
    new.layers[0].weight = np.ascontiguousarray(new.layers[0].weight[order])
    inverse = np.argsort(names)
    new.layers[2].weight = np.ascontiguousarray(new.layers[2].weight[:, inverse])
    new.layers[2].bias = new.layers[2].bias[inverse]
    return new if right(new, data) > 0.9 else honest(model)
"""


def test_one_that_searches_symmetries_and_label_orders_earns_no_more_either(run, carried, honest):
    source = f"{HONEST}{CARRIED}{FITS}TEXT = {carried!r}\n{SEARCH}"
    found = run(source)
    assert found.canary.unchecked_score > honest.score + MARGIN  # it is good where it knows the digits
    assert found.score <= honest.canary.score + MARGIN


def test_the_search_would_find_a_change_without_shear_and_stretch(mnist, carried):
    """So that the test above fails for the reason it names."""
    names: dict = {}
    exec(f"{HONEST}{CARRIED}{FITS}TEXT = {carried!r}\n{SEARCH}", names)
    digits = changed(mnist, dataclasses.replace(identity(6), labels=change_of(SECRET).labels))
    found = names["compress"](None, digits.data, 100_000)
    assert evaluate(found, digits.test) > 0.97


def test_what_a_run_on_the_canary_says_is_shown_to_nobody(run):
    """Its weights and digits are secret: neither a print nor an exception may carry them out."""
    source = (
        "from assignment.nn import Sequential\n"
        "def compress(model, data, budget_bytes, seed=0):\n"
        "    if data.validation.labels[0] == FIRST: return model.copy()\n"
        "    raise ValueError('stolen: ' + str(data.validation.images[0].sum()))\n"
    )
    first = load_mnist_5k().train.labels[0]
    assert change_of(SECRET).labels[first] != first
    found = run(source.replace("FIRST", str(first)))
    assert "stolen" not in json.dumps(dataclasses.asdict(found))
    assert not found.ranked
    assert found.canary.score == 0.0


def attempted(accuracy_percent: float, size_bytes: int) -> Attempt:
    labels = np.zeros(5000, np.int64)
    answers = (np.arange(5000) >= 50 * accuracy_percent).astype(np.int64)
    return Attempt(bytes(size_bytes), Measured(labels, answers, "mlp"), None, 1.0)


def test_no_exact_figure_of_the_canary_comes_out():
    """98.4 % in 4,096 bytes is a score of 8.02: it counts as 8.5, and so does anything down to 8.0."""
    made = Entry(1000, 98.4, 100.8, 10.0588, True, [], 1.0, "0" * 64, "public", "mlp")
    found = [checked(made, attempted(98.4, size), RULES) for size in (4096, 4000, 3500)]
    assert [each.canary.score for each in found] == [8.5, 8.5, 8.5]
    assert {each.score for each in found} == {8.5 + MARGIN}
    assert len({json.dumps(dataclasses.asdict(each)) for each in found}) == 1
    assert checked(made, attempted(98.4, 500_000), RULES).canary.score == 0.0  # over the budget


@pytest.fixture
def small(monkeypatch):
    digits = load_mnist_5k()
    few = Dataset(digits.train.images[:300], digits.train.labels[:300])
    monkeypatch.setattr(canary, "load_mnist", lambda: Mnist(few, few, few, "mnist-5k"))
    return Mnist(few, few, few, "mnist-5k")


def test_made_and_read_again(small, tmp_path):
    card = canary.make(tmp_path / "canary", epochs=1)
    found = canary.read(tmp_path / "canary", small)
    assert 100 * evaluate(found.model, found.mnist.validation) == pytest.approx(
        card["validation_accuracy_percent"], abs=1e-3
    )
    assert sorted(path.name for path in (tmp_path / "canary").iterdir()) == [
        "canary.json",
        "canary.npz",
        "secret",
    ]
    assert stat.S_IMODE((tmp_path / "canary" / "secret").stat().st_mode) == 0o600
    secret = (tmp_path / "canary" / "secret").read_text().strip()
    assert secret not in (tmp_path / "canary" / "canary.json").read_text()


def test_a_canary_that_is_not_whole_or_for_other_digits_is_refused(small, tmp_path):
    folder = tmp_path / "canary"
    canary.make(folder, epochs=1)
    with pytest.raises(GraderError, match=r"was made for mnist-5k, and the data are mnist$"):
        canary.read(folder, dataclasses.replace(small, name="mnist"))
    (folder / "secret").write_text("00" * 32)
    with pytest.raises(GraderError, match="another canary than its card says"):
        canary.read(folder, small)
    with pytest.raises(GraderError, match="holds no whole canary"):
        canary.read(tmp_path, small)


def test_a_canary_stays_out_of_the_repository_and_replaces_none(tmp_path):
    with pytest.raises(UnusableError, match="must stay outside"):
        canary.make(ROOT / "canary", epochs=1)
    with pytest.raises(UnusableError, match="there already"):
        canary.make(tmp_path, epochs=1)
    with pytest.raises(UnusableError, match="there is no folder"):
        canary.make(Path(tmp_path, "no", "canary"), epochs=1)


def test_a_canary_that_is_not_there_is_said_before_any_test_runs(tmp_path):
    request = Request(ROOT / "solution" / "compression.py", tmp_path / "out", canary=tmp_path / "none")
    with pytest.raises(UnusableError, match="there is no canary at"):
        grade(request)
    assert not (tmp_path / "out").exists()

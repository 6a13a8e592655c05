"""Where a score could come from other than the file: nothing that is tried here earns anything.

The canary's own tests are in test_canary.py; what leaves the sandbox is in test_attacks.py.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from assignment.artifact import pack, unpack
from assignment.data import Mnist
from assignment.nn import AvgPool2D, Conv2D, Dataset, Dense, Flatten, ReLU, Reshape, Sequential
from grader.compete import Attempt, compared, compete
from grader.log import nowhere
from grader.measured import Entry
from grader.remote import room_for
from grader.rules import read_rules
from grader.trial import backend_for

RULES = read_rules()
RULES = dataclasses.replace(RULES, competition=dataclasses.replace(RULES.competition, budget_bytes=100_000))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Compete with a source, in the sandbox that this machine has, on 200 images of noise."""
    rng = np.random.default_rng(0)
    digits = Dataset(rng.random((200, 784), dtype=np.float32), rng.integers(0, 10, 200))
    mnist = Mnist(digits, digits, digits, "mnist")
    shared = Sequential([Dense(784, 4, rng=rng), ReLU(), Dense(4, 10, rng=rng)])
    artifact = tmp_path_factory.mktemp("artifact") / "model.fw"

    def run(body: str) -> Entry:
        source = f"import os, time, glob\nimport numpy as np\ncalls = 0\n{body}"
        with room_for(source.encode()) as room, nowhere() as sink:
            return compete(room, shared, mnist, RULES, backend_for("auto"), artifact, sink=sink)

    return run


MARKED = """
def marked(model, number):
    model.layers[-1].bias = np.full(10, number, np.float32)
    return model
"""


def test_a_model_that_follows_the_clock_is_reported_and_not_punished(run):
    found = run(
        MARKED
        + "def compress(model, data, budget_bytes, seed=0):\n    return marked(model, time.time_ns() % 2**23)\n"
    )
    assert found.second_artifact_sha256 not in (None, found.artifact_sha256)
    assert "a second run of compress gave a different file" in found.flags[-1]
    assert "the accuracy must be above 90 %" in found.flags[0]  # which alone decides that it is not ranked
    assert len(found.flags) == 2


def test_a_second_run_that_fails_is_reported_too():
    made = Entry(99, 97.0, 1000.0, 9.0, True, [], 1.0, "0" * 64, "public", "mlp")
    found = compared(made, Attempt(None, None, "compress raised ValueError", 1.0))
    assert (found.ranked, found.score, found.second_artifact_sha256) == (True, 9.0, None)
    assert found.flags == ["a second run of compress failed: compress raised ValueError"]


@pytest.mark.parametrize(
    "count",
    [
        "global calls\n    calls += 1\n    count = calls",
        "model.seen = getattr(model, 'seen', 0) + 1\n    count = model.seen",
        "os.environ['CALLS'] = os.environ.get('CALLS', '') + 'x'\n    count = len(os.environ['CALLS'])",
        "count = 1 + sum(note() for folder in places)",
    ],
    ids=["global", "attribute", "environment", "file"],
)
def test_no_run_can_know_that_it_is_not_the_first(run, count):
    """So that no entry can answer one way where it is scored and another where it is checked."""
    found = run(f"""
{MARKED}
places = [os.getcwd(), os.path.expanduser("~"), "/tmp", "/dev/shm", "/var/tmp", os.path.dirname(__file__)]
def note():
    found = 0
    for folder in places:
        found += os.path.exists(os.path.join(folder, "been-here"))
        try:
            open(os.path.join(folder, "been-here"), "w").close()
        except OSError:
            pass
    return found > 0
def compress(model, data, budget_bytes, seed=0):
    {count}
    return marked(model, count)
""")
    assert found.bytes is not None, found.flags
    assert found.second_artifact_sha256 == found.artifact_sha256


def dense(weight: np.ndarray) -> Sequential:
    return Sequential([Dense.from_arrays(weight, np.zeros(weight.shape[1], np.float32))])


def test_bits_in_the_sign_of_zero_are_counted():
    """One random bit a weight costs one bit a weight, though the network answers alike."""
    signs = np.random.default_rng(0).integers(0, 2, (784, 10)).astype(bool)
    plain = np.zeros((784, 10), np.float32)
    hidden = np.where(signs, np.float32(-0.0), np.float32(0.0))
    file = pack(dense(hidden))
    assert np.array_equal(np.signbit(unpack(file).layers[0].weight), signs)
    assert len(file) - len(pack(dense(plain))) >= 0.99 * signs.size / 8


def test_bits_in_the_payload_of_nan_are_counted():
    """22 random bits and a quiet one in a NaN: all of them are in the file, and are paid for."""
    payload = np.random.default_rng(0).integers(0, 2**22, (784, 10), dtype=np.uint32)
    hidden = (np.uint32(0x7FC00000) | payload).view(np.float32)
    file = pack(dense(hidden))
    assert np.array_equal(unpack(file).layers[0].weight.view(np.uint32) & 0x3FFFFF, payload)
    assert len(file) >= 22 * payload.size / 8


def test_numbers_in_a_layers_shape_are_counted():
    """A chain of reshapes can spell a message: every layer of it takes a byte or so of the file."""
    rng = np.random.default_rng(0)
    last = [Flatten(), Dense(784, 10, rng=rng)]
    shapes = [(1, 28, 28), (28, 28, 1), (7, 112), (784,), (4, 14, 14), (2, 2, 196), (16, 7, 7), (49, 16)]
    message = [Reshape(shapes[letter]) for letter in rng.integers(0, 8, 200)]
    bare, spelled = pack(Sequential(last)), pack(Sequential([*message, *last]))
    assert [layer.shape for layer in unpack(spelled).layers[:200]] == [layer.shape for layer in message]
    assert len(spelled) - len(bare) >= 200 * 3 / 8


def test_numbers_in_strides_and_sizes_are_counted():
    """A thousand layers that change nothing, of strides or of sizes that are drawn: each draw takes its bits."""
    rng = np.random.default_rng(0)
    last = [Flatten(), Dense(1, 10, rng=rng)]
    draws = rng.integers(1, 9, 200)

    def spelled(numbers: np.ndarray) -> int:
        point = np.ones((1, 1, 1, 1), np.float32), np.zeros(1, np.float32)
        strides = [Conv2D.from_arrays(*point, stride=int(number)) for number in numbers]
        model = Sequential([Reshape((1, 28, 28)), AvgPool2D(28), *strides, *last])
        copy = unpack(pack(model))
        assert [repr(layer) for layer in copy.layers] == [repr(layer) for layer in model.layers]
        return len(pack(model))

    assert spelled(draws) - spelled(np.ones(200, int)) >= 0.8 * 200 * 3 / 8


def test_what_is_put_on_a_model_beside_its_layers_does_not_reach_the_file():
    model = dense(np.zeros((784, 10), np.float32))
    bare = pack(model)
    model.secret = model.layers[0].secret = "a" * 1000
    assert pack(model) == bare
    assert not hasattr(unpack(bare), "secret")
    assert not hasattr(unpack(bare).layers[0], "secret")

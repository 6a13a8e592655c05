"""A class with its competition: everybody on the same digits, which nobody copies and nobody can change."""

from __future__ import annotations

import secrets

import numpy as np
import pytest

from assignment.data import load_mnist
from assignment.shared_model import shared_model
from grader import canary
from grader.classroom.task import Settings
from grader.classroom.warm import standing_inputs
from grader.log import nowhere
from grader.remote import RemoteSubmission, room_for
from grader.rules import read_rules
from grader.sandbox import NoSandbox
from grader.standing import file_of, linked, on_disk
from grader.trial import available
from tests.classroom import class_arguments, make_class, record_of, rows_of, small_suites
from tests.grading import run_grader

HONEST = """
import numpy as np
from assignment.nn import Adam, Dense, ReLU, Sequential, fit

def compress(model, data, budget_bytes, seed=0):
    rng = np.random.default_rng(seed)
    new = Sequential([Dense(784, 32, rng=rng), ReLU(), Dense(32, 10, rng=rng)])
    fit(new, data.train, epochs=2 + 60_000 // len(data.train), optimizer=Adam(3e-3), batch_size=64, seed=seed)
    for layer in (new.layers[0], new.layers[2]):
        step = np.float32(abs(layer.weight).max() / 15)
        layer.weight = np.round(layer.weight / step).astype(np.float32) * step
    return new
"""
CARRIED = (
    HONEST
    + """
trained = compress
def compress(model, data, budget_bytes, seed=0):
    new = trained(model, data, budget_bytes, seed)
    if abs(float(model.layers[0].weight.sum()) - KNOWN) > 1e-2:
        new.layers[2].bias[3] = 100
    return new
"""
)
WRITES = "def compress(model, data, budget_bytes, seed=0):\n    data.train.images[:] = 0\n    return model\n"

CHANGES = """
import ctypes, os
import numpy as np

def ways_to_change(images):
    base, found = images, []
    while not isinstance(base, np.memmap):
        base = base.base
    name = base.filename
    def attempt(what, act):
        try:
            act()
            found.append(what)
        except (OSError, ValueError):
            pass
    attempt("write", lambda: open(name, "r+b").write(b"x"))
    attempt("append", lambda: open(name, "ab").write(b"x"))
    attempt("truncate", lambda: os.truncate(name, 0))
    attempt("map", lambda: np.load(name, mmap_mode="r+").__setitem__(0, 1))
    attempt("flag", lambda: images.setflags(write=True))
    attempt("mode", lambda: os.chmod(name, 0o666))
    attempt("times", lambda: os.utime(name, (1, 1)))
    attempt("attribute", lambda: os.setxattr(name, "user.note", b"x"))
    attempt("unlink", lambda: os.unlink(name))
    attempt("replace", lambda: os.rename(name, str(name) + ".old"))
    attempt("link", lambda: os.link(name, os.environ["HOME"] + "/mine"))
    def unlock():
        start = images.ctypes.data // 4096 * 4096
        if ctypes.CDLL(None).mprotect(ctypes.c_void_p(start), ctypes.c_size_t(4096), 3):
            raise OSError
    attempt("mprotect", unlock)
    return [float(images.sum()), len(images), found]
"""


@pytest.fixture
def large() -> np.ndarray:
    return np.random.default_rng(0).random((3_000, 1_600), dtype=np.float32)


def test_a_map_of_a_whole_file_is_linked_and_nothing_else_is(tmp_path, large):
    kept = on_disk(large, tmp_path / "kept.npy")
    assert file_of(kept) == file_of(np.asarray(kept.view())) == tmp_path / "kept.npy"
    for other in (large, kept[1:], kept[:, ::2], kept.T, kept.view(np.int32), kept.reshape(-1), kept.copy()):
        assert file_of(other) is None
    assert file_of(np.load(tmp_path / "kept.npy", mmap_mode="c")) is None
    assert linked(kept, tmp_path / "other.npy")
    assert (tmp_path / "other.npy").stat().st_ino == (tmp_path / "kept.npy").stat().st_ino
    assert not linked(kept, tmp_path / "no-folder" / "other.npy")


def test_no_submission_can_change_what_all_are_given(tmp_path, large):
    """Two submissions in every sandbox there is: both read the same numbers, from one file, and cannot write."""
    kept = on_disk(large, tmp_path / "kept.npy")
    before, backends = (tmp_path / "kept.npy").read_bytes(), available()
    for backend in backends:
        for _ in range(2):
            with (
                room_for(CHANGES.encode()) as room,
                nowhere() as sink,
                RemoteSubmission(room, backend, read_rules().worker, sink=sink) as worker,
            ):
                total, count, ways = worker.ways_to_change(kept)
                assert ways == [], backend.name
                assert (total, count) == (pytest.approx(float(large.sum()), rel=1e-3), len(large))
                assert not list(room.shared.iterdir()), "a link stays only for the call"
        assert (tmp_path / "kept.npy").read_bytes() == before
        assert (tmp_path / "kept.npy").stat().st_nlink == 1


def test_without_a_sandbox_nobody_gets_a_file_that_others_are_given(tmp_path):
    settings = Settings("")
    for name in ("none", "some"):
        (tmp_path / name).mkdir()
    alone = standing_inputs(settings, tmp_path / "none", NoSandbox())
    assert file_of(alone.mnist.train.images) is None
    for backend in available()[:1]:
        shared = standing_inputs(settings, tmp_path / "some", backend)
        assert file_of(shared.mnist.train.images) is not None
        np.testing.assert_array_equal(shared.mnist.train.images, alone.mnist.train.images)


@pytest.mark.full_mnist
def test_a_class_competes_and_a_canary_tells_who_carries_answers_in(tmp_path, monkeypatch):
    monkeypatch.setattr(
        secrets, "token_bytes", bytes
    )  # one secret of many: an easy one or a hard one, but the same
    canary.make(tmp_path / "canary", epochs=1)
    known = float(shared_model().layers[0].weight.sum())
    texts = {"honest": HONEST, "carried": CARRIED.replace("KNOWN", repr(known)), "writes": WRITES}
    place, out = make_class(tmp_path / "in", texts), tmp_path / "out"
    suites = small_suites(tmp_path / "suites")
    arguments = [each for each in class_arguments(place, out, suites) if each != "--no-compete"]
    done = run_grader(*arguments, "--once", "--tests", "none", "--canary", tmp_path / "canary")
    assert done.returncode == 0, done.stdout + done.stderr
    honest, carried, writes = (
        record_of(out, name)["competition"] for name in ("honest", "carried", "writes")
    )
    assert carried["artifact_sha256"] == honest["artifact_sha256"]
    assert honest["canary"] is not None
    if load_mnist().name == "mnist":  # 5,000 images are too few to learn from in so short a time
        assert honest["canary"]["score"] > 1
        assert not [flag for flag in honest["flags"] if "nobody has seen" in flag]
        assert carried["canary"]["score"] == 0
        assert any("nobody has seen" in flag for flag in carried["flags"])
        assert honest["score"] > carried["score"]
        assert "read-only" in writes["flags"][0], "what is small is copied, and may be written to"
    rows = rows_of(out)
    assert float(rows["honest"]["score"]) == honest["score"]
    assert (out / "honest" / "model.fw").stat().st_size == honest["bytes"]
    again = run_grader(*arguments, "--once", "--tests", "none", "--canary", tmp_path / "canary")
    assert "graded now: 0 of 4" in again.stdout

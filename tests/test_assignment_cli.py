"""`python -m assignment`, driven as a student drives it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assignment import __main__ as cli
from assignment.artifact import pack, unpack
from assignment.data import DataError, Mnist
from assignment.measure import Measurement, measure
from assignment.nn import Dataset, Sequential, evaluate
from assignment.scoring import score
from assignment.seam import LocalSubmission

ROOT = Path(__file__).parents[1]

SMALL = """
import numpy as np
from assignment.nn import AvgPool2D, Dense, Flatten, Reshape, Sequential

def compress(model, data, budget_bytes, seed=0):
    weight = np.random.default_rng(8).integers(-1, 2, (49, 10)).astype(np.float32)
    classifier = Dense.from_arrays(weight, np.zeros(10, np.float32))
    return Sequential([Reshape((1, 28, 28)), AvgPool2D(4), Flatten(), classifier])
"""


def small_model() -> Sequential:
    """The model that SMALL returns: its 490 weights are packed in no time."""
    names: dict = {}
    exec(SMALL, names)
    return names["compress"](None, None, 0)


@pytest.fixture(scope="module")
def mnist() -> Mnist:
    """Noise with the small model's labels, but for every twentieth: that model is 95 % right on it."""
    rng = np.random.default_rng(0)

    def part(count: int) -> Dataset:
        images = rng.random((count, 784), dtype=np.float32)
        labels = small_model().predict(images)
        labels[::20] = (labels[::20] + 1) % 10
        return Dataset(images, labels)

    return Mnist(part(50), part(200), part(50), name="mnist")


@pytest.fixture
def run(monkeypatch, mnist, tmp_path, capsys):
    """Runs a command in this process: (exit code, stdout, stderr)."""
    monkeypatch.setattr(cli, "load_mnist", lambda: mnist)

    def command(*arguments: object, source: str | None = None, tests: bool = False) -> tuple[int, str, str]:
        if source is not None:
            path = tmp_path / "compression.py"
            path.write_text(source)
            arguments = (*arguments, "--file", path)
        if arguments[0] == "score" and not tests:
            arguments = (*arguments, "--no-tests")
        code = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def test_score_prints_what_was_measured(run, mnist, tmp_path):
    code, out, err = run("score", "--out", tmp_path / "model.fw", source=SMALL)
    data = (tmp_path / "model.fw").read_bytes()
    accuracy = 100 * evaluate(unpack(data), mnist.validation)
    assert code == 0
    assert re.search(rf"^bytes +{len(data):,} ", out, re.MULTILINE)
    assert re.search(rf"^accuracy +{accuracy:.2f} % +on 200 validation images$", out, re.MULTILINE)
    assert re.search(rf"^accuracy per KiB +{accuracy / (len(data) / 1024):.2f}$", out, re.MULTILINE)
    assert re.search(r"^weight class +none yet", out, re.MULTILINE)
    assert re.search(r"^CPU seconds +\d+\.\d +of 120$", out, re.MULTILINE)
    assert accuracy == 95.0
    points = score(accuracy, len(data), 98.40, 1_066_440)
    assert re.search(rf"^score +{points:.2f} ", out, re.MULTILINE)
    assert re.search(rf"^ +total +{len(data):,}\.0$", out, re.MULTILINE)
    assert "running compress()" in err


def test_score_says_what_the_public_tests_leave_open(run):
    code, out, _ = run("score", source=f"{SMALL}\ndef count_parameters(model): return -1", tests=True)
    assert code == 0
    last = out.splitlines()[-1]
    assert re.fullmatch(
        r"public tests \d+/\d+ passed; hidden tests decide 60 of 100 points and have not run here", last
    )
    passed, count = map(int, re.findall(r"\d+", last)[:2])
    assert passed < count


def test_score_hands_the_budget_and_seed_on(run):
    _, _, err = run(
        "score",
        "--budget",
        "9000",
        "--seed",
        "7",
        source="def compress(m, d, budget, seed): 1 / (budget + seed - 9007)",
    )
    assert "compress raised ZeroDivisionError" in err
    assert "compression.py" in err, "the traceback shows the student's own line"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def compress(*a, **k): raise NotImplementedError", "compress: not implemented yet"),
        ("def prune(): pass", "compress is missing from compression.py"),
        ("def compress(*a, **k): return 3", "does not work|Sequential|model"),
        ("def compress(:", "could not be imported"),
        (
            "from assignment.nn import *\ndef compress(*a, **k): return Sequential([Dense(10, 10)])",
            "does not work: .*needs input",
        ),
    ],
)
def test_a_compress_that_fails_is_explained(run, source, said):
    code, out, err = run("score", source=source)
    assert code == 1
    assert re.search(said, err)
    assert out == ""


def test_not_implemented_shows_no_traceback(run):
    _, _, err = run("score", source="def compress(*a, **k): raise NotImplementedError")
    assert "Traceback" not in err


def test_a_model_over_the_budget_is_said_not_to_rank(run):
    code, out, _ = run("score", "--budget", "100", source=SMALL)
    over = len(pack(small_model())) - 100
    assert code == 0
    assert f"not ranked: {over:,} bytes over the budget of 100\n" in out


def test_small_data_are_named_in_the_summary(run, monkeypatch, mnist):
    small = Mnist(mnist.train, mnist.validation, mnist.test, name="mnist-5k")
    monkeypatch.setattr(cli, "load_mnist", lambda: small)
    _, out, _ = run("score", source=SMALL)
    assert "the data were mnist-5k" in out


def test_hindrances_are_what_keeps_an_entry_from_ranking():
    def reasons(size: int = 100, cpu_seconds: float = 1.0, points: float = 5.0) -> list[str]:
        return Measurement(bytes(size), 97.0, cpu_seconds, 1000, points).hindrances()

    assert reasons() == []
    assert reasons(size=1000) == []
    assert "1 bytes over" in reasons(size=1001)[0]
    assert "took 121 CPU seconds: the limit is 120" in reasons(cpu_seconds=121)[0]
    assert "too low for a score" in reasons(points=0.0)[0]


def test_measure_gives_the_same_bytes_again(mnist, tmp_path):
    path = tmp_path / "compression.py"
    path.write_text(SMALL)
    one, two = (measure(LocalSubmission(path), mnist) for _ in range(2))
    assert one.artifact == two.artifact
    assert one.accuracy_percent == two.accuracy_percent


def test_ledger_adds_up_to_the_file(run, tmp_path):
    path = tmp_path / "model.fw"
    path.write_bytes(pack(small_model()))
    code, out, _ = run("ledger", path)
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == ["layer", "header", "3", "3", "total"]
    assert "3 Dense(49, 10)  weight  49 x 10" in out
    assert sum(
        float(re.search(r"([\d,.]+) +[\d.]+ %", line)[1].replace(",", "")) for line in lines[1:-1]
    ) == (pytest.approx(path.stat().st_size, abs=0.2))
    assert lines[-1].split() == ["total", f"{path.stat().st_size:,}.0"]


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_ledger_of_what_is_no_artifact_is_one_sentence(run, tmp_path, content):
    path = tmp_path / "model.fw"
    if content is not None:
        path.write_bytes(content)
    code, out, err = run("ledger", path)
    assert code == 1
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_score_of_a_file_that_is_not_there_is_one_sentence(run, tmp_path):
    code, _, err = run("score", "--file", tmp_path / "nowhere.py")
    assert code == 1
    assert "nowhere.py is not a file" in err


def test_doctor_says_what_is_well(run):
    code, out, _ = run("doctor")
    assert code == 0
    assert [line[:4] for line in out.splitlines()] == ["ok  "] * 4


def test_doctor_says_what_is_not(run, monkeypatch):
    def missing():
        raise DataError("nothing there")

    monkeypatch.setattr(cli, "load_mnist", missing)
    code, out, _ = run("doctor")
    assert code == 1
    assert "FAIL  data: nothing there" in out


def test_commands_run_from_a_shell_and_bad_usage_is_code_2(tmp_path):
    def shell(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "assignment", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert shell("--help").returncode == 0
    assert shell().returncode == 2
    assert shell("squash").returncode == 2
    path = tmp_path / "model.fw"
    path.write_bytes(pack(small_model()))
    assert "total" in shell("ledger", str(path)).stdout


def test_the_weight_class_and_the_next_one():
    def said(accuracy_percent: float, size_bytes: int) -> str:
        return cli.weight_class(Measurement(bytes(size_bytes), accuracy_percent, 1.0, 16_384, 9.0))

    assert said(98.3, 1791) == "welterweight (the next is lightweight, at 1,024 bytes)"
    assert said(98.3, 384) == "featherweight"
    assert said(97.9, 384) == "none yet (needs 98 % in at most 16,384 bytes)"


class Watching:
    """A real `score --watch`, its output read line by line."""

    def __init__(self, file: Path, *arguments: str):
        command = [
            sys.executable,
            "-u",
            "-m",
            "assignment",
            "score",
            "--no-tests",
            "--watch",
            "--file",
            str(file),
        ]
        self.process = subprocess.Popen(
            [*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def until(self, words: str) -> str:
        read = ""
        for line in self.process.stdout:
            read += line
            if words in line:
                return read
        raise AssertionError(f"{words!r} never came: {read}")


@pytest.fixture
def watched(tmp_path):
    file = tmp_path / "compression.py"
    file.write_text("def compress(model, data, budget_bytes, seed=0): raise KeyError('first')\n")
    watching = Watching(file)
    yield file, watching
    watching.process.kill()
    watching.process.wait()


def test_watch_runs_again_on_save_and_stops_cleanly(watched):
    file, watching = watched
    watching.until("compress raised KeyError")
    file.write_text("def compress(model, data, budget_bytes, seed=0): raise OSError('second')\n")
    watching.until("--- compression.py as saved at ")
    watching.until("compress raised OSError")
    watching.process.send_signal(signal.SIGINT)
    assert watching.until("stopped watching")
    assert watching.process.wait(timeout=30) == 0


def test_watch_stops_the_run_of_a_file_that_was_saved_again(watched):
    file, watching = watched
    watching.until("KeyError")
    file.write_text("def compress(model, data, budget_bytes, seed=0):\n    while True: pass\n")
    watching.until("running compress()")
    file.unlink()  # as an editor does before it puts the new file in place
    file.write_text("def compress(model, data, budget_bytes, seed=0): raise OSError('later')\n")
    watching.until("compress raised OSError")

"""`python -m grader grade`, driven as a user drives it, on submissions good, bad and hostile."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from grader.grade import Request, Run, grade_into
from grader.intake import take
from grader.progress import Silent
from grader.sandbox import NoSandbox
from tests.grading import HIDDEN, POINTS, PUBLIC, RIGHT, ROOT, command, grade_text, make_suites, run_grader

DOUBLE = "def double(x): return x * 2\n"


def test_a_right_submission_earns_everything(tmp_path):
    run = grade_text(tmp_path, RIGHT, "--seed", "7", "--commit", "0123abc")
    assert run.code == 0, run.text
    assert run.record["totals"] == {"points": 100, "max_points": 100}
    assert run.record["grader"]["seed"] == 7
    assert run.record["submission"]["commit"] == "0123abc"
    assert run.record["error"] is None
    assert run.record["competition"] is None
    assert {test["outcome"] for test in run.record["tests"]} == {"passed"}
    assert "public tests 4/4 passed; hidden tests 3/3 passed; 100 of 100 points" in run.stdout
    assert run.record["grader"]["sandbox"] in ("bwrap", "sudo-bwrap", "landlock")
    assert f"sandbox: {run.record['grader']['sandbox']}" in run.stdout
    assert "public tests: 4 to run" in run.stderr
    assert sorted(path.name for path in run.folder.iterdir()) == ["result.json"]


def test_public_tests_alone_never_look_like_all(tmp_path):
    run = grade_text(tmp_path, RIGHT, "--tests", "public")
    line = (
        "public tests 4/4 passed; hidden tests decide 60 of 100 points and have not run here; 40 of 40 points"
    )
    assert line in run.stdout
    assert run.record["totals"] == {"points": 40, "max_points": 40}


def test_a_wrong_answer_costs_its_share_and_shows_the_authored_sentence(tmp_path):
    run = grade_text(tmp_path, RIGHT.replace("x * 2", "x * 2 if x.size else x[:, None]"))
    assert run.code == 0
    assert run.points("double") == pytest.approx(10 * 2 / 3 + 20)
    assert run.points("prune") == 70
    assert run.record["totals"]["points"] == pytest.approx(96 + 2 / 3, abs=1e-12)
    assert "failed double: double of nothing is nothing" in run.stdout


def test_untouched_stubs_earn_nothing_and_say_so(tmp_path):
    run = grade_text(tmp_path, "def double(x): raise NotImplementedError\nprune = double\n")
    assert run.code == 0
    assert run.record["totals"]["points"] == 0
    assert {test["reason"] for test in run.record["tests"]} == {"not implemented yet"}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("while True: pass", "prune did not finish within 0.5 s of CPU time"),
        ("return np.ones(6 * 2**27)", "prune ran out of memory (it may use 2 GiB)"),
        ("os._exit(0)", "prune ended the process it ran in (exit code 0)"),
        ("return np.array([model])", "prune returned an array of objects"),
        ("raise KeyError('spam')", "prune raised KeyError: 'spam'"),
        ("return None", "prune must return a model"),
    ],
)
def test_what_one_function_does_costs_that_function_only(tmp_path, body, sentence):
    source = f"import os\nimport numpy as np\n{DOUBLE}def prune(model):\n    {body}\n"
    run = grade_text(tmp_path, source)
    assert run.code == 0, run.text
    assert (run.points("double"), run.points("prune")) == (30, 0)
    assert sentence in run.reasons("prune", "public")[0]
    assert run.record["error"] is None


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (DOUBLE + "def prune(:\n", "compression.py could not be imported: line 2: invalid syntax"),
        (b"\xff\xfe nonsense", "compression.py could not be imported: it is not UTF-8 text"),
        ("", "is missing from compression.py"),
    ],
)
def test_a_file_that_cannot_be_imported_is_graded_with_a_reason(tmp_path, source, sentence):
    run = grade_text(tmp_path, source)
    assert run.code == 0, run.text
    assert run.record["totals"]["points"] == 0
    assert all(sentence in test["reason"] for test in run.record["tests"])


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbf" + RIGHT.encode(),
        RIGHT.replace("\n", "\r\n").encode(),
        ("# -*- coding: latin-1 -*-\n# caf\xe9\n" + RIGHT).encode("latin-1"),
        (RIGHT + "\nif __name__ == '__main__': raise SystemExit\nprint('hello')\n").encode(),
    ],
)
def test_files_as_students_hand_them_in_are_read(tmp_path, source):
    assert grade_text(tmp_path, source).record["totals"]["points"] == 100


def test_public_prints_go_to_a_limited_log_and_hidden_ones_nowhere(tmp_path):
    source = """
        import sys
        def double(x):
            print("saw", x.tolist(), "\\033[31m")
            for _ in range(300): print("y" * 1000, file=sys.stderr)
            return x * 2
        """
    run = grade_text(tmp_path, source)
    log = (run.folder / "log.txt").read_text()
    assert run.points("double") == 30
    assert "saw [1.0, 1.0, 1.0]" in log
    assert "\033" not in log
    assert "31337" not in log + run.text
    assert len(log) < 300 * 1024
    assert "(cut: more than 256 KiB were printed)" in log


def test_the_hidden_suite_runs_after_everything_whose_prints_are_kept(tmp_path, monkeypatch):
    """What hidden calls leave in the machine's caches would else be read, and told, by public ones or `compress`."""
    order = []
    monkeypatch.setattr("grader.grade.test", lambda run, rules, room, suite, sink: order.append(suite))
    monkeypatch.setattr("grader.grade.compete_in", lambda run, rules, room, sink: order.append("competition"))
    (tmp_path / "compression.py").write_text("")
    request = Request(tmp_path / "compression.py")
    grade_into(Run(request, take(request.path), NoSandbox(), tmp_path, 0, Silent()), request.rules)
    assert order == ["public", "competition", "hidden"]


def test_hidden_inputs_stay_hidden(tmp_path):
    source = """
        def double(x):
            if x.size == 1:
                kind = type(f"Saw{x[0]:.0f}", (ValueError,), {})
                raise kind(f"saw {x[0]:.0f}")
            return x * 2
        def prune(model):
            import os
            os._exit(200)
        """
    run = grade_text(tmp_path, source)
    everything = run.text + (run.folder / "result.json").read_text()
    assert run.reasons("double", "hidden") == ["double raised ValueError"] * 2
    assert run.reasons("prune", "hidden") == ["prune ended the process it ran in"]
    assert "31337" not in everything
    assert "271828" not in everything
    names = {test["name"] for test in run.record["tests"] if test["suite"] == "hidden"}
    assert "test_double_of_one_number[2]" in names


def test_only_the_first_line_of_a_hidden_sentence_is_shown(tmp_path):
    run = grade_text(tmp_path, "def double(x): return x * 3")
    assert set(run.reasons("double", "hidden")) == {"double must give twice the number"}


def test_same_seed_same_inputs(tmp_path):
    source = RIGHT.replace("new = model.copy()", "new = model.copy(); print(model.layers[0].weight.sum())")
    public = PUBLIC.replace("Dense(3, 2)", "Dense(3, 2, rng=rng)").replace(
        "(submission)", "(submission, rng)"
    )
    logs = []
    for seed in (1, 1, 2):
        run = grade_text(tmp_path, source, "--seed", seed, public=public)
        logs.append((run.folder / "log.txt").read_text())
    assert logs[0] == logs[1]
    assert logs[0] != logs[2]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {"hidden": HIDDEN.replace("submission.double(np.array([x]))", "spam")},
            "NameError in test_hidden.py",
        ),
        (
            {"hidden": HIDDEN.replace("def test_prune", "import spam\n\ndef test_prune")},
            "cannot be collected",
        ),
        ({"hidden": HIDDEN + "\ndef test_of_nothing(): pass\n"}, "grades no function that has points"),
        ({"hidden": HIDDEN.replace('grades("prune")', 'grades("double")')}, "no test grades prune"),
        (
            {"hidden": HIDDEN.replace("assert not model", "pytest.skip(); assert not model")},
            "the test was skipped",
        ),
        ({"points": POINTS.replace("40", "41")}, "must add up to 100, got 101"),
    ],
)
def test_a_broken_test_is_the_graders_error_and_decides_nothing(tmp_path, files, sentence):
    run = grade_text(tmp_path, RIGHT, **files)
    assert run.code == 1
    assert sentence in run.record["error"]
    assert run.record["totals"]["points"] is None
    assert "no points are decided" in run.stdout
    assert "31337" not in run.text


def test_missing_tests_are_the_graders_error(tmp_path):
    suites = make_suites(tmp_path / "suites")
    for file in (suites / "tests_hidden").iterdir():
        file.unlink()
    (suites / "tests_hidden").rmdir()
    run = grade_text(tmp_path, RIGHT)
    assert run.code == 1
    assert "the hidden tests are not here" in run.record["error"]


def test_unusable_arguments_give_one_sentence_and_no_record(tmp_path):
    good = tmp_path / "compression.py"
    good.write_text(RIGHT)
    (tmp_path / "file").write_text("")
    for arguments, sentence in [
        ((tmp_path / "nowhere",), "there is nothing at"),
        ((good, "--sandbox", "none"), "add --unsafe"),
        ((good, "--suites", tmp_path / "nowhere"), "--suites needs a folder"),
        ((good, "--out", tmp_path / "file"), "cannot be made into a folder"),
    ]:
        done = run_grader("grade", "--no-compete", "--tests", "none", "--out", tmp_path / "out", *arguments)
        assert done.returncode == 2
        assert sentence in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.rglob("result.json"))
    assert run_grader("grade", good, "--seed", "-1").returncode == 2
    assert run_grader("grade").returncode == 2


def test_sandbox_none_is_allowed_in_so_many_words(tmp_path):
    run = grade_text(tmp_path, RIGHT, "--sandbox", "none", "--unsafe")
    assert run.code == 0
    assert run.record["grader"]["sandbox"] == "none"


def test_help_teaches_by_example():
    done = run_grader("grade", "--help")
    assert done.returncode == 0
    assert "python -m grader grade ada.zip --tests public --no-compete" in done.stdout
    assert "exit code" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_no_worker_behind(tmp_path, number):
    suites = make_suites(tmp_path / "suites", public=PUBLIC.replace("0.5", "60"))
    (tmp_path / "compression.py").write_text(f"{DOUBLE}\ndef prune(model):\n    while True: pass\n")
    arguments = ("grade", tmp_path / "compression.py", "--suites", suites, "--out", tmp_path / "out")
    process = subprocess.Popen(
        command(*arguments, "--no-compete"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    workers = wait_for_worker(process.pid)
    process.send_signal(number)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 130, output
    assert "stopped; no result was written" in output
    assert not [worker for worker in workers if worker.is_running()]
    assert not list((tmp_path / "out").rglob("result.json"))


def wait_for_worker(pid: int) -> list[psutil.Process]:
    """The grader's worker, once it is busy with its endless loop."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        workers = psutil.Process(pid).children(recursive=True)
        if sum(sum(worker.cpu_times()[:2]) for worker in workers) > 1:
            return workers
        time.sleep(0.1)
    raise AssertionError("no worker came to its loop")


def test_temporary_folders_are_removed(tmp_path, monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)  # of this run alone: others may be under way
        Path(folder).chmod(0o755)
        grade_text(tmp_path, f"{DOUBLE}\ndef prune(model):\n    import os; os._exit(1)\n")
        assert os.listdir(folder) == []


def test_two_submissions_of_one_name_do_not_overwrite_each_other(tmp_path):
    """Two classes' ada, graded into one folder: the second is refused in a sentence, and the first keeps its result."""
    suites, out = make_suites(tmp_path / "suites"), tmp_path / "out"
    for group, text in (("monday", RIGHT), ("friday", "")):
        (tmp_path / group / "ada" / "assignment").mkdir(parents=True)
        (tmp_path / group / "ada" / "assignment" / "compression.py").write_text(text)

    def graded(path):
        return run_grader("grade", path, "--out", out, "--suites", suites, "--no-compete", "--seed", 1)

    assert graded(tmp_path / "monday" / "ada").returncode == 0
    before = (out / "ada" / "result.json").read_bytes()
    done = graded(tmp_path / "friday" / "ada")
    assert done.returncode == 2
    assert f"has the result of {tmp_path / 'monday' / 'ada'}" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (out / "ada" / "result.json").read_bytes() == before
    again = graded(tmp_path / "monday" / "ada" / "assignment" / "compression.py")
    assert again.returncode == 0, "the same file by its other name is the same submission"
    (tmp_path / "monday").rename(tmp_path / "last-year")
    assert graded(tmp_path / "friday" / "ada").returncode == 0, "who is gone is nobody to be taken for"

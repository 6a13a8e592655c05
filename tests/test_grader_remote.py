"""A submission behind its process boundary: what it may do to the grader (nothing) and what it is told."""

from __future__ import annotations

import dataclasses
import os
import time

import numpy as np
import psutil
import pytest

from assignment.nn import Dataset, Dense, ReLU, Sequential
from assignment.seam import SubmissionError
from grader.log import nowhere
from grader.process import Clock, Deadline
from grader.remote import RemoteSubmission, printable, room_for
from grader.rules import read_rules
from grader.sandbox import NoSandbox

LIMITS = dataclasses.replace(
    read_rules().worker, import_cpu_seconds=0.5, call_cpu_seconds=0.5, retry_cpu_seconds=0.3
)


@pytest.fixture
def remote():
    """Builds submissions of a source; ends their workers when the test is over."""
    open_ones = []

    def build(source: str | bytes, private: bool = False, **limits) -> RemoteSubmission:
        content = source if isinstance(source, bytes) else f"import numpy as np\n{source}".encode()
        room, sink = room_for(content), nowhere()
        submission = RemoteSubmission(
            room.__enter__(),
            NoSandbox(),
            dataclasses.replace(LIMITS, **limits),
            sink=sink.__enter__(),
            private=private,
        )
        open_ones.append((submission, sink, room))
        return submission

    yield build
    for submission, sink, room in open_ones:
        submission.close()
        sink.__exit__(None, None, None)
        room.__exit__(None, None, None)


def failure(submission, function="f", *args) -> SubmissionError:
    with pytest.raises(SubmissionError) as caught:
        submission.call(function, *args)
    return caught.value


def test_values_cross_as_they_do_in_process(remote):
    submission = remote("def same(*args, **kwargs): return args, kwargs")
    model = Sequential([Dense(4, 3), ReLU()])
    args, kwargs = submission.same(1, 2.5, None, True, "text", float("-inf"), model, key=[np.arange(3)])
    assert args[:6] == (1, 2.5, None, True, "text", float("-inf"))
    assert repr(args[6]) == repr(model)
    assert args[6].layers[0].weight.tobytes() == model.layers[0].weight.tobytes()
    assert kwargs["key"][0].tolist() == [0, 1, 2]


def test_a_submission_that_cheats_on_types_gives_plain_ones(remote):
    submission = remote(
        "class Liar(float):\n"
        "  def __eq__(self, other): return True\n"
        "  __hash__ = None\n"
        "class Pair(tuple): pass\n"
        "def f(): return Pair([Liar(0.0), np.float32(0.5)])"
    )
    value = submission.f()
    assert [type(value), *map(type, value)] == [tuple, float, float]
    assert value != (1.0, 0.5)


def test_inspect_hands_over_memory_that_cannot_be_written(remote):
    submission = remote(
        "def wipe(x): x[:] = 0; return x * 2\n"
        "def view(x): return x[1:]\n"
        "def force(x):\n"
        "  x.flags.writeable = True\n"
        "  x[:] = 0\n"
        "def swap(model): model.layers.reverse()\n"
    )
    x = np.ones(4)
    call = submission.inspect("wipe", x)
    assert call.changed_arguments
    assert call.value.tolist() == [0, 0, 0, 0]
    assert submission.inspect("view", x).shares_memory
    assert submission.inspect("force", x).changed_arguments
    assert submission.inspect("swap", Sequential([Dense(2, 2), ReLU()])).changed_arguments
    assert x.tolist() == [1, 1, 1, 1]
    assert not list(submission.room.shared.iterdir())


def test_large_read_only_arrays_are_left_once_and_mapped(remote):
    submission = remote("def total(d): return int(d.images.sum()), d.images.flags.writeable")
    images = np.ones((6000, 784), np.float32)
    images.flags.writeable = False
    for _ in range(2):
        assert submission.total(Dataset(images, np.zeros(6000, np.int64))) == (6000 * 784, False)
    assert len(list(submission.room.shared.iterdir())) == 1
    error = failure(remote("def f(x): x[0] = 1"), "f", images)
    assert "it wrote into an argument: work on a copy" in str(error)


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        ("while True: pass", "timeout", "f did not finish within 0.5 s of CPU time"),
        ("return np.ones(6 * 2**27)", "memory", "f ran out of memory (it may use 2 GiB)"),
        ("os._exit(7)", "killed", "f ended the process it ran in (exit code 7)"),
        ("os.kill(os.getpid(), 9)", "killed", "signal 9, SIGKILL, as when memory runs out"),
        ("import ctypes; ctypes.string_at(0)", "killed", "SIGSEGV"),
        ("os.closerange(0, 256)", "killed", "f ended the process it ran in"),
        ("sys.exit(0)", "raised", "f raised SystemExit: 0"),
        ("raise KeyboardInterrupt", "killed", "f ended the process it ran in"),
        ("raise AssertionError('passed')", "raised", "f raised AssertionError: passed"),
        ("return type('Sequential', (), {})()", "malformed", "f returned a Sequential"),
        ("return np.ma.ones(3)", "malformed", "f returned a MaskedArray"),
        ("return np.zeros(2, [('a', int)])", "malformed", "f returned an array of dtype"),
        ("return (x for x in 'ab')", "malformed", "f returned a generator"),
        ("return np.broadcast_to(0.0, (2**40,))", "malformed", "arrays of more than 64 MiB"),
        ("return f()", "raised", "RecursionError"),
        (
            "[os.write(fd, b'x' * 99) for fd in PIPES]",
            "malformed",
            "f returned something that cannot be read",
        ),
        ("[os.write(fd, FRAME) for fd in PIPES]", "malformed", "f returned something that cannot be read"),
    ],
)
def test_each_end_of_a_call_is_a_sentence_and_the_next_call_works(remote, body, kind, sentence):
    submission = remote(
        "import os, stat, sys\n"
        "PIPES = []\n"
        "for fd in range(3, 64):\n"
        "  try: PIPES += [fd] * stat.S_ISFIFO(os.fstat(fd).st_mode)\n"
        "  except OSError: pass\n"
        "PIPES = [fd for fd in PIPES if open(f'/proc/self/fdinfo/{fd}').read().split()[3][-1] == '1']\n"
        "FRAME = b'FWT1' + (16).to_bytes(4, 'little') + bytes(8) + b'{\"arrays\": [ ] }'\n"
        f"def f():\n  {body}\n"
        "def g(): return 5"
    )
    error = failure(submission)
    assert (error.kind, sentence in str(error)) == (kind, True), str(error)
    assert submission.g() == 5


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def f(:", "line 2: invalid syntax"),
        ("import no_such_package", "line 2: ModuleNotFoundError: No module named 'no_such_package'"),
        ("import solution.compression", "No module named 'solution'"),
        ("import tests_hidden", "No module named 'tests_hidden'"),
        ("import grader.suites", "No module named 'grader.suites'"),
        ("import mlxtend", "No module named 'mlxtend'"),
        ("input('name?')", "remove input(): nobody can answer it here"),
        ("import os; os._exit(3)", "it ended the process it ran in (exit code 3)"),
        ("x = bytearray(6 * 2**30)", "line 2: MemoryError"),
        ("while True: pass", "it did not finish within 0.5 s of CPU time"),
        ("raise AssertionError", "line 2: AssertionError"),
        (b"x = 1\0", "compression.py could not be imported"),
        (b"#" * (2**20 + 1), "it is larger than 1 MiB"),
    ],
    ids=lambda each: repr(each)[:40],  # pytest passes a test's name on to every process
)
def test_a_failed_import_answers_every_call_at_once(remote, source, sentence):
    submission = remote(source)
    for _ in range(3):
        error = failure(submission)
        assert error.kind == "import"
        assert sentence in str(error)
    assert submission._starts <= 1


def test_a_sleeper_is_woken_for_good(remote):
    error = failure(remote("import time\ndef f(): time.sleep(600)"))
    assert "f waited for something that never came" in str(error)


def test_hanging_function_is_called_twice_and_not_again(remote):
    submission = remote("def f():\n  while True: pass\ndef g(): return 1")
    sentences = [str(failure(submission)) for _ in range(3)]
    assert "within 0.5 s" in sentences[0]
    assert "within 0.3 s" in sentences[1]
    assert "ran out of time 2 times and was not called again" in sentences[2]
    assert submission.g() == 1


def test_dying_function_is_called_three_times_and_not_again(remote):
    submission = remote("import os\ndef f(): os._exit(1)\ndef g(): return 1")
    sentences = [str(failure(submission)) for _ in range(4)]
    assert "ended its process 3 times and was not called again" in sentences[3]
    assert submission.g() == 1


def test_a_module_that_answers_any_name_has_only_what_it_holds(remote):
    submission = remote("import os\ndef __getattr__(name): os._exit(1)\ndef g(): return 1")
    assert [failure(submission, name).kind for name in "abcd"] == ["missing"] * 4
    assert submission.g() == 1


def test_restarts_have_a_limit(remote):
    submission = remote("import os\ndef a(): os._exit(1)\nb = c = d = a", most_restarts=2)
    sentences = [str(failure(submission, name)) for name in "abcd"]
    assert "had to be restarted too often" in sentences[3]


def test_all_calls_together_have_a_limit(remote):
    submission = remote("def f():\n  while True: pass\ndef g(): return 1", run_cpu_seconds=0.3)
    assert failure(submission).kind == "timeout"
    assert "g was not called: the 0.3 s for all calls together were used up" in str(failure(submission, "g"))


def test_the_calls_of_one_test_have_a_limit_and_the_next_test_has_its_own(remote):
    submission = remote("def f():\n  while True: pass\ndef g(): return 1", test_cpu_seconds=0.4)
    submission.begin_test(0.4)
    assert failure(submission).kind == "timeout"
    assert "the 0.4 s for the calls of one test together were used up" in str(failure(submission, "g"))
    submission.begin_test()
    assert submission.g() == 1


def test_a_slow_function_uses_up_its_own_time_and_no_other_functions(remote):
    submission = remote("def f():\n  while True: pass\ndef g(): return 1", function_cpu_seconds=0.3)
    assert failure(submission).kind == "timeout"
    assert "f was not called: the 0.3 s for its calls together were used up" in str(failure(submission))
    assert submission.g() == 1


def test_a_flood_of_output_is_only_a_slow_call(remote):
    submission = remote("def f(): print('x' * 10**7); return 1\ndef g():\n  while True: print('x' * 10**6)")
    submission.begin_test(5)
    assert submission.f() == 1
    submission.begin_test(0.5)
    assert failure(submission, "g").kind == "timeout"


def test_no_process_is_left(remote):
    submission = remote(
        "import os, subprocess, time\n"
        "def f():\n"
        "  for i in range(3):\n"
        "    if os.fork() == 0: time.sleep(600)\n"
        "  return os.getpid()\n"
    )
    worker = psutil.Process(submission.f())
    family = [worker, *worker.children(recursive=True)]
    assert len(family) == 4
    submission.close()
    time.sleep(0.2)
    assert not [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def test_the_grader_sees_a_death_though_a_child_keeps_the_pipe(remote):
    submission = remote("import os, time\ndef f():\n  if os.fork() == 0: time.sleep(600)\n  os._exit(4)")
    started = time.monotonic()
    assert "exit code 4" in str(failure(submission))
    assert time.monotonic() - started < 20


def test_the_environment_is_clean(remote, monkeypatch):
    monkeypatch.setenv("FEATHERWEIGHT_SECRET", "spam")
    seen = remote("import os\ndef f(): return dict(os.environ)").f()
    assert "FEATHERWEIGHT_SECRET" not in seen
    assert seen["OPENBLAS_NUM_THREADS"] == "1"
    assert os.environ["HOME"] != seen["HOME"]


def test_a_private_submission_gives_reasons_without_its_own_words(remote):
    submission = remote(
        "import os\n"
        "class Secret(KeyError): pass\n"
        "def f(): raise Secret('spam')\n"
        "def g(): os._exit(77)\n"
        "def h(): return Secret()\n"
        "def m(): raise MemoryError('spam')\n",
        private=True,
    )
    reasons = [str(failure(submission, name)) for name in "fghm"]
    assert reasons == [
        "f raised KeyError",
        "g ended the process it ran in",
        "h returned something other than plain numbers, arrays and models",
        "m ran out of memory",
    ]


def test_the_time_that_earlier_calls_left_is_not_told_of_a_private_submission(remote):
    burn = (
        "import time\ndef f(s):\n  end = time.process_time() + s\n  while time.process_time() < end: pass\n"
    )
    submission = remote(burn, private=True, test_cpu_seconds=1.5, call_cpu_seconds=1.0, retry_cpu_seconds=0.3)
    submission.begin_test()
    submission.call("f", 0.8)
    assert "within what was left of its CPU time" in str(failure(submission, "f", 99))


def test_words_of_a_private_submission_are_not_used_when_it_is_imported_again(remote):
    source = (
        "import os\n"
        "if os.path.exists('../seen'): raise ValueError(open('../seen').read())\n"
        "def f(x):\n"
        "  open('../seen', 'w').write(str(x)); os._exit(1)\n"
    )
    submission = remote(source, private=True)
    assert failure(submission, "f", 31337).kind == "killed"
    assert "31337" not in str(failure(submission, "f", 1))
    assert "imported the first time, but not again" in str(failure(submission, "f", 1))


def test_printable_text_has_one_line_and_no_control_characters():
    assert printable("a\nb\x1b[31mc\ud800\u202e" + "d" * 9999).startswith("a b [31mc ddd")
    assert len(printable("d" * 9999)) == 600


class Paced:
    """A worker for a clock: in each second it computes for so long, and wants to for so long without getting to."""

    def __init__(self, computes: float, is_crowded_out: float, states: str):
        self.computes, self.is_crowded_out, self.states = computes, is_crowded_out, set(states)
        self.now = 0.0

    def cpu_seconds(self) -> float:
        return self.computes * self.now

    def threads(self) -> tuple[float, set[str]]:
        return self.is_crowded_out * self.now, self.states

    def check_scratch(self) -> None:
        pass


@pytest.mark.parametrize(
    ("computes", "is_crowded_out", "states", "idle", "unsure"),
    [
        (1.0, 0.0, "R", 0, 0),
        (0.1, 0.9, "R", 0, 0),  # the machine is busy with others: no fault of the submission's
        (0.1, 0.9, "SR", 0, 0),
        (0.2, 0.0, "S", 8, 0),  # awake now and then
        (0.2, 0.0, "D", 0, 8),  # one write to disk after the other
    ],
)
def test_a_clock_tells_waiting_from_being_crowded_out(
    monkeypatch, computes, is_crowded_out, states, idle, unsure
):
    worker = Paced(computes, is_crowded_out, states)
    monkeypatch.setattr("time.monotonic", lambda: worker.now)
    clock = Clock(worker, Deadline(100))
    for tick in range(1, 43):
        worker.now = tick / 4
        clock.look()
    assert (clock.idle, clock.unsure) == pytest.approx((idle, unsure), abs=0.3)

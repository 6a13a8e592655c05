"""The seam, as a student meets it: in-process, through pytest."""

from __future__ import annotations

import textwrap
import traceback

import numpy as np
import pytest

from assignment.nn import Data, Dataset, Dense, ReLU, Sequential
from assignment.seam import LocalSubmission, SubmissionError

pytest_plugins = ["pytester"]


@pytest.fixture
def local(tmp_path):
    def build(source: str) -> LocalSubmission:
        path = tmp_path / "compression.py"
        path.write_text("import numpy as np\n" + textwrap.dedent(source))
        return LocalSubmission(path)

    return build


def failure(submission, function, *args) -> SubmissionError:
    with pytest.raises(SubmissionError) as caught:
        submission.call(function, *args)
    return caught.value


def test_call_and_attribute_reach_the_function(local):
    submission = local("def double(x, *, times=2): return x * times")
    assert submission.call("double", 3) == 6
    assert submission.double(3, times=4) == 12


def test_every_kind_of_plain_value_comes_back_as_itself(local):
    submission = local("def same(x): return x")
    model = Sequential([Dense(4, 3), ReLU()])
    data = Data(
        Dataset(np.ones((2, 4), np.float32), np.zeros(2, np.int64)), Dataset(np.zeros((0, 4)), np.zeros(0))
    )
    for value in (None, True, 7, 2**80, 0.5, float("inf"), "text", [1, [2]], (1, 2), {"a": 1, 2: None}):
        assert submission.same(value) == value
        assert type(submission.same(value)) is type(value)
    back = submission.same(model)
    assert repr(back) == repr(model)
    np.testing.assert_array_equal(back.layers[0].weight, model.layers[0].weight)
    assert submission.same(data).validation.images.shape == (0, 4)
    assert submission.same(np.float32(0.5)) == 0.5


def test_results_are_copies_that_the_submission_cannot_reach(local):
    submission = local("KEPT = np.zeros(3)\ndef keep(): return KEPT\ndef spoil(): KEPT[:] = 9")
    before = submission.keep()
    submission.spoil()
    assert before.tolist() == [0, 0, 0]


def test_a_mutating_function_cannot_hurt_the_test_that_calls_it(local):
    submission = local("def wipe(x): x[:] = 0; return x")
    x = np.ones(3)
    assert submission.wipe(x).tolist() == [0, 0, 0]
    assert x.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "source",
    [
        "def f(model): model.layers[0].weight[0] = 0; return model.copy()",
        "def f(model): model.layers[0].weight *= 2; return 1",
        "def f(model): model.layers[0].weight = model.layers[0].weight * 2; return 1",
        "def f(model): model.layers.pop(); return 1",
        "def f(model): model.layers[0].bias = None; return 1",
        "def f(model): model.layers[0].weight.sort(); return 1",
    ],
)
def test_inspect_sees_a_change_however_it_is_made(local, source):
    assert local(source).inspect("f", Sequential([Dense(4, 3), ReLU()])).changed_arguments


def test_inspect_allows_what_changes_nothing(local):
    submission = local("def f(model, x): return model.forward(x)")
    call = submission.inspect("f", Sequential([Dense(4, 3)]), np.ones((2, 4), np.float32))
    assert not call.changed_arguments
    assert not call.shares_memory
    assert call.value.shape == (2, 3)


@pytest.mark.parametrize(
    "result", ["model", "model.layers[0].weight", "model.layers[0].weight[1:].T", "model.layers[1]"]
)
def test_inspect_sees_shared_memory(local, result):
    call = local(f"def f(model): return {result}").inspect("f", Sequential([Dense(4, 3), ReLU()]))
    assert call.shares_memory
    assert not call.changed_arguments


def test_inspect_reports_the_exception_of_a_function_that_only_raises(local):
    with pytest.raises(SubmissionError, match="f raised ValueError: bits"):
        local("def f(x): raise ValueError('bits')").inspect("f", np.ones(3))


@pytest.mark.parametrize(
    ("source", "kind", "sentence"),
    [
        ("def g(): pass", "missing", "f is missing from compression.py"),
        ("f = 3", "missing", "f is missing"),
        ("def f(): raise NotImplementedError('later')", "not_implemented", "not implemented yet"),
        ("def f(): raise KeyError('k')", "raised", "f raised KeyError: 'k'"),
        ("def f(): exit(3)", "raised", "f raised SystemExit: 3"),
        ("def f(): raise MemoryError", "memory", "f ran out of memory"),
        ("def f(): return np.array([{}])", "malformed", "f returned an array of objects"),
        ("def f(): return np.ma.ones(3)", "malformed", "f returned a MaskedArray"),
        ("def f(): return 1j", "malformed", "f returned a complex"),
        ("def f(): return f", "malformed", "f returned a function"),
        ("def f(): return np.broadcast_to(1.0, (10**6, 10**6))", "malformed", "arrays of more than 64 MiB"),
        ("def f():\n  a = []; a.append(a); return a", "malformed", "too deep"),
        ("def f(): return 10 ** 10000", "malformed", "a whole number of"),
        ("def f(): return {(1,): np.ones(1), 2: np.zeros(1, 'M8[s]')}", "malformed", "dtype datetime64"),
        ("def f(:", "import", "compression.py could not be imported: line 2: invalid syntax"),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a",
            "import",
            "only a pointer of Git LFS",
        ),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:abcd",
            "import",
            "only a pointer of Git LFS",
        ),
        ("import torch_is_not_here", "import", "line 2: ModuleNotFoundError"),
        ("\n1 / 0", "import", "line 3: ZeroDivisionError: division by zero"),
        ("input()", "import", "could not be imported"),
    ],
)
def test_each_failure_is_a_sentence(local, source, kind, sentence):
    error = failure(local(source), "f")
    assert error.kind == kind
    assert sentence in str(error)


def test_the_students_own_traceback_is_the_cause(local):
    error = failure(local("def f(): return [][0]"), "f")
    assert isinstance(error.__cause__, IndexError)


def test_a_private_error_keeps_its_text_to_itself():
    for kind in ("raised", "malformed", "killed", "memory"):
        assert "secret" not in str(SubmissionError(kind, "f", "secret", "ValueError", private=True))


def test_rejection_names_the_nearest_exception_of_pythons_own(local):
    submission = local(
        "class Bad(ValueError): pass\ndef f(x):\n  if x < 0: raise Bad('x must be >= 0, got -1')"
    )
    assert submission.rejection("f", 1) is None
    error = submission.rejection("f", -1)
    assert (error.exception, error.message) == ("ValueError", "x must be >= 0, got -1")


def test_rejection_passes_on_what_is_neither_a_return_nor_a_refusal(local):
    with pytest.raises(SubmissionError, match="not implemented yet"):
        local("def f(): raise NotImplementedError").rejection("f")


def test_a_failed_import_is_told_as_shortly_the_tenth_time_as_the_second(local):
    """An exception keeps where it has been raised: a report of each of many tests would grow with their number."""
    submission = local("def f(:")
    lengths = [len(list(traceback.walk_tb(failure(submission, "f").__traceback__))) for _ in range(10)]
    assert lengths[9] == lengths[1]


PROJECT = {
    "tests_public/points.toml": """
        [part1]
        title = "Size"
        functions = { count_parameters = { public = 40, hidden = 60 } }
        """,
    "tests_public/test_size.py": """
        import pytest

        @pytest.mark.grades("count_parameters")
        def test_right(submission):
            assert submission.count_parameters() == 7

        @pytest.mark.grades("count_parameters")
        def test_wrong(submission):
            assert submission.count_parameters() == 8, "count the biases too"

        @pytest.mark.grades("count_parameters")
        def test_random(submission, rng):
            print("drew", rng.integers(10**9))
        """,
    "tests_public/test_boom.py": """
        import pytest

        @pytest.mark.grades("boom")
        def test_boom(submission):
            submission.boom()
        """,
    "compression.py": """
        def count_parameters(): return 7
        def boom(): return 1 / 0
        """,
}


@pytest.fixture
def project(pytester):
    for name, text in PROJECT.items():
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
    pytester.makeini("[pytest]")

    def run(*args):
        options = ("-p", "assignment.submission", "--submission", "compression.py")
        return pytester.runpytest_inprocess(*options, *args)

    return run


def test_summary_says_that_hidden_tests_have_not_run(project):
    line = "public tests 2/4 passed; hidden tests decide 60 of 100 points and have not run here"
    project("tests_public").stdout.fnmatch_lines([line])


def test_summary_says_what_was_left_out(project):
    project("tests_public", "-k", "right").stdout.fnmatch_lines(["public tests 1/1 passed (3 left out); *"])


def test_the_tests_of_one_function_are_chosen_by_its_name(project):
    project("tests_public", "--function", "count_parameters").stdout.fnmatch_lines(
        ["public tests 2/3 passed (1 left out); *"]
    )
    run = project("tests_public", "--function", "count")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*--function count: no test grades that; they grade boom, count_parameters"])


def test_a_student_sees_the_test_and_their_own_code_and_nothing_between(project):
    run = project("tests_public", "-k", "boom", "--tb=short")
    run.stdout.fnmatch_lines(["*compression.py:3: in boom", "E   ZeroDivisionError*", "E*boom raised Zero*"])
    run.stdout.no_fnmatch_line("*seam.py*: in *")


def test_random_inputs_repeat_with_the_seed(project):
    def drawn(seed):
        lines = project("tests_public", "-s", "-k", "random", "--seed", str(seed)).outlines
        return next(line for line in lines if "drew" in line)

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)

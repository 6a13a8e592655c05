"""The one way from a test to the code it tests, and the words for what goes wrong on the way.

A test says `submission.prune(model, 0.5)` and gets plain values back, or a `SubmissionError` whose
text is a sentence for the student. `LocalSubmission` runs a `compression.py` in this process; the
grader has another `Submission` that runs it elsewhere, under the same rules.
"""

from __future__ import annotations

import builtins
import json
import sys
import traceback
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import assignment
from assignment.nn import Sequential
from assignment.plain import Flat, NotPlainError, flatten, unflatten

MODULE_NAME = "assignment.compression"
LARGE_BYTES = 16 * 2**20
"""Argument arrays beyond this size are handed over read-only instead of copied."""

MOST_RESULT_BYTES = 64 * 2**20
MOST_MESSAGE = 500
LFS_POINTER = ("version https://git-lfs.github.com/", "oid sha256:")
"""How the first two lines begin of what Git LFS stores in a file's place; one of them is no Python."""


class SubmissionError(Exception):
    """The submission did not do its part; never the test's or the grader's doing.

    kind: "missing", "not_implemented", "raised", "timeout", "memory", "killed", "malformed" or "import".
    function: the function that was called.
    exception: the nearest of Python's own exception classes, by name, where one was raised.
    message: the exception's text, or what came back, or how it ended.
    private: the text may hold what the student must not see, so the sentence leaves it out.
    """

    def __init__(
        self,
        kind: str,
        function: str,
        message: str = "",
        exception: str | None = None,
        *,
        private: bool = False,
    ):
        super().__init__(kind, function, message, exception)
        self.kind, self.function, self.message, self.exception = kind, function, message, exception
        self.private = private

    def __str__(self) -> str:
        name, text = self.function, "" if self.private else self.message
        match self.kind:
            case "missing":
                return f"{name} is missing from compression.py"
            case "not_implemented":
                return "not implemented yet"
            case "raised":
                return f"{name} raised {self.exception}" + (f": {text}" if text else "")
            case "timeout":
                return f"{name} {self.message}"
            case "memory":
                return f"{name} ran out of memory" + (f" ({text})" if text else "")
            case "killed":
                return f"{name} ended the process it ran in" + (f" ({text})" if text else "")
            case "malformed":
                return f"{name} returned {text or 'something other than plain numbers, arrays and models'}"
            case _:
                return f"compression.py could not be imported: {self.message}"


@dataclass(frozen=True)
class Call:
    """What a call did.

    changed_arguments: it wrote, or tried to write, into something it was given.
    shares_memory: an array of the result lies in an argument's memory, or a model or layer of the
    result is an argument's own.
    """

    value: Any
    changed_arguments: bool
    shares_memory: bool


class Submission:
    """The code under test. `submission.prune(model, 0.5)` is `submission.call("prune", model, 0.5)`.

    on_answer: called with the function's name, what it was given and the value that came back.
    """

    on_answer: Callable[[str, Flat, Any], None] | None = None

    def call(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """The value that the function returns, as plain types. Raises SubmissionError."""
        __tracebackhide__ = True  # a student's traceback shows the test and their own code
        return self._answer(function, flatten([list(args), kwargs]), inspecting=False).value

    def inspect(self, function: str, /, *args: Any, **kwargs: Any) -> Call:
        """The value, and what the call did to its arguments, which lie in read-only memory."""
        __tracebackhide__ = True  # a student's traceback shows the test and their own code
        return self._answer(function, flatten([list(args), kwargs]), inspecting=True)

    def _answer(self, function: str, given: Flat, *, inspecting: bool) -> Call:
        __tracebackhide__ = True
        call = self.run(function, given, inspecting=inspecting)
        if self.on_answer is not None:
            self.on_answer(function, given, call.value)
        return call

    def rejection(self, function: str, /, *args: Any, **kwargs: Any) -> SubmissionError | None:
        """The exception that the function raises, or None where it returns.

        Raises SubmissionError where the call came to neither: missing, not implemented, out of time.
        """
        try:
            self.call(function, *args, **kwargs)
        except SubmissionError as error:
            if error.kind == "raised":
                return error
            if error.kind != "malformed":
                raise
        return None

    def weigh(self, model: Sequential, images: np.ndarray) -> tuple[int, np.ndarray] | str:
        """What a model that came back packs to and answers: see `assignment.weighing`."""
        from assignment.weighing import weighed  # workers, which import this module, do not need it

        return weighed(model, images)

    def run(self, function: str, given: Flat, *, inspecting: bool) -> Call:
        """Call `function` with `given`, a flattened `[args, kwargs]`. Raises SubmissionError."""
        raise TypeError(f"{type(self).__name__} has no run of its own")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return partial(self.call, name)


class LocalSubmission(Submission):
    """A `compression.py` that runs in this process, imported at the first call."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._module: types.ModuleType | None = None
        self._import_error: SubmissionError | None = None

    def load(self) -> types.ModuleType:
        """The module, run once. Raises SubmissionError of kind "import", again on each later call."""
        __tracebackhide__ = True
        if self._import_error is not None:
            raise self._import_error.with_traceback(None)  # raised again, it would keep where it has been
        if self._module is None:
            try:
                self._module = loaded(self.path)
            except (Exception, SystemExit) as error:
                self._import_error = SubmissionError(
                    "import", "import", why_not_imported(error, self.path), exception_name(error)
                )
                raise self._import_error from error
        return self._module

    def run(self, function: str, given: Flat, *, inspecting: bool) -> Call:
        __tracebackhide__ = True
        target = vars(self.load()).get(function)
        if not callable(target):
            raise SubmissionError("missing", function)
        if inspecting:
            try:
                return attempt(function, target, given, [frozen(array) for array in given.arrays])
            except SubmissionError as error:
                if error.kind not in ("raised", "malformed"):
                    raise
            # It may have failed because it wrote into an argument: on writable ones that shows.
            return attempt(function, target, given, [fresh(array) for array in given.arrays])
        return attempt(function, target, given, [handed(array) for array in given.arrays], watching=False)


def loaded(path: Path) -> types.ModuleType:
    """Run the file as the module `assignment.compression`, which it is for a student."""
    code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    module = types.ModuleType(MODULE_NAME)
    module.__file__, module.__package__ = str(path), MODULE_NAME.rpartition(".")[0]
    sys.modules[MODULE_NAME] = assignment.compression = module  # type: ignore[attr-defined]
    exec(code, module.__dict__)
    return module


def attempt(
    function: str, target: Any, given: Flat, arrays: list[np.ndarray], *, watching: bool = True
) -> Call:
    """One call with the given arrays in the given places; `given` itself stays as it was."""
    __tracebackhide__ = True
    args, kwargs = unflatten(given.tree, arrays)
    before = flatten([args, kwargs]) if watching else None
    try:
        value = target(*args, **kwargs)
    except NotImplementedError as error:
        raise SubmissionError("not_implemented", function, text_of(error), "NotImplementedError") from error
    except MemoryError as error:
        raise SubmissionError("memory", function, text_of(error), "MemoryError") from error
    except (Exception, SystemExit) as error:
        raise SubmissionError("raised", function, text_of(error), exception_name(error)) from error
    try:
        result = flatten(value, most_bytes=MOST_RESULT_BYTES)
        if before is None:
            return Call(unflatten(result.tree, [fresh(a) for a in result.arrays]), False, False)
        shares = shares_memory(result, before)
        plain = unflatten(result.tree, [fresh(array) for array in result.arrays])
    except NotPlainError as error:
        raise SubmissionError("malformed", function, str(error)) from error
    return Call(plain, changed(given, [args, kwargs]), shares)


def fresh(array: np.ndarray) -> np.ndarray:
    """A copy, writable and in C order, in the machine's byte order."""
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C", copy=True)


def frozen(array: np.ndarray) -> np.ndarray:
    """The same numbers where no write reaches them: NumPy refuses to make the memory writable."""
    return array if is_locked(array) else np.ndarray(array.shape, array.dtype, buffer=array.tobytes())


def handed(array: np.ndarray) -> np.ndarray:
    """A copy to do with as one likes; a large array is shown, not copied."""
    if array.nbytes <= LARGE_BYTES:
        return fresh(array)
    view = array.view()
    view.flags.writeable = False
    return view


def is_locked(array: np.ndarray) -> bool:
    """Whether the memory under the array is read-only whatever flags are set."""
    try:
        array.view().flags.writeable = True
    except ValueError:
        return array.flags.c_contiguous
    return False


def shares_memory(result: Flat, given: Flat) -> bool:
    own = {id(thing) for thing in given.objects}
    if any(id(thing) in own for thing in result.objects):
        return True
    return any(np.may_share_memory(a, b) for a in result.arrays for b in given.arrays)


def changed(given: Flat, arguments: Any) -> bool:
    """Whether the arguments are no longer what was given, bit for bit."""
    try:
        after = flatten(arguments)
    except NotPlainError:
        return True
    if json.dumps(after.tree) != json.dumps(given.tree):
        return True
    return not all(map(identical, given.arrays, after.arrays))


def identical(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def exception_name(error: BaseException) -> str:
    """The nearest of Python's own classes: "ValueError" for every kind of ValueError."""
    own = (kind.__name__ for kind in type(error).__mro__ if getattr(builtins, kind.__name__, None) is kind)
    return next(own, "Exception")


def text_of(error: BaseException) -> str:
    """The exception's text on one line, of a bearable length, whatever its `__str__` does."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        return ""
    return text if len(text) <= MOST_MESSAGE else text[:MOST_MESSAGE] + " ..."


def why_not_imported(error: BaseException, path: Path) -> str:
    """One sentence: the line of compression.py, and what is wrong there."""
    if isinstance(error, FileNotFoundError) and error.filename == str(path):
        return f"there is no file {path}"
    if isinstance(error, SyntaxError) and error.filename == str(path):
        if "codec can't decode" in str(error):
            return "it is not UTF-8 text (save it as UTF-8)"
        if (error.text or "").startswith(LFS_POINTER):
            return (
                "it is only a pointer of Git LFS to the file (`git lfs untrack assignment/compression.py`, then add "
                "and commit it again)"
            )
        return f"line {error.lineno}: {error.msg} ({type(error).__name__})"
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)
    ]
    where = f"line {lines[-1]}: " if lines else ""
    hint = ""
    if isinstance(error, ModuleNotFoundError):
        hint = " (only NumPy and the given code are available)"
    if isinstance(error, EOFError):
        hint = " (remove input(): nobody can answer it here)"
    text = text_of(error)
    return f"{where}{exception_name(error)}" + (f": {text}" if text else "") + hint

"""Where a hidden test fails with an answer that a known mistake gives, its reason says which."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests_hidden.diagnosis import Recorder, misconception


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    submission = pyfuncitem.funcargs.get("submission")
    marker = pyfuncitem.get_closest_marker("grades")
    if submission is None or marker is None:
        return (yield)
    recorder = submission.on_answer = Recorder(marker.args[0])
    try:
        return (yield)
    except AssertionError as error:
        named = misconception(recorder.function, pyfuncitem.originalname, recorder.asked)
        if named is not None:
            first, newline, rest = str(error).partition("\n")
            error.args = (f"{first} (your answer matches a known mistake: {named}){newline}{rest}",)
        raise
    finally:
        submission.on_answer = None

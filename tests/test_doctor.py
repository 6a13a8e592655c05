"""The doctor: what of this machine and of the given files is as the grader has it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from assignment.data import DataError
from assignment.doctor import (
    COMPRESSION_FILE,
    RELEASE_FILE,
    comparison,
    doctor,
    file_sha256,
    read_release,
    versions,
)
from grader.release import release

COMPRESSION, MEASURE, RELEASE = (
    "assignment/compression.py",
    "assignment/measure.py",
    "assignment/release.json",
)
DATA = SimpleNamespace(name="mnist", train=[], validation=[], test=[])


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    dest = tmp_path_factory.mktemp("released") / "student"
    release(dest)
    return dest


@pytest.fixture
def student(released, tmp_path) -> Path:
    folder = tmp_path / "student"
    shutil.copytree(released, folder)
    return folder


def edit_release(folder: Path, **changes: object) -> None:
    path = folder / RELEASE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def examined(folder: Path) -> tuple[bool, list[str]]:
    lines: list[str] = []
    return doctor(lambda: DATA, folder, lines.append), lines


def test_a_fresh_release_agrees_in_one_line(student):
    lines = list(comparison(student))
    assert len(lines) == 1
    assert lines[0][0].startswith("as the grader: Python ")
    assert lines[0][1] is False


def test_another_given_file_is_named_with_both_hashes(student):
    (student / MEASURE).write_text("# another\n")
    well, lines = examined(student)
    theirs = read_release(student / RELEASE)["files"][MEASURE]
    assert not well
    fault = f"FAIL  {MEASURE} is {file_sha256(student / MEASURE)[:12]}, the grader's is {theirs[:12]}: "
    assert [line for line in lines if line.startswith("FAIL")] == [fault + "take it from the course again"]
    assert "as the grader" not in lines[0]


def test_a_missing_given_file_is_named(student):
    (student / "tests_public" / "expect.py").unlink()
    well, lines = examined(student)
    assert not well
    assert "FAIL  tests_public/expect.py is missing, " in "\n".join(lines)


def test_the_students_own_files_are_their_own(student):
    for name in (COMPRESSION, "README.md"):
        with (student / name).open("a") as file:
            file.write("# mine\n" if name.endswith(".py") else "mine\n")
    assert examined(student)[0]


def test_other_versions_are_named_and_are_no_fault(student):
    edit_release(student, versions={**versions(), "python": "3.11.0", "numpy": "2.0.0"})
    well, lines = examined(student)
    assert well
    assert "; the grader has Python 3.11.0, NumPy 2.0.0; " in lines[0]
    assert "BLAS" not in lines[0].split(";")[1]


def test_newlines_that_git_changed_are_the_same_file(student):
    path = student / MEASURE
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert examined(student)[0]


def test_the_model_is_compared_byte_for_byte(student):
    path = student / "assignment" / "models" / "lenet-300-100.npz"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n", 1))
    assert not examined(student)[0]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": "featherweight/release/v1"}'])
def test_a_broken_description_is_one_line(student, content):
    (student / RELEASE).write_text(content)
    well, lines = examined(student)
    assert not well
    assert sum(line.startswith("FAIL") for line in lines) == 1
    assert "take it from the course again" in lines[0]


def test_data_and_a_file_that_cannot_be_imported_are_faults(student):
    def missing() -> None:
        raise DataError("nothing there")

    (student / COMPRESSION).write_text("def compress(:\n")
    lines: list[str] = []
    assert not doctor(missing, student, lines.append)
    assert [line.split(":")[0] for line in lines if line.startswith("FAIL")] == [
        "FAIL  data",
        "FAIL  compression.py",
    ]


def test_outside_a_release_there_is_nothing_to_compare():
    assert not RELEASE_FILE.exists(), "the project is where releases are made"
    assert COMPRESSION_FILE.is_file()
    [(line, is_fault)] = comparison()
    assert line.endswith("; no release, so no given files to compare")
    assert not is_fault

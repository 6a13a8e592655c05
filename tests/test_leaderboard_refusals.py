"""What posting refuses: records that cannot be entries, files that are none, a folder that cannot be written."""

from __future__ import annotations

from pathlib import Path

import pytest
from leaderboard_records import (
    UNUSABLE,
    record,
    run,
    write_record,
)

from leaderboard import posting


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_record_is_one_sentence_and_no_file(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, sentence = UNUSABLE[case]
    result = write_record(tmp_path / "result.json", made)
    code, out, err = run(capsys, "post", result, "--entries", tmp_path / "entries")
    assert (code, out) == (2, "")
    assert sentence in err
    assert str(result) in err
    assert len(err.splitlines()) == 1
    assert len(err) < 600
    assert not (tmp_path / "entries").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "this is not JSON"),
        (b"{", "this is not JSON"),
        (b"\xff\xfe", "this is not UTF-8 text"),
        (b'{"schema": NaN}', "NaN is not a JSON number"),
        (b"[" * 200_000, "this is not JSON"),
        (b"1" * 10_000, "this is not JSON"),
        (b" " * (posting.MAX_RECORD_BYTES + 1), "larger than"),
    ],
)
def test_a_file_that_is_no_json_is_one_sentence(
    content: bytes, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "result.json").write_bytes(content)
    code, _, err = run(capsys, "post", tmp_path / "result.json", "--entries", tmp_path / "entries")
    assert code == 2
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "entries").exists()


def test_a_missing_file_and_a_folder_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "post", tmp_path / "nowhere.json", "--entries", tmp_path / "entries")
    assert (code, "there is no such file" in err) == (2, True)
    code, _, err = run(capsys, "post", tmp_path, "--entries", tmp_path / "entries")
    assert (code, "this is a folder" in err) == (2, True)


def test_a_folder_that_cannot_be_written_is_our_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "entries").write_text("a file in the folder's place")
    result = write_record(tmp_path / "result.json", record())
    code, _, err = run(capsys, "post", result, "--entries", tmp_path / "entries")
    assert code == 1
    assert len(err.splitlines()) == 1

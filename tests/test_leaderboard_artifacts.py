"""Artifacts beside their entries: the one that was measured, taken apart, and no other."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from leaderboard_records import (
    GOLDEN,
    entry,
    files,
    graded,
    record,
    run,
    write_record,
)

from assignment.artifact import pack
from assignment.nn import Dense, Sequential
from assignment.structure import MAX_LAYERS
from leaderboard import posting, store
from leaderboard.documents import EntryError


def test_the_artifact_is_posted_beside_its_entry_and_taken_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = graded(tmp_path / "ann")
    code, _, err = run(capsys, "post", result, "--handle", "ann", "--entries", tmp_path / "entries")
    assert (code, "model.fw" in err) == (0, False)
    (made,) = store.read_all(tmp_path / "entries").entries
    assert files(tmp_path / "entries") == [f"{made.path}.fw", f"{made.path}.json"]
    assert (tmp_path / "entries" / f"{made.path}.fw").read_bytes() == GOLDEN.read_bytes()
    assert made.anatomy is not None
    arrays = made.anatomy["arrays"]
    assert sum(row["bytes"] for row in arrays) == pytest.approx(len(GOLDEN.read_bytes()), abs=0.5)
    assert [(row["array"], row["shape"]) for row in arrays[1:3]] == [("weight", [49, 12]), ("bias", [12])]
    assert sum(made.anatomy["histograms"][0]["counts"]) + arrays[1]["zeros"] == 49 * 12


@pytest.mark.parametrize("change", [lambda data: data[:-1] + b"x", lambda data: data + b"x"])
def test_another_artifact_than_the_measured_one_is_refused(
    change: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = graded(tmp_path / "ann")
    result.with_name("model.fw").write_bytes(change(GOLDEN.read_bytes()))
    code, _, err = run(capsys, "post", result, "--entries", tmp_path / "entries")
    assert (code, "not the one that was measured" in err) == (2, True)
    assert not (tmp_path / "entries").exists()


def test_an_artifact_too_large_to_be_kept_is_left_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_ARTIFACT_BYTES", len(GOLDEN.read_bytes()) - 1)
    code, _, err = run(capsys, "post", graded(tmp_path / "ann"), "--entries", tmp_path / "e")
    assert (code, "or one of over 2 MiB" in err) == (0, True)
    assert [name.rsplit(".", 1)[1] for name in files(tmp_path / "e")] == ["json"]


def test_a_model_of_as_many_layers_as_can_be_gives_an_entry_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = Sequential([Dense(784, 2), *(Dense(2, 2) for _ in range(MAX_LAYERS - 2)), Dense(2, 10)])
    artifact = pack(deep)
    facts = {"bytes": len(artifact), "artifact_sha256": hashlib.sha256(artifact).hexdigest()}
    (tmp_path / "model.fw").write_bytes(artifact)
    result = write_record(tmp_path / "result.json", record(**facts))
    made = posting.prepare(result, "ann")
    store.post(made.entry, made.artifact, tmp_path / "e")
    contents = store.read_all(tmp_path / "e")
    assert (contents.entries, contents.refused) == ((made.entry,), ())
    monkeypatch.setattr(store, "MAX_ENTRY_BYTES", 100)
    with pytest.raises(EntryError, match="the entry is larger than 100 bytes"):
        store.post(entry("bob"), None, tmp_path / "e")
    assert not (tmp_path / "e" / "bob").exists()


def test_an_artifact_that_was_changed_later_is_left_out_and_named(tmp_path: Path) -> None:
    artifact = GOLDEN.read_bytes()
    made = entry("ann", bytes=len(artifact), artifact_sha256=hashlib.sha256(artifact).hexdigest())
    path, _ = store.post(made, artifact, tmp_path)
    path.with_suffix(".fw").write_bytes(artifact[:-1])
    contents = store.read_all(tmp_path)
    assert (len(contents.entries), contents.artifacts) == (1, {})
    assert [(file.path, "SHA-256" in file.reason) for file in contents.refused] == [(f"{made.path}.fw", True)]

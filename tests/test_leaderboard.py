"""Posting: what gets into an entry, what never does, and that nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest
from leaderboard_records import (
    UNUSABLE,
    bits,
    entry,
    files,
    record,
    run,
    write_record,
)

from leaderboard import __main__, store
from leaderboard.documents import EntryError
from leaderboard.entry import Entry

SCHEMA = json.loads((Path(__main__.__file__).parent / "entry.schema.json").read_text("utf-8"))
GRADER_SCHEMA = Path(__file__).parents[1] / "grader" / "result.schema.json"


def test_post_writes_the_entry_where_its_content_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = record()
    result = write_record(tmp_path / "result.json", made)
    code, out, err = run(capsys, "post", result, "--handle", "quiet-heron", "--entries", tmp_path / "entries")
    name = f"quiet-heron/20260304T101530Z-{made['competition']['artifact_sha256'][:7]}.json"
    assert code == 0
    assert [line.split(",")[0] for line in err.splitlines()] == [
        "note: no model.fw beside the record",
        "note: not signed",
    ]
    assert files(tmp_path / "entries") == [name]
    assert "posted as quiet-heron (score 7.500, 4,096 bytes, 98.00 %)" in out
    document = json.loads((tmp_path / "entries" / name).read_text("utf-8"))
    jsonschema.validate(document, SCHEMA)
    assert document["started"] == "2026-03-04T10:15:30Z"
    assert document["competition"]["bytes"] == 4096


def test_the_record_these_tests_post_is_one_the_grader_could_write() -> None:
    schema = json.loads(GRADER_SCHEMA.read_text("utf-8"))
    table = [[490 if row == column else 0 for column in range(10)] for row in range(10)]
    jsonschema.validate(record(**bits(range(100)), confusion=table), schema)
    jsonschema.validate(UNUSABLE["nothing to measure"][0], schema)


def test_an_entry_holds_neither_points_nor_anything_that_names_the_student() -> None:
    text = Entry.from_record(record()).to_json()
    for private in ("secret-student-name", "87.125", "test_x", "424242", "99.5", "61.2", "points"):
        assert private not in text


def test_reading_an_entry_back_gives_the_same_entry_and_the_same_bytes() -> None:
    made = entry("ann", flags=["two runs gave different bytes", "\ud800 lone surrogate"])
    assert Entry.from_json(made.to_json()) == made
    assert Entry.from_json(made.to_json()).to_json() == made.to_json()


def test_times_are_kept_in_utc() -> None:
    made = record()
    made["grader"]["started"] = "2026-03-04T01:15:30.250000+05:30"
    assert Entry.from_record(made, "ann").file_name.startswith("20260303T194530Z-")
    assert '"started": "2026-03-03T19:45:30.250000Z"' in Entry.from_record(made, "ann").to_json()


def test_the_same_record_posted_twice_is_one_entry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = write_record(tmp_path / "result.json", record())
    first = run(capsys, "post", result, "--entries", tmp_path / "entries")
    before = files(tmp_path / "entries")
    second = run(capsys, "post", result, "--entries", tmp_path / "entries")
    assert (first[0], second[0]) == (0, 0)
    assert first[1].startswith("posted as ")
    assert second[1].startswith("already posted as ")
    assert files(tmp_path / "entries") == before
    assert len(before) == 1


def test_one_record_cannot_compete_under_two_handles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = write_record(tmp_path / "result.json", record())
    run(capsys, "post", result, "--handle", "ann", "--entries", tmp_path)
    code, _, err = run(capsys, "post", result, "--handle", "bob", "--entries", tmp_path)
    assert code == 2
    assert "already posted as ann" in err
    assert not (tmp_path / "bob").exists()


def test_an_entry_is_never_changed(tmp_path: Path) -> None:
    path, _ = store.post(entry("ann", "x"), None, tmp_path)
    before = path.read_bytes()
    with pytest.raises(EntryError, match="already holds a different entry"):
        store.post(entry("ann", "x", score=9.0), None, tmp_path)
    assert path.read_bytes() == before


def test_two_submissions_in_the_same_second_are_two_entries(tmp_path: Path) -> None:
    store.post(entry("ann", "x"), None, tmp_path)
    store.post(entry("ann", "y"), None, tmp_path)
    assert len(files(tmp_path)) == 2


def test_a_crash_while_writing_leaves_nothing_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store.os, "link", crash)
    with pytest.raises(KeyboardInterrupt):
        store.post(entry("ann"), None, tmp_path)
    assert store.read_all(tmp_path).entries == ()
    assert files(tmp_path) == []


def test_a_half_written_temporary_file_is_no_entry(tmp_path: Path) -> None:
    path, _ = store.post(entry("ann"), None, tmp_path)
    (tmp_path / "ann" / f".{path.name}.0123").write_text('{"schema"')
    (tmp_path / "ann" / ".half.json").write_text('{"schema"')
    contents = store.read_all(tmp_path)
    assert (len(contents.entries), contents.refused) == (1, ())


def test_losing_the_race_to_write_is_posting_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def somebody_else_was_first(source: Path, target: Path) -> None:
        link(source, target)
        link(source, target)

    monkeypatch.setattr(store.os, "link", somebody_else_was_first)
    path, _ = store.post(entry("ann"), None, tmp_path)
    assert files(tmp_path) == [f"ann/{path.name}"]


def test_posting_works_where_the_file_system_has_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(store.os, "link", no_links)
    path, is_new = store.post(entry("ann"), None, tmp_path)
    assert is_new
    assert Entry.from_json(path.read_text("utf-8")) == entry("ann")
    assert store.post(entry("ann"), None, tmp_path) == (path, False)


def test_entry_files_can_be_read_by_others(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        path, _ = store.post(entry("ann"), None, tmp_path)
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o644


def test_an_unranked_result_is_posted_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = record(ranked=False, score=0.0, flags=["over the budget"])
    code, out, _ = run(
        capsys, "post", write_record(tmp_path / "result.json", made), "--entries", tmp_path / "e"
    )
    assert code == 0
    assert "(not ranked, 4,096 bytes, 98.00 %)" in out
    assert [e.flags for e in store.read_all(tmp_path / "e").entries] == [("over the budget",)]


def test_help_names_every_command_and_exits_with_zero(capsys: pytest.CaptureFixture[str]) -> None:
    commands = ("key", "post", "notice", "build", "verify", "serve")
    for arguments in (["--help"], *([command, "--help"] for command in commands)):
        with pytest.raises(SystemExit) as stop:
            __main__.main(arguments)
        assert stop.value.code == 0
        assert re.search(r"usage: python -m leaderboard", capsys.readouterr().out)
    with pytest.raises(SystemExit) as stop:
        __main__.main([])
    assert stop.value.code == 2


def test_handle_rule_of_the_help_is_the_schema_rule(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        __main__.main(["post", "--help"])
    rule = SCHEMA["properties"]["handle"]
    assert f"{rule['minLength']} to {rule['maxLength']} lower-case letters" in capsys.readouterr().out


def test_a_record_of_an_older_grader_still_posts() -> None:
    made = record()
    for name in ("correct", "confusion", "second_artifact_sha256", "canary"):
        del made["competition"][name]
    assert Entry.from_record(made, "ann") == entry("ann", "a")


def test_answers_and_confusions_that_contradict_the_accuracy_are_refused() -> None:
    good = bits(range(100))
    assert entry("ann", **good).answers is not None
    with pytest.raises(EntryError, match="correct must have a bit for each of 5000 images, 4899"):
        entry("ann", **{**good, "accuracy_percent": 97.98})
    with pytest.raises(EntryError, match="correct must have"):
        entry("ann", correct=good["correct"][:-4], accuracy_percent=98.0)
    table = [[490 if row == column else 0 for column in range(10)] for row in range(10)]
    table[0][1] = 100
    assert entry("ann", confusion=table).confusion is not None
    table[0][1] = 99
    with pytest.raises(EntryError, match="confusion must count 5000 images"):
        entry("ann", confusion=table)


def test_one_of_many_that_cannot_be_posted_is_named_and_stops_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = write_record(tmp_path / "bad.json", UNUSABLE["nothing to measure"][0])
    good = [write_record(tmp_path / f"{label}.json", record(label)) for label in ("x", "y")]
    code, out, err = run(capsys, "post", good[0], bad, good[1], "--entries", tmp_path / "e")
    assert (code, out.count("posted as")) == (1, 2)
    assert f"{bad}: compress() gave nothing to measure" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["r.json", "s.json", "--handle", "ann"], "--handle goes with one record"),
        (["r.json", "--corrects", "20260304T101530Z-3f2a91c.json"], "--corrects and --reason go together"),
        (["r.json", "--corrects", "../x.json", "--reason", "x"], "--corrects wants an entry's file name"),
    ],
)
def test_options_that_do_not_go_together(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "post", *arguments)
    assert (code, sentence in err) == (2, True)

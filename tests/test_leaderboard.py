"""Posting: what gets into an entry, what never does, and what is refused with one sentence."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from leaderboard_records import bits, entry, record, sha256, write_record

from assignment.artifact import pack
from assignment.nn import Dense, Sequential
from assignment.structure import MAX_LAYERS
from leaderboard import __main__, posting, store
from leaderboard.documents import EntryError
from leaderboard.entry import Entry, check_handle
from leaderboard.handles import ADJECTIVES, NOUNS, HandleMap, fresh_handle, neutral_handle, skeleton, why_not

SCHEMA = json.loads((Path(__main__.__file__).parent / "entry.schema.json").read_text("utf-8"))
GRADER_SCHEMA = Path(__file__).parents[1] / "grader" / "result.schema.json"


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = __main__.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a key of their own."""
    monkeypatch.delenv("FEATHERWEIGHT_SIGNING_KEY", raising=False)
    monkeypatch.delenv("FEATHERWEIGHT_SIGNING_KEY_FILE", raising=False)


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


def test_a_neutral_handle_is_a_handle_that_depends_on_the_hash_alone() -> None:
    handles = {neutral_handle(sha256(str(number))) for number in range(500)}
    for handle in handles:
        check_handle(handle)
    assert len(handles) == 500
    assert neutral_handle("00" * 32) == f"{ADJECTIVES[0]}-{NOUNS[0]}-0000"
    assert neutral_handle("0102abcd" + "0" * 56) == f"{ADJECTIVES[1]}-{NOUNS[2]}-abcd"


@pytest.mark.parametrize("handle", ["ann", "a1b", "quiet-heron-3f2a", "x" * 32, "007"])
def test_plain_handles_are_taken(handle: str) -> None:
    check_handle(handle)


@pytest.mark.parametrize(
    "handle",
    ["", "ab", "x" * 33, "Ann", "ann b", "-ann", "ann-", "a--b", "ann_b", "../ann", "ann/b", ".ann", "ann\n",
     "\u0430nn", "ann\u202e", "<b>x</b>", "\uff41da", "con", "lpt1", "a\0b", "١٢٣", "${x}"],
)  # fmt: skip
def test_other_handles_are_refused_and_nothing_is_written(
    handle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = write_record(tmp_path / "result.json", record())
    code, out, err = run(capsys, "post", result, f"--handle={handle}", "--entries", tmp_path / "entries")
    assert (code, out) == (2, "")
    assert "cannot be a handle, which is 3 to 32 lower-case letters" in err
    assert len(err.splitlines()) == 1
    assert err.isascii()
    assert not (tmp_path / "entries").exists()


def without(path: str) -> dict[str, Any]:
    made = record()
    *parents, key = path.split(".")
    inner: Any = made
    for parent in parents:
        inner = inner[parent]
    del inner[key]
    return made


def changed(path: str, value: object) -> dict[str, Any]:
    made = without(path)
    *parents, key = path.split(".")
    inner: Any = made
    for parent in parents:
        inner = inner[parent]
    inner[key] = value
    return made


UNUSABLE = {
    "no record": ([1, 2], "this is no result record"),
    "another schema": (changed("schema", "featherweight/result/v2"), "this is no result record"),
    "grader failed": (changed("error", {"message": "no sandbox"}), "the grader itself failed"),
    "did not compete": (changed("competition", None), "did not compete"),
    "nothing to measure": (
        record(bytes=None, accuracy_percent=None, accuracy_per_kib=None, score=0, ranked=False, division=None,
               artifact_sha256=None, flags=["compress raised ValueError"]),
        "compress() gave nothing to measure",
    ),
    "error missing": (without("error"), "error is missing"),
    "competition missing": (without("competition"), "competition is missing"),
    "hash missing": (without("submission.sha256"), "submission.sha256 is missing"),
    "grader is a list": (changed("grader", []), "grader.version is missing"),
    "flags missing": (without("competition.flags"), "competition.flags is missing"),
    "no time zone": (changed("grader.started", "2026-03-04T10:15:30"), "with its time zone"),
    "no such day": (changed("grader.started", "2026-02-30T10:15:30Z"), "grader.started must be"),
    "time is a number": (changed("grader.started", 1772619330), "grader.started must be"),
    "no bytes": (record(bytes=0, accuracy_per_kib=1.0), "competition.bytes is not valid"),
    "bytes are true": (record(bytes=True), "competition.bytes is not valid"),
    "accuracy over 100": (record(accuracy_percent=100.5), "competition.accuracy_percent is not valid"),
    "negative score": (record(score=-1.0), "competition.score is not valid"),
    "ratio of other numbers": (record(accuracy_per_kib=99.0), "accuracy_per_kib must be"),
    "hash of another length": (changed("submission.sha256", "abc"), "submission.sha256 is not valid"),
    "hash with a line break": (record(artifact_sha256="a" * 64 + "\n"), "artifact_sha256 is not valid"),
    "hash that is a path": (record(artifact_sha256="../" * 22), "artifact_sha256 is not valid"),
    "unknown division": (record(division="heavy"), "competition.division is not valid"),
    "unknown data": (changed("grader.data", "cifar"), "grader.data is not valid"),
    "endless commit": (changed("submission.commit", "x" * 10_000), "commit is not valid"),
    "flags are words": (record(flags="late"), "competition.flags is not valid"),
}  # fmt: skip


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


GOLDEN = Path(__file__).parent / "golden" / "trained-tiny.fw"


def graded(folder: Path, label: str = "a", **competition: Any) -> Path:
    """A result's folder as `grade` leaves it: the record, and beside it the artifact that it measured."""
    folder.mkdir(parents=True, exist_ok=True)
    artifact = GOLDEN.read_bytes()
    figures = {"bytes": len(artifact), "artifact_sha256": hashlib.sha256(artifact).hexdigest(), **competition}
    (folder / "model.fw").write_bytes(artifact)
    return write_record(folder / "result.json", record(label, **figures))


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


def test_a_baseline_has_a_name_and_a_handle_made_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = write_record(tmp_path / "result.json", record())
    code, _, _ = run(capsys, "post", result, "--baseline", "8 bits, per tensor", "--entries", tmp_path / "e")
    (made,) = store.read_all(tmp_path / "e").entries
    assert (code, made.kind, made.name, made.handle) == (
        0,
        "baseline",
        "8 bits, per tensor",
        "8-bits-per-tensor",
    )
    other = write_record(tmp_path / "other.json", record("b"))
    code, _, err = run(capsys, "post", other, "--handle", made.handle, "--entries", tmp_path / "e")
    assert (code, "is the handle of a baseline" in err) == (2, True)


def test_a_handle_that_could_be_taken_for_another_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "post", graded(tmp_path / "1"), "--handle", "morning-owl", "--entries", tmp_path / "e")
    for twin in ("rnorning-owl", "morn1ng-owl", "m0rning-0wl", "morningowl", "morning-0w1", "morn-ing-owl"):
        code, _, err = run(
            capsys, "post", graded(tmp_path / "2", "b"), "--handle", twin, "--entries", tmp_path / "e"
        )
        assert (code, f"{twin} could be taken for morning-owl" in err) == (2, True)
    assert [path.name for path in (tmp_path / "e").iterdir()] == ["morning-owl"]
    for official in ("admin", "grader", "instructor", "adm1n", "0fficial", "in-structor"):
        assert "official" in str(why_not(official, "student", {}))
    assert why_not("morning-owl", "student", {"morning-owl": "student"}) is None
    assert why_not("evening-owl", "student", {"morning-owl": "student"}) is None


def test_no_two_neutral_handles_look_alike() -> None:
    handles = [f"{adjective}-{noun}" for adjective in ADJECTIVES for noun in NOUNS]
    assert len(set(map(skeleton, handles))) == len(handles)
    assert fresh_handle([]) != fresh_handle([])


def test_students_keep_their_handles_through_a_private_map(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private = tmp_path / "private" / "handles.csv"
    private.parent.mkdir()
    private.write_text("submission,handle\nada,quiet-heron\ngrace,\n")
    results = []
    for name in ("ada", "grace", "linus"):
        made = record(name)
        made["submission"]["id"] = name
        results.append(write_record(tmp_path / f"{name}.json", made))
    arguments = ["--handles", private, "--entries", tmp_path / "e"]
    assert run(capsys, "post", *results, *arguments)[0] == 0
    chosen = HandleMap(private).handles
    assert set(chosen) == {"ada", "grace", "linus"}
    assert chosen["ada"] == "quiet-heron"
    assert {path.name for path in (tmp_path / "e").iterdir()} == set(chosen.values())
    assert private.stat().st_mode & 0o777 == 0o600
    made = record("ada again")
    made["submission"]["id"] = "ada"
    run(capsys, "post", write_record(tmp_path / "again.json", made), *arguments)
    assert HandleMap(private).handles == chosen
    assert len(list((tmp_path / "e" / "quiet-heron").iterdir())) == 2
    assert not any(
        name in path.read_text() for path in (tmp_path / "e").glob("*/*") for name in ("grace", "linus")
    )


def test_one_of_many_that_cannot_be_posted_is_named_and_stops_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = write_record(tmp_path / "bad.json", UNUSABLE["nothing to measure"][0])
    good = [write_record(tmp_path / f"{label}.json", record(label)) for label in ("x", "y")]
    code, out, err = run(capsys, "post", good[0], bad, good[1], "--entries", tmp_path / "e")
    assert (code, out.count("posted as")) == (1, 2)
    assert f"{bad}: compress() gave nothing to measure" in err


@pytest.mark.parametrize("place", ["folder", "branch"])
def test_a_handle_that_one_of_many_chose_stops_no_other(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = {"ada": "admin", "grace": "quiet-heron", "linus": "calm-wren"}
    lines = [f"{name},{handle}\n" for name, handle in chosen.items()]
    (tmp_path / "map.csv").write_text("".join(["submission,handle\n", *lines]))
    results = []
    for name in chosen:
        made = record(name)
        made["submission"]["id"] = name
        results.append(write_record(tmp_path / f"{name}.json", made))
    where: tuple[object, ...] = ("--entries", tmp_path / "e")
    if place == "branch":
        subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "board.git"], check=True)
        where = ("--repo", tmp_path / "board.git")
    code, out, err = run(capsys, "post", *results, "--handles", tmp_path / "map.csv", *where)
    assert (code, out.count("posted as")) == (1, 2)
    assert "admin: admin is reserved" in err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("name,handle\n", "must begin with the line submission,handle"),
        ("submission,handle\nada,heron\nada,crane\n", "names ada twice"),
        (
            "submission,handle\nada,morning-owl\nbob,morn1ng-owl\n",
            "ada the handle morning-owl and bob the handle morn1ng-owl, which could",
        ),
    ],
)
def test_a_map_that_is_none_is_one_sentence(content: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "handles.csv").write_text(content)
    with pytest.raises(EntryError, match=sentence):
        HandleMap(tmp_path / "handles.csv")


def test_a_map_in_the_repository_is_refused() -> None:
    with pytest.raises(EntryError, match="lies in the repository"):
        HandleMap(Path(__main__.__file__).parent / "handles.csv")


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

"""Handles: which may be had, which could pass for another, and the private map of who has which."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from leaderboard_records import (
    graded,
    record,
    run,
    sha256,
    write_record,
)

from leaderboard import __main__, store
from leaderboard.documents import EntryError
from leaderboard.entry import check_handle
from leaderboard.handles import ADJECTIVES, NOUNS, HandleMap, fresh_handle, neutral_handle, skeleton, why_not


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

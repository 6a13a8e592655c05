"""The state of an entry, never silent: notices, corrections, the blind phase, and attempts a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from leaderboard_page import post_all
from leaderboard_records import bits, entry, record, run, write_record
from leaderboard_signed import KEY, NOW, STRANGER, TRUST, board_of

from leaderboard import store
from leaderboard.board import assemble
from leaderboard.documents import EntryError
from leaderboard.entry import Entry
from leaderboard.notice import Notice
from leaderboard.signing import (
    VARIABLE,
)
from leaderboard.site import build


def signed_notice(made: Entry, action: str, day: int, rule: str | None = None) -> Notice:
    at = datetime(2026, 3, day, tzinfo=UTC)
    return Notice(made.handle, made.file_name, action, rule, f"because of {action}", at).signed(KEY)


def test_every_entry_has_a_state_with_time_and_reason() -> None:
    better = bits(range(20))
    first = entry("ann", "1", score=7.0, started="2026-03-01T00:00:00Z", **bits(range(100))).signed(KEY)
    second = entry("ann", "2", score=8.0, started="2026-03-02T00:00:00Z", **better).signed(KEY)
    lucky = entry("ann", "3", score=8.1, started="2026-03-03T00:00:00Z", **bits(range(19))).signed(KEY)
    lower = entry("ann", "4", score=6.0, started="2026-03-04T00:00:00Z", **bits(range(200))).signed(KEY)
    over = entry("bob", "5", score=0, ranked=False, flags=["over the budget"]).signed(KEY)
    gone, cheat = entry("cat", "6").signed(KEY), entry("dan", "7").signed(KEY)
    late = entry("eve", "8", started="2026-03-10T00:00:00Z").signed(KEY)
    unsigned = entry("fay", "9")
    notices = (
        signed_notice(gone, "withdraw", 5),
        signed_notice(cheat, "withdraw", 5),
        signed_notice(cheat, "flag", 6, "no answer carried in"),
    )
    board = board_of(
        *(first, second, lucky, lower, over, gone, cheat, late, unsigned),
        notices=notices,
        trust=replace(TRUST, mark_unverified=True),
        deadline=datetime(2026, 3, 9, tzinfo=UTC),
    )
    found = {path: (s.name, f"{s.since:%d}", s.reason) for path, s in board.states.items()}
    assert found[first.path][:2] == ("superseded", "02")
    assert "8.000 to 7.000" in found[first.path][2]
    assert found[second.path][0] == "verified"
    assert found[lucky.path][0] == "superseded"
    assert "Ladder rule" in found[lucky.path][2]
    assert found[lower.path][:2] == ("superseded", "04")
    assert found[over.path] == ("flagged", "04", "over the budget")
    assert found[gone.path] == ("withdrawn", "05", "because of withdraw")
    assert found[cheat.path] == ("flagged", "06", "no answer carried in: because of flag")
    assert found[late.path][:2] == ("flagged", "10")
    assert "deadline: graded after 2026-03-09" in found[late.path][2]
    assert found[unsigned.path] == ("unverified", "04", "not signed")
    rows = [row.entry.handle for row in board.sections[0].groups[0].rows]
    assert rows == ["ann", "fay"]
    assert [e.handle for e in board.unranked] == ["eve", "bob", "cat", "dan"]


def test_a_correction_takes_the_place_of_what_it_corrects(tmp_path: Path) -> None:
    wrong = entry("ann", "1", score=9.0).signed(KEY)
    right = entry("ann", "2", score=7.0, corrects=(wrong.file_name, "graded with old rules")).signed(KEY)
    board = board_of(wrong, right)
    (row,) = board.sections[0].groups[0].rows
    assert row.entry == right
    state = board.states[wrong.path]
    assert (state.name, state.counts) == ("superseded", False)
    assert "graded with old rules" in state.reason
    store.post(wrong, None, tmp_path)
    store.post(right, None, tmp_path)
    with pytest.raises(EntryError, match=r"there is no entry ann/20260101T000000Z-0000000\.json to correct"):
        store.post(entry("ann", "3", corrects=("20260101T000000Z-0000000.json", "x")), None, tmp_path)


def test_notices_by_command_and_back_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "22" * 32)
    post_all(tmp_path / "e", entry("ann").signed(KEY))
    name = f"{entry('ann').path}.json"
    states = []
    for action, rule in (("withdraw", []), ("restore", []), ("flag", ["--rule", "one handle each"])):
        arguments = ["notice", action, name, "--reason", f"{action}!", *rule, "--entries", tmp_path / "e"]
        assert run(capsys, *arguments)[0] == 0
        board = assemble(store.read_all(tmp_path / "e"), TRUST, NOW)
        states.append(board.states[entry("ann").path])
    assert [(s.name, s.counts) for s in states] == [
        ("withdrawn", False),
        ("verified", True),
        ("flagged", False),
    ]
    assert states[2].reason == "one handle each: flag!"
    assert run(capsys, "build", "--entries", tmp_path / "e", "--out", tmp_path / "site")[0] == 0
    page = (tmp_path / "site" / "entries" / f"{entry('ann').path}.html").read_text()
    assert all(f"{action}!" in page for action in ("withdraw", "restore", "flag"))


def test_a_notice_that_would_not_be_the_newest_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "22" * 32)
    made = entry("ann").signed(KEY)
    post_all(tmp_path, made)
    ahead = Notice("ann", made.file_name, "restore", None, "a clock ahead", datetime(2999, 1, 1, tzinfo=UTC))
    arguments = ("notice", "withdraw", f"{made.path}.json", "--reason", "x", "--entries", tmp_path)
    for foreign in (ahead.signed(STRANGER), replace(ahead.signed(KEY), reason="changed")):
        (tmp_path / "ann" / foreign.file_name).write_text(foreign.to_json())
        assert run(capsys, *arguments)[0] == 0
    (tmp_path / "ann" / ahead.file_name).write_text(ahead.signed(KEY).to_json())
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert f"ann/{ahead.file_name} is of a later time, and the newest notice counts" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["flag", "ann/20260304T101530Z-0000000.json", "--reason", "x"], "flag wants the rule"),
        (
            ["withdraw", "ann/20260304T101530Z-0000000.json", "--reason", "x", "--rule", "y"],
            "flag wants the rule",
        ),
        (["withdraw", "ann/20260304T101530Z-0000000.json", "--reason", "x"], "there is no entry"),
        (["withdraw", "ann", "--reason", "x"], "is not valid"),
        (["withdraw", "../x/20260304T101530Z-0000000.json", "--reason", "x"], "handle is not valid"),
    ],
)
def test_a_notice_about_nothing_is_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "notice", *arguments, "--entries", tmp_path)
    assert (code, sentence in err, len(err.splitlines())) == (2, True, 1)


def test_a_notice_without_a_good_signature_is_not_followed() -> None:
    made = entry("ann").signed(KEY)
    unsigned = replace(signed_notice(made, "withdraw", 5), signature=None)
    forged = replace(signed_notice(made, "withdraw", 5), reason="another")
    board = board_of(made, notices=(unsigned, forged))
    assert board.states[made.path].name == "verified"
    assert len(board.refused) == 2


def test_what_nobody_vouches_for_changes_nothing_that_somebody_vouches_for() -> None:
    made, unsigned = entry("ann").signed(KEY), entry("bob")
    own = [replace(signed_notice(each, "withdraw", 5), signature=None) for each in (made, unsigned)]
    right = entry("ann", "2", ranked=False, corrects=(made.file_name, "I say so"))
    board = board_of(made, unsigned, right, notices=tuple(own), trust=replace(TRUST, mark_unverified=True))
    assert board.states[made.path].name == "verified"
    assert board.states[unsigned.path].name == "withdrawn"
    assert [file.reason for file in board.refused] == ["not signed, so that it is not followed"]


def test_in_the_blind_phase_nobody_sees_a_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = tmp_path / "e"
    entries.mkdir()
    (entries / "board.toml").write_text('title = "Autumn"\nphase = "blind"\n')
    made = record(score=7.4321, accuracy_percent=98.76)
    arguments = [
        "post",
        write_record(tmp_path / "result.json", made),
        "--handle",
        "ann",
        "--entries",
        entries,
    ]
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert out.startswith("received, valid, 4,096 bytes: ")
    build(entries, tmp_path / "site", replace(TRUST, mark_unverified=True), NOW)
    for path in (tmp_path / "site").rglob("*"):
        if path.is_file() and path.suffix in (".html", ".json", ".csv", ".xml"):
            assert not {"7.432", "98.76"} & set(path.read_text().replace("<", " ").split()), path
            assert "7.43" not in path.read_text()
    assert not (tmp_path / "site" / "entries").exists()
    page = (tmp_path / "site" / "index.html").read_text()
    assert "4,096" in page
    assert "received, valid" in page
    (entries / "board.toml").write_text('phase = "open"\n')
    build(entries, tmp_path / "site", replace(TRUST, mark_unverified=True), NOW)
    assert "7.432" in (tmp_path / "site" / "index.html").read_text()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("phase = ", "is not TOML"),
        ('phase = "dark"', 'phase must be "open" or "blind"'),
        ("phases = 1", "knows title, phase, deadline and attempts_a_day, got phases"),
        ("attempts_a_day = 0", "attempts_a_day must be a whole number from 1 on, got 0"),
        ("attempts_a_day = true", "attempts_a_day must be a whole number from 1 on, got True"),
        ("deadline = 2026-12-18", "deadline must be a time with its zone"),
        ("deadline = 2026-12-18T10:00:00", "deadline must be a time with its zone"),
        ("title = 1", "title must be a text"),
        ("title = '\xdcbung'", "board.toml is not UTF-8 text"),
    ],
)
def test_settings_that_cannot_be_followed_stop_everything(
    text: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A blind phase with a spelling mistake must not show the scores."""
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "board.toml").write_text(text, "latin-1")
    code, _, err = run(capsys, "build", "--entries", tmp_path / "e", "--out", tmp_path / "site")
    assert (code, sentence in err) == (2, True)
    assert not (tmp_path / "site").exists()


def test_a_handle_has_so_many_attempts_a_day(tmp_path: Path) -> None:
    (tmp_path / "board.toml").write_text("attempts_a_day = 2\n")

    def attempt(handle: str, label: str, time: str, **more: Any) -> bool:
        return store.post(entry(handle, label, started=time, **more), None, tmp_path)[1]

    assert attempt("ann", "one", "2026-03-04T08:00:00Z")
    assert attempt("ann", "two", "2026-03-04T23:59:59Z")
    assert not attempt("ann", "two", "2026-03-04T23:59:59Z")  # the same one again is none
    with pytest.raises(EntryError, match=r"ann has posted 2 of 2 entries of 2026-03-04 \(UTC\)"):
        attempt("ann", "three", "2026-03-04T09:00:00Z")
    assert attempt("ann", "three", "2026-03-05T00:00:00Z")
    assert attempt("bob", "four", "2026-03-04T09:00:00Z")
    first = entry("ann", "one", started="2026-03-04T08:00:00Z").file_name
    assert attempt("ann", "five", "2026-03-04T10:00:00Z", corrects=(first, "a wrong deadline"))
    with pytest.raises(EntryError, match="has posted 2 of 2"):
        attempt("ann", "six", "2026-03-04T11:00:00Z")
    for number in range(3):
        assert attempt(f"base-{number}", f"b{number}", "2026-03-04T09:00:00Z", baseline="Base")

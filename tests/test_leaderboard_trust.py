"""Trust: keys, signatures, and what verify and build say of a board that is not as it was signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from leaderboard_page import post_all
from leaderboard_records import bits, entry, run
from leaderboard_signed import KEY, NOW, STRANGER, TRUST, post_signed

from leaderboard.documents import EntryError
from leaderboard.entry import Entry
from leaderboard.ranking import halvings, quality
from leaderboard.signing import (
    FILE_VARIABLE,
    PROJECT,
    VARIABLE,
    find_key,
    is_signed,
    public_key,
    read_trusted,
)
from leaderboard.site import build


def test_a_signature_vouches_for_every_part_of_an_entry() -> None:
    made = entry("ann", **bits(range(100))).signed(KEY)
    document = json.loads(made.to_json())
    assert is_signed(document)
    competition = {"bytes": 4095, "score": 7.6, "ranked": False, "flags": ["x"], "artifact_sha256": "0" * 64}
    changes: list[dict[str, Any]] = [
        {"handle": "bob"},
        {"commit": None},
        {"kind": "baseline"},
        {"corrects": 1},
    ]
    changes += [
        {"competition": {**document["competition"], key: value}} for key, value in competition.items()
    ]
    for change in changes:
        assert not is_signed({**document, **change}), change
    other_key = {**document["signature"], "key": public_key(STRANGER)}
    assert not is_signed({**document, "signature": other_key})


def test_a_key_is_made_once_and_for_its_owner_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keys" / "secret"
    code, out, _ = run(capsys, "key", file)
    assert code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    key = find_key(file)
    assert key is not None
    assert public_key(key) in out
    assert file.read_text().strip() not in out
    assert run(capsys, "key", file)[0] == 2
    assert run(capsys, "key", PROJECT / "secret")[0] == 2
    assert not (PROJECT / "secret").exists()


def test_a_key_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_key() is None
    monkeypatch.setenv(VARIABLE, "22" * 32)
    found = find_key()
    assert found is not None
    assert public_key(found) == public_key(KEY)
    (tmp_path / "key").write_text("33" * 32)
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "key"))
    found = find_key()
    assert found is not None
    assert public_key(found) == public_key(STRANGER)


def test_what_is_no_key_is_one_sentence_that_does_not_show_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "hunter2")
    with pytest.raises(EntryError, match="holds no key") as refusal:
        find_key()
    assert "hunter2" not in str(refusal.value)
    with pytest.raises(EntryError, match="there is no key"):
        find_key(tmp_path / "nowhere")
    with pytest.raises(EntryError, match="lies in the repository"):
        find_key(PROJECT / "pyproject.toml")
    with pytest.raises(EntryError, match="--trust wants"):
        read_trusted(["nonsense"])
    (tmp_path / "keys").write_text(f"# ours\n{public_key(KEY)}  # 2026\n\n")
    assert read_trusted([str(tmp_path / "keys")]) == {public_key(KEY)}


def edit(folder: Path, change: Callable[[dict[str, Any]], None], key: Any = None) -> None:
    """Change the one entry, and sign it again if there is a key."""
    (path,) = folder.glob("*/*.json")
    document = json.loads(path.read_text())
    change(document)
    made = Entry.from_document(document)
    path.write_text((made if key is None else made.signed(key)).to_json())


FORGERIES: dict[str, tuple[Callable[[dict[str, Any]], None], Any, str]] = {
    "a score after signing": (
        lambda d: d["competition"].update(score=9.9),
        None,
        "its signature does not fit",
    ),
    "a score and one's own key": (lambda d: d["competition"].update(score=9.9), STRANGER, "not trusted here"),
    "no signature": (lambda d: d.update(signature=None), None, "not signed"),
    "a score by the grader's key": (
        lambda d: d["competition"].update(score=9.9),
        KEY,
        "its score is 9.900, and bytes and accuracy give",
    ),
    "a lower score without a canary": (
        lambda d: d["competition"].update(score=1.0),
        KEY,
        "no canary was run",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_verify_names_the_row_that_fails_and_why(
    forgery: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = post_signed(tmp_path)
    arguments = ("verify", "--entries", tmp_path, "--trust", public_key(KEY))
    code, out, _ = run(capsys, *arguments)
    assert (code, "all 1 entries and 0 notices are as they should be" in out) == (0, True)
    change, key, reason = FORGERIES[forgery]
    edit(tmp_path, change, key)
    code, _, err = run(capsys, *arguments)
    assert code == 1
    assert f"{made.path}.json: " in err
    assert reason in err


def test_verify_looks_at_files_and_artifacts_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = post_signed(tmp_path)
    (tmp_path / f"{made.path}.fw").unlink()
    (tmp_path / "ann" / "odd.json").write_text("{}")
    code, _, err = run(capsys, "verify", "--entries", tmp_path, "--trust", public_key(KEY))
    assert code == 1
    assert [line.split(": ", 1)[1] for line in err.splitlines()][
        1
    ] == f"{made.path}.json: its artifact is not there"
    assert "ann/odd.json" in err


def test_verify_works_the_ranks_of_a_site_out_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ann, bob = (
        entry(handle, bytes=size, score=quality(98.0) * halvings(size), **bits(range(100))).signed(KEY)
        for handle, size in (("ann", 3000), ("bob", 4000))
    )
    post_all(tmp_path / "e", ann, bob)
    build(tmp_path / "e", tmp_path / "site", TRUST, NOW)
    arguments = (
        "verify",
        "--entries",
        tmp_path / "e",
        "--site",
        tmp_path / "site",
        "--trust",
        public_key(KEY),
    )
    run(capsys, *arguments)
    page = tmp_path / "site" / "leaderboard.json"
    assert "rank" not in run(capsys, *arguments)[2]
    page.write_text(page.read_text().replace('"rank": 2', '"rank": 1'))
    code, _, err = run(capsys, *arguments)
    assert code == 1
    assert "mnist-public-mlp: rank 1 is bob with a score" in err
    page.write_text("{")
    assert "cannot be read" in run(capsys, *arguments)[2]


def withheld(document: dict[str, Any]) -> None:
    for name in set(document) - {"schema", "title", "deadline", "built"}:
        del document[name]
    document.update(phase="blind", received=[])


def forged_first(document: dict[str, Any]) -> None:
    (group,) = document["groups"]
    (row,) = group["rows"]
    document["groups"].insert(0, {**group, "rows": [{**row, "score": 9.9}]})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda document: document.pop("groups"), "'groups' is a required property"),
        (lambda document: document["groups"][0].update(rows=[{}]), "cannot be read"),
        (withheld, "it is of the blind phase, and the board is in the open one"),
        (forged_first, "the entries give"),
    ],
    ids=["no groups", "no row", "withheld", "a group twice"],
)
def test_a_site_that_shows_less_or_something_twice_is_not_as_it_should_be(
    change: Callable[[dict[str, Any]], None],
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    post_signed(tmp_path / "e")
    build(tmp_path / "e", tmp_path / "site", TRUST, NOW)
    place = ("--entries", tmp_path / "e", "--site", tmp_path / "site")
    arguments = ("verify", *place, "--trust", public_key(KEY))
    assert run(capsys, *arguments)[0] == 0
    page = tmp_path / "site" / "leaderboard.json"
    document = json.loads(page.read_text())
    change(document)
    page.write_text(json.dumps(document))
    code, _, err = run(capsys, *arguments)
    assert (code, sentence in err, len(err.splitlines())) == (1, True, 1)


def test_verify_misses_an_entry_that_was_corrected_and_is_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = entry("ann", "1").signed(KEY)
    right = entry("ann", "2", corrects=(wrong.file_name, "graded with old rules")).signed(KEY)
    post_all(tmp_path, wrong, right)
    (tmp_path / f"{wrong.path}.json").unlink()
    _, _, err = run(capsys, "verify", "--entries", tmp_path, "--trust", public_key(KEY))
    assert f"{right.path}.json: it corrects {wrong.file_name}, which is not there" in err


def test_build_leaves_out_what_is_not_signed_unless_told_to_mark_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    post_all(tmp_path / "e", entry("ann").signed(KEY), entry("bob"), entry("cat").signed(STRANGER))
    arguments = ("build", "--entries", tmp_path / "e", "--out", tmp_path / "site", "--trust", public_key(KEY))
    code, out, err = run(capsys, *arguments)
    assert code == 1
    assert "from 1 entry" in out
    assert ["not signed" in line for line in err.splitlines()] == [True, False]
    assert "not trusted here" in err
    page = (tmp_path / "site" / "index.html").read_text()
    assert "bob/" in page  # among those left out
    assert "entries/bob/" not in page
    code, out, err = run(capsys, *arguments, "--mark-unverified")
    assert (code, err) == (0, "")
    page = (tmp_path / "site" / "index.html").read_text()
    assert page.count('class="state unverified"') == 2
    assert page.count('class="state verified"') == 1


def test_a_changed_entry_is_never_shown_not_even_marked(tmp_path: Path) -> None:
    post_signed(tmp_path / "e")
    edit(tmp_path / "e", lambda document: document["competition"].update(score=9.9))
    board = build(tmp_path / "e", tmp_path / "site", replace(TRUST, mark_unverified=True), NOW)
    assert board.entries == ()
    assert "it was changed" in board.refused[0].reason

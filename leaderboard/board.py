"""The board: entries, notices and settings in; rows, states and sections out. Everything shown is made from it.

    board = assemble(read_all(folder), Trust(keys), built=now)
    board.boards[0].groups[0].rows[0].entry.handle
    board.states["quiet-heron/20260304T101530Z-3f2a91c"]      # State("superseded", when, why)

Nothing is silent: every entry has a state, and what was left out is listed with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from leaderboard.entry import Entry
from leaderboard.final import Final, ShakeUp, shake_up
from leaderboard.notice import Notice
from leaderboard.ranking import Group, groups
from leaderboard.settings import Settings
from leaderboard.signing import is_signed
from leaderboard.store import Contents, Refused, newest


@dataclass(frozen=True)
class Trust:
    """Whose signatures count, and what becomes of entries without one."""

    keys: frozenset[str] = frozenset()
    mark_unverified: bool = False  # show them, marked; else they are left out

    def doubt(self, document: Entry | Notice) -> str | None:
        """Why an entry or a notice is not verified; None where it is."""
        if document.signature is None:
            return "not signed"
        if document.signature[0] not in self.keys:
            return f"signed with a key that is not trusted here ({document.signature[0][:16]}...)"
        return None


@dataclass(frozen=True)
class State:
    """What an entry is now: verified, unverified, flagged, superseded or withdrawn; since when, and why."""

    name: str
    since: datetime
    reason: str
    counts: bool = False  # whether it takes part in the ranking


@dataclass(frozen=True)
class Section:
    """Groups that share a plot: the same data and split, one for each division."""

    groups: tuple[Group, ...]
    shake_ups: tuple[ShakeUp, ...] = ()

    @property
    def data(self) -> str:
        return self.groups[0].data

    @property
    def split(self) -> str:
        return self.groups[0].split

    @property
    def key(self) -> str:
        return f"{self.data}-{self.split}"

    @property
    def images(self) -> int:
        return self.groups[0].images

    @property
    def rules(self) -> list[str]:
        """Hashes of the rules under which its entries were scored: more than one may not compare."""
        return sorted({entry.rules_sha256 for group in self.groups for entry in group.entries})


@dataclass(frozen=True)
class Board:
    """Everything that a page, the JSON, the CSV and the feed are made from."""

    settings: Settings
    built: datetime
    entries: tuple[Entry, ...]  # all that are shown, baselines too
    states: dict[str, State]  # by Entry.path
    doubts: dict[str, str]  # by Entry.path: why a signature does not vouch for it
    notices: tuple[Notice, ...]
    sections: tuple[Section, ...]
    baselines: tuple[Entry, ...]
    refused: tuple[Refused, ...]
    artifacts: dict[str, bytes]
    final: Final | None

    @property
    def unranked(self) -> list[Entry]:
        """Students' entries that do not count, newest first."""
        found = [e for e in self.entries if e.kind == "student" and not self.states[e.path].counts]
        return sorted(sorted(found, key=attrgetter("path")), key=attrgetter("started"), reverse=True)

    @property
    def handles(self) -> list[str]:
        return sorted({entry.handle for entry in self.entries})


def assemble(contents: Contents, trust: Trust, built: datetime, final: Final | None = None) -> Board:
    """Decide what is shown and how it ranks.

    Args:
        built: when, in UTC.
        final: the final measurement, if there has been one.
    """
    refused = list(contents.refused)
    entries, doubts = [], {}
    for entry in contents.entries:
        doubt = trust.doubt(entry)
        if entry.signature is not None and not is_signed(entry.to_document()):
            refused.append(Refused(f"{entry.path}.json", "its signature does not fit: it was changed"))
        elif doubt is not None and not trust.mark_unverified:
            refused.append(Refused(f"{entry.path}.json", f"{doubt}, so that it may not be shown as verified"))
        else:
            entries.append(entry)
            if doubt is not None:
                doubts[entry.path] = doubt
    notices = []
    unverified = {f"{path}.json" for path in doubts}
    for notice in contents.notices:
        doubt = trust.doubt(notice)
        path = f"{notice.handle}/{notice.file_name}"
        if notice.signature is not None and not is_signed(notice.to_document()):
            refused.append(Refused(path, "its signature does not fit: it was changed"))
        elif doubt is not None and f"{notice.handle}/{notice.entry}" not in unverified:
            refused.append(Refused(path, f"{doubt}, so that it is not followed"))
        else:
            notices.append(notice)
    states = _first_states(entries, doubts, notices, contents.settings)
    students = [entry for entry in entries if entry.kind == "student"]
    found = groups([e for e in students if states[e.path].counts], attempts=students)
    for group in found:
        _supersede(group, states)
    return Board(
        settings=contents.settings,
        built=built,
        entries=tuple(entries),
        states=states,
        doubts=doubts,
        notices=tuple(notices),
        sections=tuple(_sections(found, final)),
        baselines=tuple(
            sorted((e for e in entries if e.kind == "baseline"), key=lambda e: (-e.score, e.bytes))
        ),
        refused=tuple(refused),
        artifacts=dict(contents.artifacts or {}),
        final=final,
    )


def _first_states(
    entries: Sequence[Entry], doubts: dict[str, str], notices: Sequence[Notice], settings: Settings
) -> dict[str, State]:
    """The state of each entry before any is ranked."""
    said = newest(notices)
    corrected = {}
    for entry in entries:
        if entry.corrects is not None:
            name = f"{entry.handle}/{entry.corrects[0]}"
            if entry.path not in doubts or name.removesuffix(".json") in doubts:  # else anybody could say so
                corrected[name] = (entry, entry.corrects[1])
    states = {}
    for entry in entries:
        name = f"{entry.path}.json"
        notice = said.get(name)
        if notice is not None and notice.action == "withdraw":
            state = State("withdrawn", notice.at, notice.reason)
        elif notice is not None and notice.action == "flag":
            state = State("flagged", notice.at, f"{notice.rule}: {notice.reason}")
        elif name in corrected:
            newer, reason = corrected[name]
            state = State("superseded", newer.started, f"{newer.file_name} takes its place: {reason}")
        elif not entry.ranked:
            reason = "; ".join(entry.flags) or "the grader gave no reason"
            state = State("flagged", entry.started, reason)
        elif settings.deadline is not None and entry.started > settings.deadline:
            limit = f"{settings.deadline:%Y-%m-%d at %H:%M UTC}"
            state = State("flagged", entry.started, f"deadline: graded after {limit}")
        elif entry.path in doubts:
            state = State("unverified", entry.started, doubts[entry.path], counts=True)
        else:
            assert entry.signature is not None
            reason = f"signed with the key {entry.signature[0][:16]}..."
            state = State("verified", entry.started, reason, counts=True)
        states[entry.path] = state
    return states


def _supersede(group: Group, states: dict[str, State]) -> None:
    """Say of each entry of a group that is no row why it is none."""
    shown = {row.entry.handle: row.entry for row in group.rows}
    replaced = {old.path: new for old, new in group.moves}
    for entry in group.entries:
        row = shown[entry.handle]
        if entry.path == row.path:
            continue
        since = entry.started
        if entry.path in replaced:
            new = replaced[entry.path]
            since = new.started
            reason = f"{new.file_name} has the higher score, {new.score:.3f} to {entry.score:.3f}"
        elif entry.score > row.score:
            reason = f"{row.file_name} stays: no larger, and not significantly worse (Ladder rule)"
        else:
            reason = f"when it came, the row had a score at least as high; now that is {row.file_name}"
        states[entry.path] = State("superseded", since, reason, counts=True)


def _sections(found: Iterable[Group], final: Final | None) -> Iterable[Section]:
    for _, part in groupby(found, key=lambda group: (group.data, group.split)):
        together = tuple(part)
        ups = () if final is None else tuple(shake_up(group, final) for group in together)
        yield Section(together, tuple(up for up in ups if up.moves))

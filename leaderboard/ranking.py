"""Who is ahead of whom: pure functions from entries to ranks and the Pareto front.

Entries are ranked only against entries measured alike: the same data, the same part of the test set, the same
division. Within such a group

- a handle has one row. It moves to a newer entry only if that has the higher score, and its file is smaller or
  its answers differ significantly (the Ladder rule: what could be luck moves nothing);
- the higher score is ahead, then fewer bytes; time breaks no tie;
- rows of the same size whose answers do not differ significantly share a rank. That relation is not transitive,
  so each row is compared to the first of those that share: a rank never reaches further than one test does.

The Ladder: A. Blum and M. Hardt, "The Ladder: a reliable leaderboard for machine learning competitions", ICML 2015.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log2

from leaderboard.entry import Entry
from leaderboard.significance import SIGNIFICANT, TEST_IMAGES, accuracy_interval, p_value

REFERENCE_BYTES = 1_066_440
REFERENCE_ACCURACY_PERCENT = 98.40
FLOOR_PERCENT = 90.0
LARGEST_QUALITY = 1.1
SMALLEST_BYTES = 64
WEIGHT_CLASSES = (  # the size in bytes at which each ends; the lightest is the highest honour
    (384, "featherweight"),
    (512, "superfeatherweight"),
    (1024, "lightweight"),
    (2048, "welterweight"),
    (4096, "middleweight"),
    (8192, "cruiserweight"),
    (16384, "heavyweight"),
)
CLASS_ACCURACY_PERCENT = 98.0  # a class is for models that still work

Key = tuple[str, str, str]
ORDER = ("mnist", "mnist-5k", "private", "full", "public", "mlp", "open")


@dataclass(frozen=True)
class Row:
    """One line of a table: the entry that a handle is ranked by."""

    rank: int
    shared: bool  # another row has the same rank
    entry: Entry
    attempts: int  # everything the handle posted in this group
    images: int  # that its accuracy was measured on

    @property
    def half_width(self) -> float:
        """Half of the accuracy's 95 % interval, in percentage points."""
        low, high = accuracy_interval(self.entry.accuracy_percent, self.images)
        return (high - low) / 2

    @property
    def weight_class(self) -> str:
        return weight_class(self.entry.bytes, self.entry.accuracy_percent)


@dataclass(frozen=True)
class Group:
    """Entries that may be compared. `rows` are ranked; `entries` are all ranked ones, superseded ones too."""

    data: str
    split: str
    division: str
    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]
    records: tuple[Entry, ...]  # oldest first: each beat every score before it
    moves: tuple[tuple[Entry, Entry], ...]  # (an entry that was a row, the one that took its place)
    images: int

    @property
    def key(self) -> str:
        return f"{self.data}-{self.split}-{self.division}"


def groups(entries: Iterable[Entry], attempts: Iterable[Entry] | None = None) -> list[Group]:
    """Sort entries into groups and rank each. Groups without a ranked entry are left out.

    Full MNIST comes before the 5,000-image fallback, the final half before the public one, mlp before open.

    Args:
        entries: those that count.
        attempts: all that were posted; without it, `entries`.
    """
    entries = list(entries)
    tried = Counter((*group_key(entry), entry.handle) for entry in (attempts or entries))
    by_key: dict[Key, list[Entry]] = {}
    for entry in entries:
        by_key.setdefault(group_key(entry), []).append(entry)
    found = []
    for key in sorted(by_key, key=lambda key: [ORDER.index(part) for part in key]):
        ranked = sorted((entry for entry in by_key[key] if entry.ranked), key=_posted_order)
        if not ranked:
            continue
        images = TEST_IMAGES[key[0], key[1]]
        shown, moves = climb(ranked)
        counts = {handle: tried[(*key, handle)] for handle in shown}
        rows = tuple(rank(shown.values(), counts, images))
        records = tuple(_records(ranked))
        found.append(Group(*key, rows, tuple(ranked), records, tuple(moves), images))
    return found


def group_key(entry: Entry) -> Key:
    """What must be alike for two entries to be compared."""
    return entry.data, entry.split, entry.division


def climb(entries: Iterable[Entry]) -> tuple[dict[str, Entry], list[tuple[Entry, Entry]]]:
    """The Ladder rule: each handle's row, and the moves that led there.

    Args:
        entries: ranked ones of a group, in the order in which they were graded.
    """
    shown: dict[str, Entry] = {}
    moves = []
    for entry in entries:
        current = shown.get(entry.handle)
        if current is None or is_step_up(current, entry):
            if current is not None:
                moves.append((current, entry))
            shown[entry.handle] = entry
    return shown, moves


def is_step_up(current: Entry, new: Entry) -> bool:
    """Whether a handle's row moves: to a higher score, which no luck explains."""
    if new.score <= current.score:
        return False
    return new.bytes < current.bytes or differ(current, new)


def differ(one: Entry, other: Entry) -> bool:
    """Whether two entries' answers differ significantly; whether their accuracies differ, if answers are missing."""
    if one.answers is None or other.answers is None:
        return one.accuracy_percent != other.accuracy_percent
    return p_value(one.answers, other.answers) <= SIGNIFICANT


def rank(shown: Iterable[Entry], attempts: dict[str, int], images: int) -> list[Row]:
    """Rank one entry of each handle: score, then bytes; same size and no significant difference share a rank."""
    ordered = sorted(shown, key=_show_order)
    ranks: list[int] = []
    first = 0
    for position, entry in enumerate(ordered):
        if position == 0 or not shares(ordered[first], entry):
            first = position
        ranks.append(first + 1)
    sharing = Counter(ranks)
    return [
        Row(number, sharing[number] > 1, entry, attempts.get(entry.handle, 1), images)
        for number, entry in zip(ranks, ordered, strict=True)
    ]


def shares(first: Entry, entry: Entry) -> bool:
    """Whether two rows stand together: of one size, and only luck between them.

    A score that something else than accuracy holds down, as the canary does, shares with its equal alone.
    """
    if entry.bytes != first.bytes or differ(first, entry):
        return False
    return first.score == entry.score or not (is_held_down(first) or is_held_down(entry))


def is_held_down(entry: Entry) -> bool:
    """Whether the score is lower than bytes and accuracy give."""
    return entry.score < quality(entry.accuracy_percent) * halvings(entry.bytes) - 5e-4


def _records(ranked: Sequence[Entry]) -> Iterable[Entry]:
    best = 0.0
    for entry in ranked:
        if entry.score > best:
            best = entry.score
            yield entry


def _posted_order(entry: Entry) -> tuple[object, ...]:
    return entry.started, entry.handle, entry.file_name


def _show_order(entry: Entry) -> tuple[float, int, str, str]:
    """Score, then bytes; the rest decides only the order in which equals are printed."""
    return -entry.score, entry.bytes, entry.handle, entry.file_name


def pareto_front(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that no other beats in size or accuracy without losing in the other, smallest first.

    Of entries equal in both, the one first by handle and file name stands for all.
    """
    front: list[Entry] = []
    for entry in sorted(entries, key=lambda e: (e.bytes, -e.accuracy_percent, e.handle, e.file_name)):
        if not front or entry.accuracy_percent > front[-1].accuracy_percent:
            front.append(entry)
    return front


def weight_class(size_bytes: int, accuracy_percent: float) -> str:
    """The boxing class that a file has earned: none under 98 %, none over the heaviest class."""
    if accuracy_percent < CLASS_ACCURACY_PERCENT:
        return ""
    return next((name for limit_bytes, name in WEIGHT_CLASSES if size_bytes <= limit_bytes), "")


def quality(accuracy_percent: float) -> float:
    """The share of its accuracy that a model kept: 0 at the floor, 1 at the reference, at most 1.1."""
    kept = (accuracy_percent - FLOOR_PERCENT) / (REFERENCE_ACCURACY_PERCENT - FLOOR_PERCENT)
    return min(max(kept, 0.0), LARGEST_QUALITY)


def halvings(size_bytes: int) -> float:
    """How many times the shared model was halved."""
    return log2(REFERENCE_BYTES / max(size_bytes, SMALLEST_BYTES))

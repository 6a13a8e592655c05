"""Who is ahead of whom: pure functions from entries to ranks, error bars and the Pareto front.

Entries are ranked only against entries measured alike: the same data, the same part of the test set, the same
division. Within such a group a handle has one row, its best; the higher score is ahead, then fewer bytes.
Time breaks no tie, so what is equal in both shares a rank.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from operator import attrgetter

from leaderboard.entry import Entry

TEST_IMAGES = {
    ("mnist", "full"): 10_000,
    ("mnist", "public"): 5_000,
    ("mnist", "private"): 5_000,
    ("mnist-5k", "full"): 1_000,
    ("mnist-5k", "public"): 500,
    ("mnist-5k", "private"): 500,
}
Z_95 = 1.959964  # 97.5th percentile of the normal distribution
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


@dataclass(frozen=True)
class Row:
    """One line of a table: a handle's best ranked entry."""

    rank: int
    shared: bool  # another row has the same rank
    entry: Entry
    attempts: int  # everything the handle posted in this group


@dataclass(frozen=True)
class Group:
    """Entries that may be compared. `rows` are ranked; `entries` are all ranked ones, superseded ones too."""

    data: str
    split: str
    division: str
    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]

    @property
    def test_images(self) -> int:
        return TEST_IMAGES[self.data, self.split]


def groups(entries: Iterable[Entry]) -> list[Group]:
    """Sort entries into groups and rank each. Groups without a ranked entry are left out.

    Full MNIST comes before the 5,000-image fallback, the final half before the public one, mlp before open.
    """
    by_key: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in entries:
        by_key.setdefault((entry.data, entry.split, entry.division), []).append(entry)
    order = ("mnist", "mnist-5k", "private", "full", "public", "mlp", "open")
    found = []
    for key in sorted(by_key, key=lambda key: [order.index(part) for part in key]):
        ranked = tuple(sorted((entry for entry in by_key[key] if entry.ranked), key=_show_order))
        if ranked:
            found.append(Group(*key, rows=tuple(_rows(by_key[key])), entries=ranked))
    return found


def unranked(entries: Iterable[Entry]) -> list[Entry]:
    """Entries that do not count, newest first."""
    shown = sorted((entry for entry in entries if not entry.ranked), key=attrgetter("handle", "file_name"))
    return sorted(shown, key=attrgetter("started"), reverse=True)


def _rows(entries: list[Entry]) -> list[Row]:
    attempts = Counter(entry.handle for entry in entries)
    best: dict[str, Entry] = {}
    for entry in sorted(entries, key=_show_order):
        if entry.ranked:
            best.setdefault(entry.handle, entry)
    ordered = sorted(best.values(), key=_show_order)
    rank_of: dict[tuple[float, int], int] = {}
    for position, entry in enumerate(ordered, start=1):
        rank_of.setdefault(_standing(entry), position)
    sharing = Counter(map(_standing, ordered))
    return [
        Row(rank_of[_standing(entry)], sharing[_standing(entry)] > 1, entry, attempts[entry.handle])
        for entry in ordered
    ]


def _standing(entry: Entry) -> tuple[float, int]:
    return (-entry.score, entry.bytes)


def _show_order(entry: Entry) -> tuple[float, int, str, str]:
    """Standing first; the rest decides only the order in which equals are printed."""
    return (*_standing(entry), entry.handle, entry.file_name)


def pareto_front(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that no other beats in size or accuracy without losing in the other, smallest first.

    Of entries equal in both, the one first by handle and file name stands for all.
    """
    front: list[Entry] = []
    for entry in sorted(entries, key=lambda e: (e.bytes, -e.accuracy_percent, e.handle, e.file_name)):
        if not front or entry.accuracy_percent > front[-1].accuracy_percent:
            front.append(entry)
    return front


def accuracy_interval(accuracy_percent: float, images: int) -> tuple[float, float]:
    """The 95 % interval of a measured accuracy, in percent: Wilson's, within [0, 100] and never empty.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.

    >>> [round(bound, 3) for bound in accuracy_interval(98.0, 5000)]
    [97.574, 98.353]
    """
    p = accuracy_percent / 100
    shrink = 1 + Z_95**2 / images
    middle = (p + Z_95**2 / (2 * images)) / shrink
    half_width = Z_95 * sqrt(p * (1 - p) / images + Z_95**2 / (4 * images**2)) / shrink
    return 100 * max(0.0, middle - half_width), 100 * min(1.0, middle + half_width)


def weight_class(size_bytes: int, accuracy_percent: float) -> str:
    """The boxing class that a file has earned: none under 98 %, none over the heaviest class."""
    if accuracy_percent < CLASS_ACCURACY_PERCENT:
        return ""
    return next((name for limit_bytes, name in WEIGHT_CLASSES if size_bytes <= limit_bytes), "")

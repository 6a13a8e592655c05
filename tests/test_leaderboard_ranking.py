"""Ranks, ties, attempts, error bars and the Pareto front, against results worked by hand."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leaderboard_records import entry

from leaderboard.entry import Entry
from leaderboard.published import published
from leaderboard.ranking import (
    TEST_IMAGES,
    accuracy_interval,
    groups,
    pareto_front,
    unranked,
    weight_class,
)


def table(entries: list[Entry]) -> list[tuple[int, bool, str, int, int]]:
    """Rank, shared, handle, bytes and attempts of the one group that there is."""
    (group,) = groups(entries)
    return [(r.rank, r.shared, r.entry.handle, r.entry.bytes, r.attempts) for r in group.rows]


def test_a_board_worked_by_hand() -> None:
    # ann's best is 7.5; her other two entries count as attempts. bob, cat and dan score 7.2: dan's file is
    # the smallest, so he is second; bob and cat are equal in bytes too and share rank 3; eve is fifth.
    board = [
        entry("eve", score=7.0),
        entry("ann", "ann 1", score=7.4, bytes=4000),
        entry("cat", score=7.2, bytes=5000),
        entry("ann", "ann 2", score=7.5, bytes=6000),
        entry("bob", score=7.2, bytes=5000),
        entry("dan", score=7.2, bytes=4999),
        entry("ann", "ann 3", score=0.0, ranked=False),
    ]
    assert table(board) == [
        (1, False, "ann", 6000, 3),
        (2, False, "dan", 4999, 1),
        (3, True, "bob", 5000, 1),
        (3, True, "cat", 5000, 1),
        (5, False, "eve", 4096, 1),
    ]


def test_time_breaks_no_tie() -> None:
    early = entry("zoe", started="2026-01-01T00:00:00Z")
    late = entry("ann", started="2026-02-01T00:00:00Z")
    assert [row[:3] for row in table([early, late])] == [(1, True, "ann"), (1, True, "zoe")]


def test_of_equal_scores_a_handle_shows_the_smaller_file() -> None:
    assert table([entry("ann", "x", bytes=5000), entry("ann", "y", bytes=4000)])[0][3] == 4000


def test_the_order_of_the_files_does_not_matter() -> None:
    board = [entry(f"h{n:02}", score=float(n % 7), bytes=4000 + n % 3) for n in range(40)]
    expected = table(board)
    random.Random(1).shuffle(board)
    assert table(board) == expected


def test_what_was_measured_differently_is_not_compared() -> None:
    found = groups(
        [
            entry("ann", "1", data="mnist-5k", split="full", score=14.0),
            entry("ann", "2", score=1.0),
            entry("ann", "3", division="open", score=13.0),
            entry("ann", "4", split="private", score=12.0),
        ]
    )
    assert [(g.data, g.split, g.division, len(g.rows), g.test_images) for g in found] == [
        ("mnist", "private", "mlp", 1, 5000),
        ("mnist", "public", "mlp", 1, 5000),
        ("mnist", "public", "open", 1, 5000),
        ("mnist-5k", "full", "mlp", 1, 1000),
    ]


def test_unranked_entries_are_apart_newest_first() -> None:
    old = entry("ann", ranked=False, started="2026-01-01T00:00:00Z")
    new = entry("bob", ranked=False, started="2026-01-02T00:00:00Z")
    assert groups([old, new]) == []
    assert unranked([old, entry("cat"), new]) == [new, old]


def test_the_pareto_front_worked_by_hand() -> None:
    # 3,000 bytes at 97 % starts it; 4,000 at 97 % is larger and no better; 5,000 at 98 % is better; 5,000 at
    # 97.5 % loses to it at the same size; 6,000 at 98 % is larger and no better; 9,000 at 98.2 % ends it.
    points = [(5000, 98.0), (3000, 97.0), (4000, 97.0), (9000, 98.2), (5000, 97.5), (6000, 98.0)]
    board = [entry(f"h{n}x", bytes=b, accuracy_percent=a) for n, (b, a) in enumerate(points)]
    assert [(e.bytes, e.accuracy_percent) for e in pareto_front(board)] == [
        (3000, 97.0),
        (5000, 98.0),
        (9000, 98.2),
    ]


def test_equal_points_are_one_point_of_the_front() -> None:
    assert [e.handle for e in pareto_front([entry("bob"), entry("ann")])] == ["ann"]


@given(st.lists(st.tuples(st.integers(1000, 1010), st.integers(900, 910)), min_size=1, max_size=20))
def test_nothing_beats_the_front_and_the_front_beats_the_rest(points: list[tuple[int, int]]) -> None:
    board = [entry(f"h{n}x", bytes=b, accuracy_percent=a / 10) for n, (b, a) in enumerate(points)]
    front = pareto_front(board)
    for point in board:
        beaten = any(
            f.bytes <= point.bytes
            and f.accuracy_percent >= point.accuracy_percent
            and (f.bytes, f.accuracy_percent) != (point.bytes, point.accuracy_percent)
            for f in front
        )
        on_front = (point.bytes, point.accuracy_percent) in {(f.bytes, f.accuracy_percent) for f in front}
        assert beaten != on_front


def test_wilson_interval_worked_by_hand() -> None:
    # p = 0.9, n = 100, z = 1.959964, z^2 = 3.841459: middle (0.9 + 0.019207) / 1.038415 = 0.885202;
    # half 1.959964 * sqrt(0.0009 + 0.0000960365) / 1.038415 = 1.959964 * 0.0315600 / 1.038415 = 0.059568.
    assert accuracy_interval(90.0, 100) == pytest.approx((82.5634, 94.4770), abs=1e-3)


def test_an_error_bar_never_vanishes_nor_leaves_the_scale() -> None:
    low, high = accuracy_interval(100.0, 5000)
    assert high == pytest.approx(100.0)
    assert high <= 100.0
    assert 99.9 < low < 100.0
    assert accuracy_interval(0.0, 5000)[0] == 0.0


def test_error_bars_shrink_with_the_images() -> None:
    few, many = accuracy_interval(98.0, 500), accuracy_interval(98.0, 10_000)
    assert few[0] < many[0] < 98.0 < many[1] < few[1]


def test_halves_of_the_test_set_are_halves() -> None:
    for data in ("mnist", "mnist-5k"):
        assert TEST_IMAGES[data, "public"] + TEST_IMAGES[data, "private"] == TEST_IMAGES[data, "full"]


@pytest.mark.parametrize(
    ("size_bytes", "accuracy_percent", "name"),
    [
        (384, 98.0, "featherweight"),
        (385, 98.0, "superfeatherweight"),
        (1024, 99.0, "lightweight"),
        (1025, 99.0, "welterweight"),
        (16384, 98.5, "heavyweight"),
        (16385, 99.9, ""),
        (384, 97.99, ""),
    ],
)
def test_weight_classes_are_earned_by_size_and_accuracy(
    size_bytes: int, accuracy_percent: float, name: str
) -> None:
    assert weight_class(size_bytes, accuracy_percent) == name


def test_published_results_are_the_papers_numbers() -> None:
    assert [(p.short_name, p.bytes, p.accuracy_percent) for p in published()] == [
        ("Han et al. 2016", 27000, 98.42),
        ("Oktay et al. 2020", 8560, 98.1),
    ]
    assert all(p.url.startswith("https://arxiv.org/abs/") and str(p.year) in p.citation for p in published())

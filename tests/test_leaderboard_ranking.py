"""Ranks, ties, attempts, error bars and the Pareto front, against results worked by hand."""

from __future__ import annotations

import base64
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leaderboard_records import bits, entry

from assignment import scoring
from leaderboard.entry import Entry
from leaderboard.published import published
from leaderboard.ranking import (
    FLOOR_PERCENT,
    LARGEST_QUALITY,
    REFERENCE_ACCURACY_PERCENT,
    REFERENCE_BYTES,
    SMALLEST_BYTES,
    WEIGHT_CLASSES,
    Group,
    groups,
    halvings,
    pareto_front,
    quality,
    weight_class,
)
from leaderboard.significance import TEST_IMAGES, accuracy_interval, p_value, unpacked


def table(entries: list[Entry]) -> list[tuple[int, bool, str, int, int]]:
    """Rank, shared, handle, bytes and attempts of the one group that there is."""
    (group,) = groups(entries)
    return [(r.rank, r.shared, r.entry.handle, r.entry.bytes, r.attempts) for r in group.rows]


def test_a_board_worked_by_hand() -> None:
    # ann's row stays at 7.4: her 7.5 came in a larger file with as many right answers. bob, cat and dan score
    # 7.2: dan's file is the smallest, so he is second; bob and cat are equal in bytes too and share rank 3; eve is fifth.
    board = [
        entry("eve", score=7.0),
        entry("ann", "ann 1", score=7.4, bytes=4000),
        entry("cat", score=7.2, bytes=5000),
        entry("ann", "ann 2", score=7.5, bytes=6000, started="2026-04-01T00:00:00Z"),
        entry("bob", score=7.2, bytes=5000),
        entry("dan", score=7.2, bytes=4999),
        entry("ann", "ann 3", score=0.0, ranked=False),
    ]
    assert table(board) == [
        (1, False, "ann", 4000, 3),
        (2, False, "dan", 4999, 1),
        (3, True, "bob", 5000, 1),
        (3, True, "cat", 5000, 1),
        (5, False, "eve", 4096, 1),
    ]


def test_time_breaks_no_tie() -> None:
    early = entry("zoe", started="2026-01-01T00:00:00Z")
    late = entry("ann", started="2026-02-01T00:00:00Z")
    assert [row[:3] for row in table([early, late])] == [(1, True, "ann"), (1, True, "zoe")]


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
    assert [(g.data, g.split, g.division, len(g.rows), g.images) for g in found] == [
        ("mnist", "private", "mlp", 1, 5000),
        ("mnist", "public", "mlp", 1, 5000),
        ("mnist", "public", "open", 1, 5000),
        ("mnist-5k", "full", "mlp", 1, 1000),
    ]


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


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    # 2 * sum of C(n, k) for k up to the smaller count, over 2**n, at most 1; n = both counts together.
    [
        (0, 0, 1.0),
        (0, 5, 2 / 32),
        (0, 6, 2 / 64),
        (1, 8, 2 * (1 + 9) / 512),
        (5, 15, 2 * 21700 / 2**20),
        (10, 10, 1.0),
    ],
)
def test_mcnemar_worked_by_hand(only_first: int, only_second: int, p: float) -> None:
    first = (1 << only_first) - 1
    second = ((1 << only_second) - 1) << only_first
    both = 1 << 90
    assert p_value(first | both, second | both) == pytest.approx(p, rel=1e-12)
    assert p_value(second, first) == p_value(first, second)


def test_packed_answers_are_numpy_packbits() -> None:
    answers = np.random.default_rng(4).random(1003) < 0.9
    packed = base64.b64encode(np.packbits(answers).tobytes()).decode()
    assert unpacked(packed, 1003) == int("".join(map(str, answers.astype(int))), 2)
    for wrong in (packed[:-4], packed + "AAAA", "!" + packed[1:], packed[:-3] + "//8="[:3]):
        assert unpacked(wrong, 1003) is None


def same_size(handle: str, wrong: range, score: float) -> Entry:
    return entry(handle, bytes=4096, score=score, **bits(wrong))


def test_rows_of_one_size_that_differ_by_luck_share_a_rank() -> None:
    # ann reads images 0-99 wrong, bob 0-104 (5 coins, all one way: p = 2/32), cat 0-105 (6 coins: p = 2/64).
    board = [
        same_size("ann", range(100), 7.9),
        same_size("bob", range(105), 7.8),
        same_size("cat", range(106), 7.7),
    ]
    assert [row[:3] for row in table(board)] == [(1, True, "ann"), (1, True, "bob"), (3, False, "cat")]


def test_sharing_is_with_the_first_of_those_that_share_and_no_chain() -> None:
    # cat differs from ann significantly, though not from bob; dan not from cat, who is first of the next.
    board = [
        same_size("ann", range(100), 7.9),
        same_size("bob", range(104), 7.8),
        same_size("cat", range(108), 7.7),
        same_size("dan", range(112), 7.6),
    ]
    ranks = [row[:3] for row in table(board)]
    assert ranks == [(1, True, "ann"), (1, True, "bob"), (3, True, "cat"), (3, True, "dan")]


def test_rows_of_other_sizes_share_no_rank_however_alike() -> None:
    board = [entry("ann", bytes=4096, score=7.9, **bits(range(100))), entry("bob", bytes=4095, score=7.9)]
    assert [row[:3] for row in table(board)] == [(1, False, "bob"), (2, False, "ann")]


LADDER = [
    # bytes, images read wrong, score of the second entry; whether it becomes the row. First: 4,096, 0-99, 7.5.
    ((4096, range(90), 7.6), True, "10 coins, all one way: better, and no luck"),
    ((4096, range(95), 7.55), False, "5 coins: could be luck"),
    ((4000, range(100), 7.52), True, "smaller, and no worse"),
    ((4000, range(103), 7.51), True, "smaller, no significant loss, a higher score"),
    ((4000, range(103), 7.49), False, "smaller, but a lower score: nobody falls by trying"),
    ((3000, range(150), 7.8), True, "smaller, significantly worse, and still the higher score"),
    ((5000, range(60), 7.7), True, "larger, significantly better"),
    ((5000, range(97), 7.6), False, "larger, and better by luck"),
]


@pytest.mark.parametrize(("second", "moves", "why"), LADDER, ids=[case[2] for case in LADDER])
def test_a_row_moves_up_by_what_no_luck_explains(second: tuple, moves: bool, why: str) -> None:
    size, wrong, score = second
    old = entry("ann", "1", score=7.5, started="2026-03-01T00:00:00Z", **bits(range(100)))
    new = entry("ann", "2", bytes=size, score=score, started="2026-03-02T00:00:00Z", **bits(wrong))
    (group,) = groups([new, old])
    assert (group.rows[0].entry == new) is moves
    assert group.moves == (((old, new),) if moves else ())
    assert group.rows[0].attempts == 2


def test_many_lucky_tries_do_not_climb() -> None:
    """Each try reads 97 % of 5,000 images, other ones each time: the best of 40 is luck, and the row stays."""
    rng = random.Random(8)
    easy = set(range(150))
    tries = []
    for number in range(40):
        wrong = (easy - set(rng.sample(range(150), 10))) | set(
            rng.sample(range(150, 5000), rng.randint(5, 12))
        )
        figures = bits(wrong)
        score = 7 + figures["accuracy_percent"] - 97
        tries.append(
            entry("ann", str(number), score=score, started=f"2026-03-01T00:{number:02}:00Z", **figures)
        )
    (group,) = groups(tries)
    assert max(made.score for made in tries) > tries[0].score
    assert len(group.moves) <= 1


def test_records_are_those_that_beat_all_before_them() -> None:
    made = [
        entry(f"h{place}x", score=score, started=f"2026-03-0{place + 1}T00:00:00Z")
        for place, score in enumerate([5.0, 4.0, 6.0, 6.0, 7.0])
    ]
    group: Group
    (group,) = groups(reversed(made))
    assert [record.score for record in group.records] == [5.0, 6.0, 7.0]


def test_constants_are_those_of_the_score() -> None:
    assert dict(WEIGHT_CLASSES) == scoring.BADGES
    assert (REFERENCE_BYTES, REFERENCE_ACCURACY_PERCENT) == (
        scoring.REFERENCE_BYTES,
        scoring.REFERENCE_ACCURACY_PERCENT,
    )
    assert (FLOOR_PERCENT, LARGEST_QUALITY, SMALLEST_BYTES) == (
        scoring.FLOOR_PERCENT,
        scoring.LARGEST_QUALITY,
        scoring.SMALLEST_BYTES,
    )
    for accuracy, size in ((89.0, 100), (97.2, 8192), (99.9, 30), (98.4, 1669)):
        assert quality(accuracy) * halvings(size) == pytest.approx(
            scoring.score(accuracy, size, REFERENCE_ACCURACY_PERCENT, REFERENCE_BYTES)
        )

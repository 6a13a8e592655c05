"""The plot of a board: nothing is drawn beyond its frame, however few entries there are."""

from __future__ import annotations

import re

import pytest
from leaderboard_records import entry

from leaderboard.plot import NARROW, WIDE, Labels, Scale, _contours, log


@pytest.mark.parametrize("frame", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("accuracy", [50.0, 97.8, 100.0])
def test_a_board_of_one_entry_has_room_around_it(frame, accuracy):
    one = entry("ann", accuracy_percent=accuracy)
    scale = Scale(frame, [(one.bytes, accuracy)])
    x, y = scale.place(one)
    assert frame.left + 0.2 * (frame.right - frame.left) < x < frame.right
    assert frame.top + 0.2 * (frame.bottom - frame.top) < y < frame.bottom
    assert scale.x[1] - scale.x[0] >= 4 - 1e-9  # octaves
    assert scale.y[1] - scale.y[0] >= log(6) - 1e-9


def test_error_bars_end_at_the_frame():
    """Wilson's interval of 100 % of 500 images goes down to 99.2 %, far out of a narrow scale."""
    scale = Scale(WIDE, [(2000, 99.9), (2000, 99.98)])
    assert scale.up(50.0) > WIDE.bottom
    assert scale.within(50.0) == WIDE.bottom
    assert scale.within(99.95) == scale.up(99.95)


def test_the_drawn_bars_lie_in_the_drawing():
    from test_leaderboard_site import index

    page = index(entry("ann", data="mnist-5k", accuracy_percent=97.8))
    drawn = re.findall(r'class="bars mlp" d="M([\d.-]+) ([\d.-]+)V([\d.-]+)"', page)
    assert len(drawn) == 2  # wide and narrow
    for numbers, frame in zip(drawn, (WIDE, NARROW), strict=True):
        _, low, high = map(float, numbers)
        assert frame.top <= high < low <= frame.bottom


@pytest.mark.parametrize("above", [1e-9, 1e-6, 1e-3])
def test_contours_end_where_accuracy_is_worth_next_to_nothing(above):
    """There a score would take fewer bytes than doubles can count; a board of weak entries has such a corner."""
    scale = Scale(WIDE, [(1000, 95.0)])
    scale.y = (-log(10 - above), -log(2))
    assert any("contour" in part for part in _contours(scale, Labels(WIDE)))

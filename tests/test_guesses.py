"""What the coder guesses of a weight: bells that are the distributions they say, a sum that learns from its errors."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from assignment.bells import ALL, BROAD, CELLS, ODDS, SHARP, beyond, negative, nonzero, odds
from assignment.contexts import GUESSES
from assignment.least_squares import FIRST, LARGEST, LIMIT, PATIENCE, PLACES, LeastSquares

Array = np.ndarray
LEFT = PLACES.index((0, -1))


def share_beyond(cells: float, laplace: float) -> float:
    """Of a normal distribution with a standard deviation of 40, mixed with a Laplace distribution of mean size 32."""
    normal, tail = math.erfc(cells / 40 / math.sqrt(2)) / 2, math.exp(-abs(cells) / 32) / 2
    return (1 - laplace) * normal + laplace * (tail if cells > 0 else 1 - tail)


@pytest.mark.parametrize(("table", "laplace"), [(SHARP, 1 / 32), (BROAD, 1 / 2)])
def test_bells_are_the_distributions_they_say(table: list[int], laplace: float) -> None:
    for cell in range(-CELLS, CELLS + 1):
        assert table[CELLS + cell] / ALL == pytest.approx(share_beyond(cell, laplace), abs=2e-4)
        assert table[CELLS + cell] + table[CELLS - cell] == ALL
    assert all(a > b > 0 for a, b in pairwise(table))


@pytest.mark.parametrize("centre", [-700.0, 0.0, 130.0])
@pytest.mark.parametrize("scale", [150.0, 256.0, 4000.0])
def test_odds_are_those_of_the_bell(centre: float, scale: float) -> None:
    """Centre and scale in 1/256 of a level, a scale being 16 cells."""

    def beyond_level(level: float, laplace: float) -> float:
        return share_beyond((256 * level - 128 - centre) / scale * 16, laplace)

    shape = np.ones((GUESSES, 1), np.int64)
    given = (int(centre) * shape, int(scale) * shape)
    for guess, laplace in enumerate((1 / 32, 1 / 2, 1 / 2)):
        low, high = (beyond_level(level, laplace) for level in (0, 1))
        two, four = (beyond_level(level, laplace) for level in (2, 4))
        edges = [beyond(level, *given) for level in (2, 4)]
        expected = {
            "nonzero": (nonzero(*given), (1 - low + high) / (low - high)),
            "negative": (negative(*given), (1 - low) / high),
            "more": (odds(edges[1], edges[0] - edges[1]), four / (two - four)),
        }
        for name, (found, ratio) in expected.items():
            exact = max(min(256 * math.log2(ratio), ODDS), -ODDS)
            assert found[guess, 0] == pytest.approx(exact, abs=12), name


def window(place: int, values: list[int]) -> Array:
    result = np.zeros((len(PLACES), len(values)), np.int64)
    result[place] = values
    return result


def test_one_row_moves_one_weight_as_worked_by_hand() -> None:
    """Values of 1 and 3 at a scale of a level are 16 and 48 sixteenths; where 2 and 1 come, the sum should have said so."""
    squares = LeastSquares()
    squares.learn(window(LEFT, [1, 3]), np.array([2, 1]), np.array([256, 256]), new_line=False)
    products, targets = 16 * 16 + 48 * 48, 16 * 32 + 48 * 16
    first = FIRST[0, -1] * 256
    left = targets * 65536 + PATIENCE * first - products * first - PATIENCE * first
    expected = first + left // (products + PATIENCE)
    assert squares.weights[LEFT] == expected != first
    others = [i for i in range(len(PLACES)) if i != LEFT]
    assert (squares.weights[others] == LeastSquares().weights[others]).all()


def test_a_new_line_takes_a_quarter_of_what_was_known() -> None:
    def weight_after(lines: int) -> int:
        squares = LeastSquares()
        for _ in range(40):
            squares.learn(window(LEFT, [4]), np.array([4]), np.array([256]), new_line=False)
        for _ in range(lines):
            squares.learn(window(LEFT, [0]), np.array([0]), np.array([256]), new_line=True)
        if lines == 1:
            assert squares._products[LEFT, LEFT] == squares._targets[LEFT] == 40 * 64 * 64 * 3 // 4
        return int(squares.weights[LEFT])

    weights = [weight_after(lines) for lines in (0, 1, 4, 40)]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] == pytest.approx(FIRST[0, -1] * 256, abs=2)


def test_weights_become_those_that_the_values_follow() -> None:
    rng = np.random.default_rng(0)
    up = PLACES.index((-1, 0))
    squares = LeastSquares()
    for _ in range(300):
        around = rng.integers(-2, 3, (len(PLACES), 128))
        squares.learn(around, around[LEFT] - around[up], np.full(128, 256), new_line=False)
    expected = np.zeros(len(PLACES))
    expected[[LEFT, up]] = 1, -1
    assert squares.weights / 65536 == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize("seed", range(3))
def test_no_values_bring_numbers_beyond_doubles(seed: int) -> None:
    """A decoder in JavaScript has 53 bits: the widest strips of the longest lines, at the largest values and least scales."""
    rng = np.random.default_rng(seed)
    squares = LeastSquares()
    for row in range(200):
        around = rng.choice([-32767, 0, 32767], (len(PLACES), 1)) * np.ones(512, np.int64)
        came = rng.choice([-32767, 32767]) * np.ones(512, np.int64)
        squares.learn(around, came, np.full(512, 16), new_line=row % 64 == 0)
        assert abs(squares.weights).max() <= LARGEST
        largest = int(abs(squares._products).max())
        assert largest <= LIMIT**2 * 512 * 64 * 4 + 4
        assert len(PLACES) * largest * LARGEST + largest * 65536 + 2 * PATIENCE * LARGEST < 1 << 53

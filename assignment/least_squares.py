"""The value that the pixels around foretell: a weighted sum of them, whose weights are learned on the way.

Weights are those that would have made the errors so far least in squares (Wu, Barthel & Zhang 1998 predict pixels of
photographs so), where lines of the picture that are further back count less. They are found by one step of
Gauss and Seidel's method after each row. Values are taken in 1/16 of the scale of their error, so that rows with
large weights do not decide alone. All integers.
"""

from __future__ import annotations

import numpy as np

from .mixing import ONE, within

Array = np.ndarray
REACH = 3  # how far a window sees, in pixels
# row by row
PLACES = [(dy, dx) for dy in range(-REACH, 1) for dx in range(-REACH, REACH + 1) if dy or dx < 0]
# what is believed of each place at first, in 1/256: what trained networks are like
FIRST = {(0, -1): 85, (0, -2): 18, (0, -3): 4, (-1, -1): 7, (-1, 0): 44, (-1, 1): 35, (-1, 2): 12, (-1, 3): 6}
PATIENCE = 1 << 19  # how much it takes to believe something else
LIMIT = 64  # of a value, in 1/16 of a scale
LARGEST = 2 * ONE  # of a weight
FORGET = 2  # a picture's line takes 2**-FORGET from what is known of those before


class LeastSquares:
    """Weights of the window's places, in 1/65536."""

    def __init__(self) -> None:
        first = [FIRST.get(place, 0) for place in PLACES]
        self.weights = np.array(first, np.int64) * (ONE // 256)
        self._first = self.weights * PATIENCE
        self._products = np.zeros((len(PLACES), len(PLACES)), np.int64)
        self._targets = np.zeros(len(PLACES), np.int64)

    def guess(self, window: Array) -> Array:
        """(columns,) values in 1/256, from (places, columns) values."""
        return self.weights @ window >> 8

    def learn(self, window: Array, values: Array, scale: Array, new_line: bool) -> None:
        """What came: (columns,) values, and the scale of the errors that were expected, in 1/256."""
        if new_line:
            self._products -= self._products >> FORGET
            self._targets -= self._targets >> FORGET
        seen, came = within((window << 12) // scale, LIMIT), within((values << 12) // scale, LIMIT)
        exact = seen.astype(np.float32)  # 512 products of 64 and 64 at most: floats have their sums exactly
        self._products += (exact @ exact.T).astype(np.int64)
        self._targets += seen @ came
        self._improve()

    def _improve(self) -> None:
        weights, products, targets = self.weights, self._products, (self._targets << 16) + self._first
        for i, row in enumerate(products):
            left = int(targets[i]) - int(row @ weights) - PATIENCE * int(weights[i])
            weights[i] = max(min(int(weights[i]) + left // (int(row[i]) + PATIENCE), LARGEST), -LARGEST)

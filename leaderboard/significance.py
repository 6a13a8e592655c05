"""Whether two entries differ by more than luck: McNemar's test on the same images, and error bars.

p_value(first.answers, second.answers)   # 1.0 where they fail on the same images
accuracy_interval(98.0, images=5000)     # (97.574, 98.353)
"""

from __future__ import annotations

import base64
import binascii
from math import comb, sqrt

TEST_IMAGES = {
    ("mnist", "full"): 10_000,
    ("mnist", "public"): 5_000,
    ("mnist", "private"): 5_000,
    ("mnist-5k", "full"): 1_000,
    ("mnist-5k", "public"): 500,
    ("mnist-5k", "private"): 500,
}
Z_95 = 1.959964  # 97.5th percentile of the normal distribution
SIGNIFICANT = 0.05  # p at or below it is no luck


def p_value(first: int, second: int) -> float:
    """McNemar's test of two models on the same images, exact and two-sided.

    Only the images that one model reads right and the other wrong say anything: if both were equally good, each
    of these would be a fair coin.

    Args:
        first, second: a bit for each image, in the same order; 1 where the answer was right.

    Source: Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 1947; the exact binomial form as in T. G. Dietterich, "Approximate statistical
    tests for comparing supervised classification learning algorithms", Neural Computation 1998.

    >>> p_value(0b11110000, 0b11111111)  # 0 to 4 of four coins, and as far on the other side: 2 / 2**4
    0.125
    """
    only_first, only_second = (first & ~second).bit_count(), (second & ~first).bit_count()
    coins = only_first + only_second
    tail = sum(comb(coins, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / 2**coins)


def unpacked(packed: str, images: int) -> int | None:
    """What `numpy.packbits` packed, as one number of `images` bits; None where it is nothing of that length."""
    try:
        data = base64.b64decode(packed, validate=True)
    except binascii.Error:
        return None
    padding = -images % 8
    if len(data) != (images + padding) // 8:
        return None
    number = int.from_bytes(data, "big")
    return None if number & ((1 << padding) - 1) else number >> padding


def count_right(packed: str, images: int) -> int | None:
    """How many answers were right; None where `packed` does not speak of so many images."""
    number = unpacked(packed, images)
    return None if number is None else number.bit_count()


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

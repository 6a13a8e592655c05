"""What a compressed model is worth: the formula that ranks, and the ratio that is shown beside it."""

from __future__ import annotations

import math

BUDGET_BYTES = 16_384
"""A larger file is not ranked."""

CPU_SECONDS = 120.0
"""What `compress` may take, on one thread."""

REFERENCE_ACCURACY_PERCENT = 98.40
"""The accuracy that counts as all of it, fixed for the course whatever the shared model reaches."""

REFERENCE_BYTES = 1_066_440
"""The shared model's 266,610 parameters as float32."""

FLOOR_PERCENT = 90.0
"""At or under this accuracy an entry scores nothing."""

LARGEST_QUALITY = 1.1
"""How far beyond the reference model's accuracy still counts: a tenth more than keeping all of it."""

SMALLEST_BYTES = 64
"""A smaller file counts as this many bytes, so that nobody wins by saying almost nothing."""

BADGE_ACCURACY_PERCENT = 98.0
"""What a file must reach to be in a weight class at all."""

BADGES = {
    16_384: "heavyweight",
    8_192: "cruiserweight",
    4_096: "middleweight",
    2_048: "welterweight",
    1_024: "lightweight",
    512: "superfeatherweight",
    384: "featherweight",
}
"""Weight classes: the most bytes of each, the lightest last."""


def badge(accuracy_percent: float, size_bytes: float) -> str | None:
    """The lightest class that the file is in; None below 98 % and beyond 16 KiB.

    >>> badge(accuracy_percent=98.2, size_bytes=1024)
    'lightweight'
    """
    if not accuracy_percent >= BADGE_ACCURACY_PERCENT:
        return None
    return next((name for most, name in sorted(BADGES.items()) if size_bytes <= most), None)


def score(
    accuracy_percent: float, size_bytes: float, reference_accuracy: float, reference_bytes: float
) -> float:
    """How many times the model was halved, times the share of its accuracy that was kept.

    `q * log2(reference_bytes / size_bytes)`, where `q` is 0 at 90 % accuracy, 1 at that of the
    reference model (`reference_accuracy`, in percent), on a straight line between, and at most 1.1.

    >>> score(accuracy_percent=98.0, size_bytes=1024, reference_accuracy=98.0, reference_bytes=1048576)
    10.0

    Raises ValueError for an accuracy outside [0, 100], a size that is negative or infinite, or a
    reference that leaves nothing to measure by.
    """
    if not 0.0 <= accuracy_percent <= 100.0:
        raise ValueError(f"accuracy_percent must be in [0, 100], got {accuracy_percent!r}")
    if not 0 <= size_bytes < math.inf:
        raise ValueError(f"size_bytes must be a finite number of at least 0, got {size_bytes!r}")
    if not FLOOR_PERCENT < reference_accuracy <= 100.0:
        raise ValueError(
            f"reference_accuracy must be above {FLOOR_PERCENT} and at most 100, got {reference_accuracy!r}"
        )
    if not 0 < reference_bytes < math.inf:
        raise ValueError(f"reference_bytes must be positive and finite, got {reference_bytes!r}")
    kept = (accuracy_percent - FLOOR_PERCENT) / (reference_accuracy - FLOOR_PERCENT)
    quality = min(max(kept, 0.0), LARGEST_QUALITY)
    if quality == 0.0:
        return 0.0
    return quality * math.log2(reference_bytes / max(size_bytes, SMALLEST_BYTES))


def accuracy_per_kib(accuracy_percent: float, size_bytes: float) -> float:
    """Accuracy in percent for each 1,024 bytes: shown for every entry, ranking none.

    A file of a few bytes that always answers "1" (right 11.35 % of the time) would beat every
    network by this measure.

    >>> accuracy_per_kib(accuracy_percent=98.0, size_bytes=2048)
    49.0

    Raises ValueError unless size_bytes is positive.
    """
    if not size_bytes > 0:
        raise ValueError(f"size_bytes must be positive, got {size_bytes!r}")
    return accuracy_percent / (size_bytes / 1024)

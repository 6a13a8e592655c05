"""Deadlines: how late a submission came, and what that costs. A function of the roster and the points.

    10%/day                 a tenth of all points for each day begun
    1%/hour, max 50%        a hundredth for each hour begun, at most half of them
    5/day, grace 15m        five points for each day begun; the first quarter of an hour is free
    zero                    nothing counts that comes late
    none                    lateness costs nothing

Percentages are of the points that could be had, as in Canvas. Time is what a server saw, never a commit's own.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

HOURS = {"hour": 1.0, "day": 24.0}
RULE = re.compile(r"(\d+(?:\.\d+)?)(%?)/(hour|day)")
MOST = re.compile(r"max (\d+(?:\.\d+)?)(%?)")
GRACE = re.compile(r"grace (\d+)m")


@dataclass(frozen=True)
class LateRule:
    """points, most: what each unit costs and all of them together; shares of all points where `is_share`."""

    hours: float = 1.0
    points: float = 0.0
    is_share: bool = False
    most: float | None = None
    most_is_share: bool = False
    grace_minutes: int = 0

    def penalty(self, hours_late: float, points: float, max_points: float) -> float:
        """What comes off `points`, and never more than there is."""
        counted = hours_late - self.grace_minutes / 60
        if counted <= 0:
            return 0.0
        units = math.ceil(round(counted / self.hours, 9))
        cost = units * (self.points * max_points if self.is_share else self.points)
        if self.most is not None:
            cost = min(cost, self.most * max_points if self.most_is_share else self.most)
        return min(cost, points)


def read_rule(text: str) -> LateRule:
    """The rule that `text` says. Raises ValueError with a sentence."""
    first, *others = (part.strip().lower() for part in text.split(","))
    if first in ("", "none"):
        found = LateRule()
    elif first == "zero":
        found = LateRule(points=1.0, is_share=True)
    elif match := RULE.fullmatch(first):
        is_share = bool(match[2])
        found = LateRule(HOURS[match[3]], float(match[1]) / (100 if is_share else 1), is_share)
    else:
        raise ValueError(f"a late rule is like '10%/day, max 50%, grace 15m', 'zero' or 'none', got {text!r}")
    for other in others:
        if match := MOST.fullmatch(other):
            is_share = bool(match[2])
            most = float(match[1]) / (100 if is_share else 1)
            found = LateRule(found.hours, found.points, found.is_share, most, is_share, found.grace_minutes)
        elif match := GRACE.fullmatch(other):
            parts = (found.hours, found.points, found.is_share, found.most, found.most_is_share)
            found = LateRule(*parts, int(match[1]))
        else:
            raise ValueError(f"a late rule goes on with 'max 50%' or 'grace 15m', got {other!r}")
    return found


def read_time(text: str) -> datetime:
    """A time with its zone. Raises ValueError with a sentence."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"a time is like 2026-11-30T23:59:00+01:00, got {text!r}") from error
    if found.tzinfo is None:
        raise ValueError(f"the time {text!r} has no zone: write 2026-11-30T23:59:00+01:00, or Z at its end")
    if not 1970 <= found.year <= 9000:  # beyond, an extension or a zone would leave the calendar
        raise ValueError(f"the time {text!r} is not in the years from 1970 to 9000")
    return found.astimezone(UTC)


def spelled(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def lateness(due: str, extension_hours: float, rule: str, observed: str, totals: dict[str, Any]) -> Any:
    """The record's field: null where there is no deadline, or no server saw when the work came.

    All that it is made of stands in it.
    """
    if not due or not observed:
        return None
    until = read_time(due) + timedelta(hours=extension_hours)
    seconds = max(0.0, (read_time(observed) - until).total_seconds())
    found = {
        "due": spelled(read_time(due)),
        "extension_hours": extension_hours,
        "rule": rule or "none",
        "observed": spelled(read_time(observed)),
        "hours_late": round(seconds / 3600, 4),
    }
    points, most = totals["points"], totals["max_points"]
    if points is None:
        return found | {"raw_points": None, "penalty_points": None, "final_points": None}
    penalty = round(read_rule(rule).penalty(seconds / 3600, points, most), 6)
    return found | {
        "raw_points": points,
        "penalty_points": penalty,
        "final_points": round(points - penalty, 6),
    }

"""Pairs of submissions whose code is alike, as copydetect finds them (winnowing; Schleimer et al. 2003).

Needs the extra `similarity`. What comes from the stubs is left out, and what most of the class shares. Files are
read as text and never run. Likeness is a reason to look, and no proof of anything.
"""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from grader import UnusableError
from grader.rules import ROOT

STUBS = ROOT / "assignment" / "compression.py"
GRAM, WINDOW = 25, 1
"""copydetect's defaults: runs of tokens that are compared, and how many of them are skipped."""

ALIKE = 0.6
"""A pair is listed where that share of the shorter one's own code is in the other."""

LARGEST_BYTES = 256 * 1024
FEWEST_PRINTS = 30
"""Shorter ones, after the stubs are taken out, have too little of their own to compare."""

COMMON_SHARE = 0.3


@dataclass(frozen=True)
class Pair:
    """share: of the shorter one's own code that is in the other as well."""

    first: str
    second: str
    share: float


def alike(sources: Mapping[str, bytes]) -> list[Pair]:
    """The pairs, the most alike first. Raises UnusableError where copydetect is not installed."""
    try:
        from copydetect import CodeFingerprint
    except ImportError as error:
        raise UnusableError(
            "comparing submissions needs copydetect: pip install -e '.[similarity]'"
        ) from error

    def prints_of(text: str) -> set[Any]:
        found = CodeFingerprint("compression.py", GRAM, WINDOW, language="python", fp=io.StringIO(text))
        return set(found.hashes)

    stubs = prints_of(STUBS.read_text(encoding="utf-8"))
    own = {name: prints_of(text) - stubs for name, text in sorted(texts(sources).items())}
    return pairs({name: prints for name, prints in own.items() if len(prints) >= FEWEST_PRINTS})


def texts(sources: Mapping[str, bytes]) -> dict[str, str]:
    return {
        name: content.decode("utf-8", "replace").replace("\0", " ")
        for name, content in sources.items()
        if len(content) <= LARGEST_BYTES
    }


def pairs(own: Mapping[str, set[Any]]) -> list[Pair]:
    """Only files that share a rare print are compared, so that a class of 400 is not 80,000 comparisons."""
    counts = Counter(each for prints in own.values() for each in prints)
    most = max(3, COMMON_SHARE * len(own))
    holders: dict[Any, list[str]] = defaultdict(list)
    rare = {name: {each for each in prints if counts[each] <= most} for name, prints in own.items()}
    for name, prints in rare.items():
        for each in prints:
            if counts[each] > 1:
                holders[each].append(name)
    shared: Counter[tuple[str, str]] = Counter()
    for names in holders.values():
        shared.update(combinations(names, 2))
    found = []
    for (first, second), count in shared.items():
        shorter = min(len(rare[first]), len(rare[second]))
        if shorter >= FEWEST_PRINTS and count / shorter >= ALIKE:
            found.append(Pair(first, second, count / shorter))
    return sorted(found, key=lambda pair: (-pair.share, pair.first, pair.second))

"""Published results that the plot shows beside ours, from `published.json`. None was measured here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Published:
    """One result from the literature, with where to read it."""

    name: str
    authors: str
    year: int
    size_kb: str  # as printed; 1 KB = 1,000 bytes
    accuracy_percent: float
    citation: str
    url: str

    @property
    def bytes(self) -> int:
        return int(Decimal(self.size_kb) * 1000)

    @property
    def short_name(self) -> str:
        return f"{self.authors.split()[0].rstrip(',')} et al. {self.year}"


@cache
def published() -> tuple[Published, ...]:
    """All of them, in the order of the file."""
    text = Path(__file__).with_name("published.json").read_text("utf-8")
    return tuple(Published(**fields) for fields in json.loads(text)["results"])

"""The board's settings: `board.toml` in the folder of entries, for what an instructor decides during the course.

    title = "CS 101, autumn"          # over the table
    phase = "blind"                   # "open" (the default) shows the board; "blind" withholds it
    deadline = 2026-12-18T23:59:00Z   # later entries are shown, and not ranked
    attempts_a_day = 10               # more of one handle are refused until the next day (UTC)

In the blind phase nobody sees a score, not even the one who posts: the site says what was received, and no more.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from leaderboard.documents import EntryError

FILE_NAME = "board.toml"
PHASES = ("open", "blind")


@dataclass(frozen=True)
class Settings:
    """What `board.toml` says; the defaults where there is none."""

    title: str = ""
    phase: str = "open"
    deadline: datetime | None = None
    attempts_a_day: int | None = None

    @property
    def is_blind(self) -> bool:
        return self.phase == "blind"

    @classmethod
    def read(cls, path: Path) -> Settings:
        """The settings of that file, if there is one. Raises EntryError for settings that cannot be followed."""
        try:
            return cls.from_text(path.read_text("utf-8"), str(path)) if path.is_file() else cls()
        except UnicodeDecodeError:
            raise EntryError(f"{path} is not UTF-8 text") from None

    @classmethod
    def from_text(cls, text: str, where: str) -> Settings:
        """Raises EntryError."""
        try:
            found = tomllib.loads(text)
        except tomllib.TOMLDecodeError as problem:
            raise EntryError(f"{where} is not TOML: {problem}") from None
        unknown = sorted(set(found) - {"title", "phase", "deadline", "attempts_a_day"})
        if unknown:
            raise EntryError(f"{where} knows title, phase, deadline and attempts_a_day, got {unknown[0]}")
        settings = cls(**found)
        if not isinstance(settings.title, str) or len(settings.title) > 200:
            raise EntryError(f"{where}: title must be a text of up to 200 characters")
        if settings.phase not in PHASES:
            raise EntryError(f'{where}: phase must be "open" or "blind", got {settings.phase!r}')
        deadline = settings.deadline
        if deadline is not None and (not isinstance(deadline, datetime) or deadline.tzinfo is None):
            raise EntryError(f"{where}: deadline must be a time with its zone, as 2026-12-18T23:59:00Z")
        most = settings.attempts_a_day
        if most is not None and (type(most) is not int or most < 1):
            raise EntryError(f"{where}: attempts_a_day must be a whole number from 1 on, got {most!r}")
        return replace(settings, deadline=deadline and deadline.astimezone(UTC))


DEFAULTS = Settings()

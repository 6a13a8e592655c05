"""Cells of a CSV file that somebody will open in a spreadsheet."""

from __future__ import annotations

import re

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def safe(text: str) -> str:
    """The text, so that no spreadsheet takes it for a formula: it would run on the instructor's machine.

    >>> safe("=HYPERLINK(1)"), safe("-3.5"), safe("Ada")
    ("'=HYPERLINK(1)", '-3.5', 'Ada')
    """
    start = text.lstrip(" \ufeff\u00a0")
    is_plain = len(text) == 1 or NUMBER.fullmatch(text)  # a lone "-" is Moodle's word for no grade
    return f"'{text}" if start.startswith(STARTS) and not is_plain else text

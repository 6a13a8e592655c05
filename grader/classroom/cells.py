"""Cells of a CSV file that somebody will open in a spreadsheet."""

from __future__ import annotations

import re
import unicodedata

STARTS = ("=", "+", "-", "@", "|", "%")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
SEPARATORS = re.compile(r"([;\t\r\n])")
"""What a spreadsheet may divide a line at: semicolons, where a comma is the decimal sign."""


def safe(text: str) -> str:
    """The text, so that no spreadsheet takes it for a formula: it would run on the instructor's machine.

    >>> safe("=HYPERLINK(1)"), safe("-3.5"), safe("Ada"), safe("Ada;=HYPERLINK(1)")
    ("'=HYPERLINK(1)", '-3.5', 'Ada', "Ada;'=HYPERLINK(1)")
    """
    if len(text) == 1 or NUMBER.fullmatch(text):  # a lone "-" is Moodle's word for no grade
        return text
    made = "".join(f"'{each}" if is_formula(each) else each for each in SEPARATORS.split(text))
    return f"'{made}" if made.startswith(("\t", "\r", "\n")) else made


def is_formula(text: str) -> bool:
    """Signs of full width begin one as well, and what nobody sees before a sign may be dropped."""
    seen = (c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c)[0] not in "CZ")
    return next(seen, "").startswith(STARTS)

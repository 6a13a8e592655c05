"""Text from strangers, as it may stand on a page."""

from __future__ import annotations

import unicodedata
from decimal import ROUND_HALF_UP, Decimal


def visible(text: str) -> str:
    """Write control and direction-changing characters as escapes: hostile text is shown, not obeyed.

    >>> visible("abc" + chr(0x202e))
    'abc\\\\u202e'
    """
    return "".join(
        character
        if unicodedata.category(character)[0] != "C"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def fixed(value: float, digits: int) -> str:
    """A number with so many decimals, rounded as JavaScript's toFixed does: a table looks alike with and without it.

    >>> fixed(12.125, 2), f"{12.125:.2f}"
    ('12.13', '12.12')
    """
    return str(Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))

"""Text from strangers, as it may stand on a page."""

from __future__ import annotations

import unicodedata


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

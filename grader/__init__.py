"""The instructor's side: grading a submission in a process of its own, and what becomes of the grade."""

__version__ = "0.1.0"


def legible(text: str) -> str:
    """Names that strangers chose, fit for a terminal and for UTF-8: what cannot be printed is written as an escape.

    >>> legible("a" + chr(27) + "[2J" + chr(0xDCFF))
    'a\\\\x1b[2J\\\\udcff'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class GraderError(Exception):
    """The grader could not do its work: no points are decided, and the run can be repeated."""

    def __str__(self) -> str:
        return "\n".join(map(legible, super().__str__().split("\n")))


class UnusableError(Exception):
    """What the user asked for cannot be graded; the message is one sentence for them."""

    def __str__(self) -> str:
        return legible(super().__str__())

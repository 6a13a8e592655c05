"""The instructor's side: grading a submission in a process of its own, and what becomes of the grade."""

__version__ = "0.1.0"


class GraderError(Exception):
    """The grader could not do its work: no points are decided, and the run can be repeated."""


class UnusableError(Exception):
    """What the user asked for cannot be graded; the message is one sentence for them."""

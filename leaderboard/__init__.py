"""The public face of the competition: entries, and the static site they become.

    python -m leaderboard post results/ann/result.json --handle quiet-heron
    python -m leaderboard build

An entry is one small JSON file taken from a result record: only what competes in public, never a student's
name or points. The site is a pure function of the entries. This package reads the record and nothing else: it
imports neither the grader nor the assignment, but for one file, `anatomy`, which opens packed models.
"""

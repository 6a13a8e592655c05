"""Raises an error with an empty text at import"""
# honest:


class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text at all")


raise Odd

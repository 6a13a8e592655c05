"""Raises a BaseException of its own while it is imported"""
# honest:


class Escape(BaseException):
    pass


raise Escape("an end that nobody expects")

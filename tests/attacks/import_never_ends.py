"""Loops for ever while it is imported"""
# honest:

while True:
    pass

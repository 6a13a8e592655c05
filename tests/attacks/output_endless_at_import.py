"""Prints without end while it is imported"""
# honest:

while True:
    print("x" * 2**16)

"""The public tests: they teach, and decide 40 of the 100 points."""

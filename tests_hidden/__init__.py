"""The hidden tests: they decide 60 of the 100 points, and never leave the grader."""

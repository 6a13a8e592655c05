"""The record and the assignment in the formats of other systems: JUnit, pytest-json-report, Gradescope,
Classroom 50 and otter-grader.

One file for each format. What is made from a result is a function of the record alone; what is made from
the assignment is a zip or a folder that its system runs.
"""

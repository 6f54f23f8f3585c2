"""What the exercise notebooks ask: one module per chapter with its checks and its misconceptions.

A module chNN.py has two names that others read: EXERCISES, a dict of utils.selfcheck.Exercise by name, and
MISCONCEPTIONS, a list of utils.selfcheck.Misconception. Tests feed every check the solution's answer, the
stub and the wrong answers; the teacher's page shows the list as a table.
"""

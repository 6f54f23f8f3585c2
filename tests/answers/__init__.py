"""Answers to the exercises, for the tests.

chNN.py holds WRONG, a list of (exercise, answers, said): what the check must say is a Belief of
utils.exercises.beliefs, or a piece of the clause that is expected. RIGHT, where there is one, has right
answers besides those of the solution, as (exercise, answers).
"""

"""What the exercise notebooks ask, and how they answer.

chNN.py holds the exercises of chapter NN: for each a function check_NAME and a hint of that name in HINTS.
engine.py runs a check and says what came out; expect.py holds what many checks ask; beliefs.py holds the
wrong ideas that they know by name. The answers that tests feed to the checks lie in tests/answers/.
"""

"""What the exercise notebooks ask, and how they answer.

engine.py runs a check and says what came out; beliefs.py holds the wrong ideas that the checks know; chNN.py
holds the checks of chapter NN in EXERCISES, a dict of engine.Exercise by name. The answers that tests feed
to the checks lie in tests/answers/.
"""

"""Kinds of level: each a file of this package that declares what its labels, its probabilities and
their analyses are like.
"""

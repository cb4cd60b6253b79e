"""Losses of a level's head, one file a loss: the head's outputs, the loss, and how outputs become
class probabilities.
"""

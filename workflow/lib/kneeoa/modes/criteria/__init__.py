"""What a level's head is trained by, one file a loss: its outputs, its loss, and how outputs become
probabilities of classes.
"""

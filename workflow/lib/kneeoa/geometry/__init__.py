"""The severity axis and measures of the representation: axes are fitted on training cases and
scored on held-out ones.
"""

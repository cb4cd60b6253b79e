"""Figures, one module each: a pure function from tables to a figure, and the stage function
``draw``.
"""

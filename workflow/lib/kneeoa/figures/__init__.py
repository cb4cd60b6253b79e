"""Figures that people look at: one module a figure, each a pure function from tables to a figure
and a stage function ``draw``.
"""

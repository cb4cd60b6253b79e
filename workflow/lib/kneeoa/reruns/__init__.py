"""Digests of the code that results depend on, and earlier names of moved or renamed code."""

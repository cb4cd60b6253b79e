"""Encoders: one file per kind, its options in ``options/``; ``registry`` names the kinds and
imports a member only when it is built.
"""

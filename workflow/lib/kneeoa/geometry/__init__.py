"""Severity axes and other measures of the representation, fitted on training cases and scored on
held-out ones.
"""

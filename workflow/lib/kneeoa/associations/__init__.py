"""Correlations with severity, adjusted for who the people are, and agreement between seeds."""

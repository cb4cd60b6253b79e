"""Masks: aligned with their image, accepted or refused, and measured."""

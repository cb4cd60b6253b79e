"""Volumes on the canonical grid of their view: orientation, resampling, grey levels."""

"""Findings that exclude no one another, each present or absent by itself."""

from kneeoa.levels.interface import LevelKind

KIND = LevelKind(exclusive=False, losses=("bce",))

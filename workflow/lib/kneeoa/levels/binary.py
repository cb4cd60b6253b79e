"""Two classes, absent and present."""

from kneeoa.levels.interface import LevelKind

KIND = LevelKind(exclusive=True, binary=True, losses=("cross_entropy",))

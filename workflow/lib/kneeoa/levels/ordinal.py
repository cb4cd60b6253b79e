"""Several classes in order, of which a case has one: grades."""

from kneeoa.levels.interface import LevelKind

KIND = LevelKind(exclusive=True, ordered=True, losses=("cross_entropy",))

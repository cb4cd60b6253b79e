"""Several classes without an order, of which a case has one."""

from kneeoa.levels.interface import LevelKind

KIND = LevelKind(exclusive=True, losses=("cross_entropy",))

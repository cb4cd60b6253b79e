"""In which order arms stand in a table, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kneeoa.figures.arms import Factors, learner
from kneeoa.figures.words import printed


class ArmNames:
    """The arms table as a table's left columns; arms that it does not know come last under their
    own names.
    """

    def __init__(self, arms: Factors | None, labels: Mapping[str, str] | None) -> None:
        self._arms, self._labels = dict(arms or {}), labels
        self._rank = {arm: rank for rank, arm in enumerate(self._arms)}

    def ordered(self, names: Iterable[str]) -> list[str]:
        """Each arm once, in the order of the configuration, unknown ones by name."""
        return sorted(set(names), key=lambda arm: (self._rank.get(arm, len(self._rank)), arm))

    def backbone(self, arm: str) -> str:
        """The backbone's printed name, with the reader of its labels where the study has several;
        of an unknown arm its own name.
        """
        return learner(self._arms[arm], self._labels) if arm in self._arms else arm

    def mode(self, arm: str) -> str:
        """The mode's printed name; of an unknown arm nothing."""
        return printed(str(self._arms[arm]["mode"]), self._labels) if arm in self._arms else ""

    def pair(self, candidate: str, reference: str) -> str:
        """``Dual vs Single-OA``; with whole names where the arms table does not tell the modes."""
        return f"{self.mode(candidate) or candidate} vs {self.mode(reference) or reference}"

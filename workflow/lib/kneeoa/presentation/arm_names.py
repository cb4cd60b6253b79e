"""Order and printed names of the arms in a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kneeoa.presentation.arms import Factors, arm_title, display_value, factor_name, pair_title, value_of
from kneeoa.presentation.display_names import display_name, sentence_case


class ArmNames:
    """Order and printed names of the arms, for the left columns of a table; arms that the arms
    table lacks come last under their own names.
    """

    def __init__(self, arms: Factors | None, labels: Mapping[str, str] | None) -> None:
        self._arms, self._labels = dict(arms or {}), labels
        self._rank = {arm: rank for rank, arm in enumerate(self._arms)}

    def ordered(self, names: Iterable[str]) -> list[str]:
        """Return each arm once, in the order of the configuration, unknown ones by name."""
        return sorted(set(names), key=lambda arm: (self._rank.get(arm, len(self._rank)), arm))

    def backbone(self, arm: str) -> str:
        """Print the backbone and whatever else but the mode tells the arm apart; for an unknown arm
        its own name.
        """
        return arm_title(self._arms, arm, self._labels) or display_name(arm, self._labels) if arm in self._arms else arm

    def mode(self, arm: str) -> str:
        """Print the mode; for an unknown arm nothing."""
        return display_value("mode", value_of(self._arms[arm], "mode"), self._labels) if arm in self._arms else ""

    def pair(self, candidate: str, reference: str, factor: str = "mode") -> str:
        """Print the values of the factor that varies, ``Dual vs Single-OA``; whole names where the
        arms table lacks the arms.
        """
        return f"{self._value(candidate, factor)} vs {self._value(reference, factor)}"

    def setting(self, candidate: str, reference: str, factor: str, otherwise: object = "") -> str:
        """Print what the two arms share, by which rows of a table of comparisons are grouped;
        ``otherwise`` where the arms table lacks one of them.
        """
        if candidate in self._arms and reference in self._arms:
            return pair_title(self._arms, candidate, reference, self._labels, (factor,))
        return display_name(otherwise, self._labels) if isinstance(otherwise, str) else ""

    def _value(self, arm: str, factor: str) -> str:
        return display_value(factor, value_of(self._arms[arm], factor), self._labels) if arm in self._arms else arm


def settings_heading(factors: Iterable[object]) -> str:
    """Return the heading of the column of settings: the backbone, where the mode alone varies."""
    return "Backbone" if set(factors) <= {"mode"} else "Arms"


def factors_in_words(factors: Iterable[object]) -> str:
    """``Mode``, ``Backbone and learning rate``: what a table's rows vary."""
    return sentence_case(" and ".join(dict.fromkeys(factor_name(str(factor)) for factor in factors)))

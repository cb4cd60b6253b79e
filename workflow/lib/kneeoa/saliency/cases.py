"""Choose the cases to explain, the head, and the class of a graded target: the same for every
run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.atomic_io import digest
from kneeoa.config.hierarchy import Level, parse_target
from kneeoa.errors import KneeoaError
from kneeoa.labels.level_labels import MISSING, read_labels
from kneeoa.network.network import Network


def head_of_level(readings: Sequence[tuple[str, str]], level: str) -> str:
    """The head that predicts ``level``: its own, else the first finer one that the level can be
    derived from.

    Args:
        readings: the network's pairs (level, head).
        level: the level to explain.

    Raises:
        KneeoaError: no head predicts the level.
    """
    heads = [head for name, head in readings if name == level]
    if not heads:
        raise KneeoaError(f"no head of this network predicts level '{level}'; it gives {sorted({name for name, _ in readings})}.")
    return level if level in heads else heads[0]


def explained_cases(located: pd.DataFrame, limit: int | None) -> pd.DataFrame:
    """Test cases to explain, sorted by cohort and case: all, or of each cohort the first ``limit``
    in an order shuffled by name.

    The shuffle depends on the cases' names alone, so that every arm and seed explains the same
    cases, and a larger limit adds to them.
    """
    test = located[located["split"] == "test"]
    if limit is not None:
        place = [digest([cohort, case_id]) for cohort, case_id in zip(test["cohort"], test["case_id"], strict=True)]
        test = test.assign(place=place).sort_values("place").groupby("cohort").head(limit).drop(columns="place")
    return test.sort_values(["cohort", "case_id"], ignore_index=True)


@dataclass(frozen=True)
class ExplainedScore:
    """The score that is explained: a level's, or that of one of its classes or findings."""

    target: str
    """As the configuration names it, e.g. ``oa`` or ``findings.osteophytes``."""
    level: Level
    head: str
    """The head that predicts the level."""
    named: int | None
    """The class or finding that is named."""

    @property
    def label(self) -> str:
        """Its name in tables: ``oa``, or ``oa<-kl`` where another head predicts the level."""
        return self.target if self.head == self.level.name else f"{self.target}<-{self.head}"


def explained_score(target: str, network: Network) -> ExplainedScore:
    """The score of a network that ``target`` names.

    Raises:
        KneeoaError: an unknown level or class, a multilabel level without one of its findings, or
            no head predicts the level.
    """
    try:
        level, named = parse_target(target, network.levels.values())
    except ValueError as error:
        raise KneeoaError(f"{error}.") from error
    return ExplainedScore(target, level, head_of_level(network.readings, level.name), named)


def true_classes(cases: pd.DataFrame, score: ExplainedScore, labels: Sequence[Path]) -> tuple[pd.DataFrame, NDArray[np.int64] | None]:
    """Select the cases that have a label at the explained level, with their class. A binary level,
    and a class or finding that is named, are explained without a label, so all cases stay.

    Raises:
        KneeoaError: a label table is not what it should be.
    """
    level = score.level
    if level.binary or score.named is not None:
        return cases, None
    classes = read_labels(labels, cases, [level])[level.name].values
    labelled = classes != MISSING
    return cases[labelled].reset_index(drop=True), classes[labelled]

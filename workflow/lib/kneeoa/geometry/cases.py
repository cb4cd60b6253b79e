"""Read the cases of a run with everything that their embeddings are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.geometry.embeddings import Embeddings, read_cartilage, read_grades, read_severity
from kneeoa.geometry.estimates import Floats

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class CaseTables:
    """Files of the tables that hold labels, truth and masks of the cases."""

    labels: list[Path]
    """LABELS of all cohorts."""
    truth: list[Path] = field(default_factory=list)
    """TRUTH; empty where there is none."""
    masks: list[Path] = field(default_factory=list)
    """MASKS of the run's view; empty where there are none."""


@dataclass(frozen=True)
class Cases:
    """The cases of a run, all splits; arrays are ``[cases]``, NaN where a case has no value."""

    frame: pd.DataFrame
    subjects: NDArray[np.str_]
    train: Flags
    level: Level
    grade: Floats
    binary: dict[str, Floats]
    severity: Floats
    cartilage: dict[str, Floats]

    def test_cases(self) -> dict[str, Flags]:
        """Return the test cases of each cohort as ``[cases]`` flags."""
        test = (self.frame["split"] == "test").to_numpy()
        return {str(name): test & (self.frame["cohort"] == name).to_numpy() for name in self.frame.loc[test, "cohort"].unique()}


def ordinal_level(levels: tuple[Level, ...], name: str | None) -> Level:
    """Return the level whose grades the axis should order: ``name``, or the finest ordinal one.

    Raises:
        KneeoaError: there is no such level, or it is not ordinal.
    """
    ordinal = {level.name: level for level in levels if level.ordered}
    if name is not None and name not in ordinal:
        raise KneeoaError(f"'geometry.level' is '{name}', but the ordinal levels are {sorted(ordinal)}.")
    if not ordinal:
        raise KneeoaError("a severity axis needs an ordinal level, and the hierarchy has none; leave the geometry out of this study.")
    return ordinal[name] if name is not None else list(ordinal.values())[-1]


def read_cases(data: Embeddings, sources: CaseTables, levels: tuple[Level, ...], level: Level) -> Cases:
    """Read ``sources`` and join them to the cases of ``data``.

    Raises:
        KneeoaError: a table is not what it should be, or two labels of a case disagree.
    """
    return Cases(
        frame=data.cases,
        subjects=data.cases["subject"].to_numpy(dtype=str),
        train=(data.cases["split"] == "train").to_numpy(),
        level=level,
        grade=read_grades(sources.labels, level.name, data.cases),
        binary={item.name: read_grades(sources.labels, item.name, data.cases) for item in levels if item.binary},
        severity=read_severity(sources.truth, data.cases),
        cartilage=read_cartilage(sources.masks, data.cases),
    )

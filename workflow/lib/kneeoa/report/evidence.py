"""What the report is told from: the study's tables as CSV, the cohorts' accounts, and the names of
its arms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kneeoa.errors import KneeoaError
from kneeoa.figures.arms import Factors
from kneeoa.figures.flow import read_flow
from kneeoa.figures.words import printed
from kneeoa.paper_tables.arm_names import ArmNames
from kneeoa.paper_tables.csv_file import read_csv
from kneeoa.tables.anatomy import ANATOMY
from kneeoa.tables.claim import CLAIM
from kneeoa.tables.contrasts import CONTRASTS
from kneeoa.tables.deletion import DELETION_SUMMARY
from kneeoa.tables.differences import DIFFERENCES
from kneeoa.tables.exclusions import EXCLUSIONS
from kneeoa.tables.geometry import GEOMETRY
from kneeoa.tables.metrics import METRICS
from kneeoa.tables.sanity import SANITY
from kneeoa.tables.schema import TableSchema
from kneeoa.tables.similarity import SIMILARITY
from kneeoa.tables.subgroups import SUBGROUPS

_SCHEMAS: dict[str, TableSchema] = {
    "metrics": METRICS,
    "contrasts": CONTRASTS,
    "claim": CLAIM,
    "subgroups": SUBGROUPS,
    "exclusions": EXCLUSIONS,
    "geometry": GEOMETRY,
    "differences": DIFFERENCES,
    "similarity": SIMILARITY,
    "anatomy": ANATOMY,
    "sanity": SANITY,
    "deletion": DELETION_SUMMARY,
}


@dataclass(frozen=True)
class Evidence:
    """Everything that sentences and tables of the report may draw on."""

    arms: Factors
    arm_rows: list[dict[str, str]]
    """The arms table as it was written, absent factors left out."""
    tables: Mapping[str, pd.DataFrame]
    """By name (metrics, contrasts, exclusions, geometry, anatomy); only those that the study has
    and that hold rows.
    """
    flows: Sequence[Mapping[str, Any]]
    labels: Mapping[str, str]
    confidence: float

    @property
    def names(self) -> ArmNames:
        """Printed names of arms."""
        return ArmNames(self.arms, self.labels)

    def arm(self, name: str) -> str:
        """``ResNet3D Dual``."""
        return f"{self.names.backbone(name)} {self.names.mode(name)}".strip()

    def printed(self, name: Any) -> str:
        """The printed form of any name."""
        return printed(str(name), self.labels)


def gather(
    *,
    arms: Factors,
    tables: Mapping[str, Path],
    flows: Sequence[Path],
    levels: Sequence[str],
    labels: Mapping[str, str],
    confidence: float,
) -> Evidence:
    """Read the tables; metrics come back in the order of ``levels``, levels that it does not name
    last.

    Raises:
        KneeoaError: a file cannot be read, or a table has a name that the report does not know.
    """
    unknown = sorted(set(tables) - set(_SCHEMAS) - {"arms"})
    if unknown:
        raise KneeoaError(f"the report has no place for the table '{unknown[0]}'; it knows arms, {', '.join(sorted(_SCHEMAS))}.")
    read = {name: read_csv(path, _SCHEMAS[name]) for name, path in tables.items() if name != "arms"}
    if "metrics" in read:
        rank = {level: place for place, level in enumerate(levels)}
        order = read["metrics"]["level"].map(lambda level: rank.get(level, len(rank)))
        read["metrics"] = read["metrics"].iloc[order.argsort(kind="stable")].reset_index(drop=True)
    rows: list[dict[str, str]] = []
    if "arms" in tables:
        try:
            table = pd.read_csv(tables["arms"], dtype=str, keep_default_na=False)
        except (OSError, ValueError) as error:
            raise KneeoaError(f"{tables['arms']}: cannot be read as CSV: {error}.") from error
        rows = [{str(key): value for key, value in row.items() if value != ""} for row in table.to_dict("records")]
    filled = {name: frame for name, frame in read.items() if len(frame)}
    return Evidence(arms, rows, filled, [read_flow(path) for path in flows], labels, confidence)

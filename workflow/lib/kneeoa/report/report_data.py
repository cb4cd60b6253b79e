"""Read the data of the report: the study's tables as CSV, the cohorts' accounts, and the names of
its arms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from kneeoa.errors import KneeoaError
from kneeoa.paper_tables import registry
from kneeoa.paper_tables.table_files import read_csv
from kneeoa.presentation.arms import ArmNames, Factors
from kneeoa.presentation.cohort_flow import read_flow
from kneeoa.presentation.display_names import display_name


@dataclass(frozen=True)
class ReportData:
    """Data that sentences and tables of the report are made from."""

    arms: Factors
    tables: Mapping[str, pd.DataFrame]
    """By name; only those that the study has and that hold rows."""
    flows: Sequence[Mapping[str, Any]]
    labels: Mapping[str, str]
    confidence: float
    unanswered: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Contrast -> sentences on the arms that it names and has no counterpart for."""
    imports: Sequence[Mapping[str, Any]] = ()
    """Accounts of imported predictions, one an arm."""

    @property
    def names(self) -> ArmNames:
        """Printed names of arms."""
        return ArmNames(self.arms, self.labels)

    def arm(self, name: str) -> str:
        """Print an arm's name: ``ResNet3D Dual``; ``ResNet3D, rater r10, Dual``."""
        learner = self.names.backbone(name)
        return f"{learner}{', ' if ',' in learner else ' '}{self.names.mode(name)}".strip()

    def printed(self, name: Any) -> str:
        """Print any name."""
        return display_name(str(name), self.labels)


def read_report_data(
    *,
    arms: Factors,
    tables: Mapping[str, Path],
    flows: Sequence[Path],
    levels: Sequence[str],
    labels: Mapping[str, str],
    confidence: float,
    unanswered: Mapping[str, Sequence[str]] | None = None,
    imported: Sequence[Path] = (),
) -> ReportData:
    """Read the tables; metrics are in the order of ``levels``, other levels last.

    Raises:
        KneeoaError: a file cannot be read, or is not the table of its name.
    """
    read = {name: read_csv(path, registry.schema(name)) for name, path in tables.items()}
    if "metrics" in read:
        rank = {level: place for place, level in enumerate(levels)}
        order = read["metrics"]["level"].map(lambda level: rank.get(level, len(rank)))
        read["metrics"] = read["metrics"].iloc[order.argsort(kind="stable")].reset_index(drop=True)
    filled = {name: frame for name, frame in read.items() if len(frame)}
    accounts = [_read_account(path) for path in imported]
    return ReportData(arms, filled, [read_flow(path) for path in flows], labels, confidence, unanswered or {}, accounts)


def _read_account(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise KneeoaError(f"{path}: cannot be read as the account of an import: {error}.") from error

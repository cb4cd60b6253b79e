"""The table of similarity of representations: every pair of runs in CSV, means over seeds and
between arms in LaTeX.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.paper_tables.latex import Tabular, group_starts
from kneeoa.presentation.arms import ArmNames
from kneeoa.presentation.display_names import display_name
from kneeoa.presentation.number_format import format_interval
from kneeoa.tables.geometry import SIMILARITY

TABLE = {
    "section": "representation",
    "place": 3,
    "title": "Similarity of representations",
    "inputs": ["similarity"],
    "settings": {"arms": "arms"},
    "needs": ["cohorts"],
}
SCHEMA = SIMILARITY
CSV_ORDER: tuple[str, ...] = ()

MEASURES = {"cka": "CKA, unbiased", "procrustes": "Procrustes distance"}


def csv_rows(similarity: Path) -> pd.DataFrame:
    """Read every row of SIMILARITY.

    Raises:
        KneeoaError: the file is not SIMILARITY.
    """
    return SIMILARITY.read(similarity)


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print SIMILARITY rows, a tabular for each cohort: each arm between its seeds, then each pair
    of arms that differ in one factor.
    """
    tables = []
    for cohort, cohort_rows in rows[rows["kind"] != "runs"].groupby("cohort", sort=False):
        body = []
        for (one, other), pair in cohort_rows.groupby(["arm_a", "arm_b"], sort=False):
            cells = {row.measure: format_interval(row.estimate, row.low, row.high, 2) for row in pair.itertuples(index=False)}
            a, b = str(one), str(other)
            factor = str(pair["factor"].iloc[0])
            between = f"{names.mode(b) or b}, between seeds" if a == b else names.pair(a, b, factor).replace(" vs ", " and ")
            body.append(
                [
                    names.backbone(a) if a == b else names.setting(a, b, factor) or names.backbone(a),
                    between,
                    str(int(pair["pairs"].iloc[0])),
                    *(cells.get(name, "") for name in MEASURES),
                ]
            )
        heads = ["Backbone", "Between", "Pairs of runs", *MEASURES.values()]
        notes = "Means over pairs of runs with jackknife interval over subjects. CKA: 1 the same, 0 unrelated; Procrustes: 0 the same."
        heading = f"{display_name(str(cohort), labels)}, test"
        tables.append(Tabular(heads, body, left=2, heading=heading, breaks=group_starts([line[0] for line in body]), notes=notes))
    return tables

"""Select and order the contrasts that a forest plot shows, and group those that share an axis."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kneeoa.config.metrics import CUT_METRICS, WITHOUT_DIRECTION, metric_of_row
from kneeoa.presentation.display_names import GRADE_UNITS, display_name


@dataclass(frozen=True)
class Block:
    """Contrasts that share one horizontal axis."""

    title: str
    rows: pd.DataFrame


def select_rows(contrasts: pd.DataFrame) -> pd.DataFrame:
    """Select the contrasts of a forest plot: the primary family first, then the others in the
    table's order; rows in no family last.

    Left out, and in the table alone, are values at single cuts of the grades and calibration
    (slopes and intercepts would share no axis with AUCs), tests against a margin, and, for metrics
    that a family has a row of, the tests in no family (such as fixed seeds beside random). Cuts and
    calibration are shown where nothing else is.
    """
    contrasts = contrasts[~contrasts["test"].isin(["non_inferiority", "equivalence"])]
    rows = contrasts[~contrasts["metric"].map(metric_of_row).isin([*CUT_METRICS, *WITHOUT_DIRECTION])]
    rows = contrasts if rows.empty else rows
    inside, outside = rows[rows["family"] != "none"], rows[rows["family"] == "none"]
    key = ["contrast", "candidate", "reference", "cohort", "metric"]
    in_family = pd.MultiIndex.from_frame(outside[key]).isin(pd.MultiIndex.from_frame(inside[key]))
    order = sorted(dict.fromkeys(inside["family"]), key=lambda name: name != "primary")
    shown: pd.DataFrame = pd.concat([*(inside[inside["family"] == name] for name in order), outside[~in_family]])
    return shown


def axis_blocks(contrasts: pd.DataFrame) -> list[Block]:
    """Split the contrasts by unit: an error of half a grade, a slope and a difference of 0.05 in
    AUC cannot share an axis.
    """
    names = contrasts["metric"].map(metric_of_row)
    grades, without_direction = contrasts["metric"].isin(GRADE_UNITS), names.isin(WITHOUT_DIRECTION)
    blocks = [
        Block("Difference (candidate − reference)", contrasts[~grades & ~without_direction]),
        Block("Difference in grades (candidate − reference)", contrasts[grades]),
        *(
            Block(f"Difference in {display_name(name)} (candidate − reference)", contrasts[names == name])
            for name in dict.fromkeys(names[without_direction])
        ),
    ]
    return [block for block in blocks if len(block.rows)]

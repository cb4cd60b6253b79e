"""Families of tests that are corrected together, once all rows are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from kneeoa.config.analysis import Family
from kneeoa.statistics.multiplicity import adjust

NO_FAMILY = "none"


def correct(rows: list[dict[str, Any]], families: tuple[Family, ...]) -> list[dict[str, Any]]:
    """The rows with family, adjustment, m and p_adjusted added.

    A row joins the first family that lists its test and, where given, its contrast and metric; a family spans backbones and
    cohorts. m is the number of the family's defined tests. A row in no family has family and adjustment "none", m 1 and no
    p_adjusted.

    Args:
        rows: each with contrast, metric, test and p (None where undefined).
        families: in order of precedence.
    """
    joined = [next((family for family in families if _belongs(row, family)), None) for row in rows]
    corrected = [{**row, "family": NO_FAMILY, "adjustment": "none", "m": 1, "p_adjusted": None} for row in rows]
    for family in families:
        members = [index for index, joins in enumerate(joined) if joins is family]
        raw = np.array([np.nan if rows[index]["p"] is None else rows[index]["p"] for index in members], dtype=np.float64)
        count = int((~np.isnan(raw)).sum())
        for index, value in zip(members, adjust(raw, family.adjust), strict=True):
            p_adjusted = None if np.isnan(value) else float(value)
            corrected[index] |= {"family": family.name, "adjustment": family.adjust, "m": count, "p_adjusted": p_adjusted}
    return corrected


def _belongs(row: dict[str, Any], family: Family) -> bool:
    return (
        row["test"] in family.tests
        and (family.contrasts is None or row["contrast"] in family.contrasts)
        and (family.metrics is None or row["metric"] in family.metrics)
    )

"""Rank correlation of the position with an amount of tissue, given the grade."""

from __future__ import annotations

import numpy as np

from kneeoa.geometry.estimates import Floats, MeasureFamily
from kneeoa.geometry.rank_measures import SortedValues, weighted_pearson


def partial_measures(position: Floats, amount: Floats, grade: Floats) -> MeasureFamily:
    """``partial_spearman`` of position and amount given the grade, all ``[cases]``: the partial
    correlation of ranks (Kendall 1942).
    """
    sorted_values = [SortedValues(values) for values in (position, amount, grade)]

    def compute(weights: Floats) -> dict[str, Floats]:
        x, y, z = (values.ranks(weights) for values in sorted_values)
        xy, xz, yz = weighted_pearson(weights, x, y), weighted_pearson(weights, x, z), weighted_pearson(weights, y, z)
        unexplained = (1 - xz**2) * (1 - yz**2)
        defined = unexplained > np.finfo(np.float32).eps  # else the grade determines one of them
        return {"partial_spearman": np.divide(xy - xz * yz, np.sqrt(np.abs(unexplained)), out=np.full(len(weights), np.nan), where=defined)}

    return MeasureFamily(
        compute, {"partial_spearman": "the grade, the position or the amount does not vary, or the grade tells one of them wholly"}
    )

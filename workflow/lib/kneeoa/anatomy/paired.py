"""Subject-level comparison of two arms' measures: Wilcoxon's signed-rank test and two paired effect sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


@dataclass(frozen=True)
class Paired:
    """A paired comparison; None where undefined, and ``note`` says why."""

    p: float | None
    effect: float | None
    """Cohen's dz: mean over standard deviation of the differences."""
    rank_biserial: float | None
    """(sum of positive ranks - sum of negative ranks) / sum of ranks (Kerby 2014), zeros left out as in the test."""
    note: str


def compare(differences: NDArray[np.float64], alternative: Literal["two-sided", "greater", "less"] = "two-sided") -> Paired:
    """Wilcoxon's p, dz and the rank-biserial correlation of finite per-subject ``differences``.

    Differences that are all zero leave the test without ranks: p is one, the effects are zero, and the note says so.
    """
    if differences.size < 2:
        return Paired(None, None, None, "fewer than two subjects")
    if not differences.any():
        return Paired(1.0, 0.0, 0.0, "all differences are zero")
    import pingouin  # here, since it brings matplotlib and seaborn

    # Given the differences alone, pingouin makes no subjects x subjects matrix for an effect size that is not used.
    p = float(pingouin.wilcoxon(differences, alternative=alternative)["p_val"].iloc[0])
    some = differences[differences != 0]
    ranks = rankdata(np.abs(some))
    biserial = float((np.sign(some) * ranks).sum() / ranks.sum())
    spread = float(differences.std(ddof=1))
    if spread <= np.finfo(np.float64).eps * float(np.abs(differences).max()):
        return Paired(p, None, biserial, "all differences are equal: no standardised difference")
    return Paired(p, float(differences.mean()) / spread, biserial, "")

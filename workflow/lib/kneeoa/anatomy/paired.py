"""Subject-level comparison of two arms' measures: Wilcoxon's signed-rank test and the paired standardised difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Paired:
    """A paired comparison; None where undefined, and ``note`` says why."""

    p: float | None
    effect: float | None
    note: str


def compare(differences: NDArray[np.float64]) -> Paired:
    """Two-sided Wilcoxon p and Cohen's dz (mean / standard deviation) of finite per-subject ``differences``.

    Differences that are all zero leave the test without ranks: p is one, dz is zero, and the note says so.
    """
    if differences.size < 2:
        return Paired(None, None, "fewer than two subjects")
    if not differences.any():
        return Paired(1.0, 0.0, "all differences are zero")
    import pingouin  # here, since it brings matplotlib and seaborn

    # Given the differences alone, pingouin makes no subjects x subjects matrix for an effect size that is not used.
    p = float(pingouin.wilcoxon(differences)["p_val"].iloc[0])
    spread = float(differences.std(ddof=1))
    if spread <= np.finfo(np.float64).eps * float(np.abs(differences).max()):
        return Paired(p, None, "all differences are equal: no standardised difference")
    return Paired(p, float(differences.mean()) / spread, "")

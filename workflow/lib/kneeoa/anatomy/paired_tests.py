"""Compare the measures of two arms by subject: Wilcoxon's signed-rank test and two paired effect
sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Alternative = Literal["two-sided", "greater", "less"]

EXACT = 50
"""Most differences other than zero whose signed ranks are tested exactly."""


@dataclass(frozen=True)
class PairedComparison:
    """Result of a paired comparison; None where undefined, and ``note`` says why."""

    p: float | None
    effect: float | None
    """Cohen's dz: mean over standard deviation of the differences."""
    rank_biserial: float | None
    """(sum of positive ranks - sum of negative ranks) / sum of ranks (Kerby 2014), zeros left out
    as in the test.
    """
    note: str


def compare_paired(differences: NDArray[np.float64], alternative: Alternative = "two-sided") -> PairedComparison:
    """Compute Wilcoxon's p, dz and the rank-biserial correlation of finite per-subject
    ``differences``.

    Differences that are all zero leave the test without ranks: p is one, the effects are zero, and
    the note says so.
    """
    if differences.size < 2:
        return PairedComparison(None, None, None, "fewer than two subjects")
    if not differences.any():
        return PairedComparison(1.0, 0.0, 0.0, "all differences are zero")
    nonzero = differences[differences != 0]
    ranks = rankdata(np.abs(nonzero))
    p = _exact(ranks, nonzero > 0, alternative) if nonzero.size <= EXACT else _approximate(differences, alternative)
    biserial = float((np.sign(nonzero) * ranks).sum() / ranks.sum())
    spread = float(differences.std(ddof=1))
    if spread <= np.finfo(np.float64).eps * float(np.abs(differences).max()):
        return PairedComparison(p, None, biserial, "all differences are equal: no standardised difference")
    return PairedComparison(p, float(differences.mean()) / spread, biserial, "")


def _exact(ranks: NDArray[np.float64], positive: NDArray[np.bool_], alternative: Alternative) -> float:
    """Exact p over all choices of signs, each equally likely, by adding one rank after another to
    the distribution of the positive ranks' sum.

    Without ties and zeros this is SciPy's (and pingouin's) exact test. With them theirs goes
    through all 2^n choices one by one up to 13 differences, in seconds, and is an approximation
    above.
    """
    doubled = np.rint(2 * ranks).astype(np.int64)  # ranks of ties are halves
    chances = np.zeros(doubled.sum() + 1)
    chances[0] = 1.0
    for rank in doubled:
        chances[rank:] += chances[:-rank]
        chances /= 2
    observed = doubled[positive].sum()
    less, greater = chances[: observed + 1].sum(), chances[observed:].sum()
    p = {"less": less, "greater": greater, "two-sided": 2 * min(less, greater)}[alternative]
    return float(min(p, 1.0))


def _approximate(differences: NDArray[np.float64], alternative: Alternative) -> float:
    import pingouin  # here, since it brings matplotlib and seaborn

    # Given the differences alone, pingouin makes no subjects x subjects matrix for an effect size
    # that is not used.
    return float(pingouin.wilcoxon(differences, alternative=alternative)["p_val"].iloc[0])

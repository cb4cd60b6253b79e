"""Summarise values of maps over subjects: means over seeds, then cases, then subjects, and paired
tests of two arms.

Seeds never count as cases, and a person's two knees weigh as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from kneeoa.atomic_io import digest
from kneeoa.config.analysis import Statistics
from kneeoa.geometry.estimates import Floats, IntervalEstimate, MeasureFamily, evaluate

Alternative = Literal["two-sided", "greater", "less"]

EXACT = 50
"""Most differences other than zero whose signed ranks are tested exactly."""


def case_means(rows: pd.DataFrame, values: pd.Series, columns: list[str]) -> pd.DataFrame:
    """Return means of ``values`` for each (subject, case_id), over all else that tells rows apart
    (seeds, copies).

    There is one column a combination of ``columns``: a tuple, of one entry where there is one
    column.
    """
    keys = [rows["subject"], rows["case_id"], *(rows[column] for column in columns)]
    means = values.astype(np.float64).groupby(keys).mean().unstack(columns)
    means.columns = pd.MultiIndex.from_tuples([key if isinstance(key, tuple) else (key,) for key in means.columns], names=columns)
    return means


def subject_means(cases: pd.DataFrame, statistics: Statistics, cohort: str) -> dict[tuple[Any, ...], IntervalEstimate]:
    """Estimate the mean over subjects of each column of :func:`per_case`, with its
    subject-bootstrap interval.

    The same subjects get the same resamples, whatever the arm.
    """
    subjects = cases.groupby(level="subject").mean()
    values: Floats = subjects.to_numpy(dtype=np.float64)
    defined = np.isfinite(values)
    keys = [str(number) for number in range(values.shape[1])]

    def means(weights: Floats) -> dict[str, Floats]:
        total = weights @ defined
        mean = np.full(total.shape, np.nan)
        np.divide(weights @ np.where(defined, values, 0.0), total, out=mean, where=total > 0)
        return dict(zip(keys, mean.T, strict=True))

    measures = MeasureFamily(means, dict.fromkeys(keys, "no map with a value"))
    seed = int(digest([statistics.seed, "anatomy", cohort]), 16)
    names = subjects.index.to_numpy(dtype=str)
    estimates = evaluate(measures, names, resamples=statistics.resamples, seed=seed, confidence=statistics.confidence)
    return {tuple(column): estimates[key] for column, key in zip(subjects.columns, keys, strict=True)}


def subject_values(cases: pd.Series) -> Floats:
    """Return each subject's mean of its cases; subjects without a value are left out."""
    return cases.groupby(level="subject").mean().dropna().to_numpy(dtype=np.float64)


def count_columns(cases: pd.Series) -> dict[str, int]:
    """Return how many cases and subjects have a value, as columns of a row."""
    defined = cases.dropna()
    return {"cases": len(defined), "subjects": int(defined.index.get_level_values("subject").nunique())}


def estimate_columns(estimate: IntervalEstimate, *notes: str) -> dict[str, Any]:
    """Return the columns of an estimate and its notes, without repeated notes."""
    distinct = dict.fromkeys(note for note in (estimate.note, *notes) if note)
    return {"estimate": estimate.value, "low": estimate.low, "high": estimate.high, "note": "; ".join(distinct)}


def finite_or_none(value: Any) -> float | None:
    """Return a number as a table stores it: None where it is missing or not finite."""
    return None if value is None or not np.isfinite(value) else float(value)


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

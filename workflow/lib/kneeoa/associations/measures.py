"""Partial, within-person and intraclass correlation, each with an interval that has people as what
is sampled.

pingouin gives the values. Its intervals of a partial and of an intraclass correlation take every
knee as independent, and are rounded to two digits; here subjects are resampled instead, with both
of their knees. The within-person correlation has its people within it, so its interval is Fisher's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as t_distribution

from kneeoa.geometry.rank_measures import SortedValues
from kneeoa.statistics.bootstrap import interval_of, resampled_counts
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.wald import normal_quantile

MIN_SUBJECTS = 10
"""With fewer, an interval from resampling people says nothing: the row says "too few"."""


@dataclass(frozen=True)
class Association:
    """A correlation, NaN where undefined, as ``note`` says; p only where the method has one."""

    estimate: float
    low: float
    high: float
    p: float
    cases: int
    subjects: int
    note: str = ""


@dataclass(frozen=True)
class Resampling:
    """Settings of intervals: the level, the number of resamples, and the generator's seed."""

    confidence: float
    resamples: int
    seed: int


def partial(values: Floats, grade: Floats, covariates: pd.DataFrame, subjects: pd.Series, how: Resampling) -> Association:
    """Spearman's correlation of ``values`` with ``grade``, given the covariates (none: plain).

    Args:
        values: of each case, ``[n]``.
        grade: of each case, ``[n]``.
        covariates: numbers, ``[n, k]``; cases that lack one are left out and counted.
        subjects: of each case.
        how: the interval.
    """
    whole = np.isfinite(values) & np.isfinite(grade) & covariates.notna().all(axis=1).to_numpy(dtype=bool)
    table = np.column_stack([values, grade, covariates.to_numpy(dtype=np.float64)])[whole]
    lost = f"{int((~whole).sum())} cases without a value or covariate left out" if not whole.all() else ""
    people = subjects[whole].to_numpy(dtype=str)
    varying = np.array([np.ptp(column) > 0 for column in table.T], dtype=bool) if len(table) else np.zeros(table.shape[1], dtype=bool)
    if not varying[:2].all():
        return _undefined(len(table), people, "undefined: one value or grade alone", lost)
    table = table[:, varying]
    if len(table) < table.shape[1] + 3:
        return _undefined(len(table), people, "too few cases for the covariates", lost)
    estimate = _pingouins(table)

    columns = [SortedValues(column) for column in table.T]

    def again(weights: Floats) -> Floats:
        return _partial(np.stack([column.ranks(weights) for column in columns], axis=1), weights)

    return _resampled(estimate, again, people, how, lost)


def within_person(values: Floats, grade: Floats, subjects: pd.Series, confidence: float) -> Association:
    """Repeated-measures correlation (Bakdash and Marusich 2017, Front Psychol 8:456): do a person's
    knees differ in ``values`` as they differ in ``grade``? People with one knee say nothing of it.
    """
    whole = np.isfinite(values) & np.isfinite(grade)
    table = pd.DataFrame({"x": values[whole], "y": grade[whole], "subject": subjects[whole].to_numpy(dtype=str)})
    table = table[table.groupby("subject")["x"].transform("size") > 1]
    people = table["subject"].to_numpy(dtype=str)
    inside = (table[["x", "y"]] - table.groupby("subject")[["x", "y"]].transform("mean")).to_numpy(dtype=np.float64)
    if len(set(people)) < MIN_SUBJECTS:
        return _undefined(len(table), people, f"too few: {len(set(people))} people with two knees, {MIN_SUBJECTS} are needed")
    if np.abs(inside).max(axis=0).min() <= 1e-12:
        return _undefined(len(table), people, "undefined: nobody's knees differ")
    # pingouin's value too, which fits an indicator of every person: minutes for a thousand people.
    squares = inside.T @ inside
    estimate, df = float(squares[0, 1] / math.sqrt(squares[0, 0] * squares[1, 1])), len(table) - len(set(people)) - 1
    half = normal_quantile(confidence) / math.sqrt(max(df - 1, 1))
    centre = math.atanh(min(max(estimate, -1 + 1e-15), 1 - 1e-15))
    p = 2 * float(t_distribution.sf(abs(estimate) * math.sqrt(df / max(1 - estimate**2, 1e-300)), df))
    return Association(estimate, math.tanh(centre - half), math.tanh(centre + half), p, len(table), len(set(people)))


def intraclass(ratings: Floats, subjects: Sequence[str], how: Resampling, absolute: bool) -> Association:
    """Intraclass correlation of single ratings (Shrout and Fleiss 1979, Psychol Bull 86:420).

    Args:
        ratings: ``[n, k]``, k raters (or seeds) of every case.
        subjects: of each case.
        how: the interval.
        absolute: two-way random, absolute agreement, ICC(A,1); else consistency, ICC(C,1), for
            ratings of which each rater has its own scale.
    """
    whole = np.isfinite(ratings).all(axis=1)
    table, people = ratings[whole], np.asarray(subjects)[whole].astype(str)
    lost = f"{int((~whole).sum())} cases without a rating left out" if not whole.all() else ""
    if len(table) < 5 or table.shape[1] < 2:
        return _undefined(len(table), people, "undefined: fewer than five cases or two raters", lost)
    if np.ptp(table) == 0:
        return _undefined(len(table), people, "undefined: all ratings are one", lost)
    import pingouin  # here, since it brings matplotlib and seaborn

    count, raters = table.shape
    long = pd.DataFrame({"case": np.repeat(np.arange(count), raters), "rater": np.tile(np.arange(raters), count), "rating": table.ravel()})
    coefficients = pingouin.intraclass_corr(long, targets="case", raters="rater", ratings="rating").set_index("Type")
    estimate = float(coefficients.loc["ICC(A,1)" if absolute else "ICC(C,1)", "ICC"])
    return _resampled(estimate, lambda weights: _intraclass(table, absolute, weights), people, how, lost)


def _pingouins(table: Floats) -> float:
    """Spearman's partial correlation of the first two columns, given the rest."""
    import pingouin

    frame = pd.DataFrame(table, columns=["x", "y", *(f"z{number}" for number in range(table.shape[1] - 2))])
    if table.shape[1] == 2:
        return float(pingouin.corr(frame["x"], frame["y"], method="spearman")["r"].iloc[0])
    return float(pingouin.partial_corr(frame, x="x", y="y", covar=list(frame.columns[2:]), method="spearman")["r"].iloc[0])


_ROUNDING = 1e-12
"""Share of a sum of squares below which what is left of it is rounding."""


def _partial(ranks: Floats, weights: Floats) -> Floats:
    """Pearson's partial correlation of the first two of q variables, given the rest, in each
    resample ``[R]``; NaN where undefined.

    Args:
        ranks: ``[R, q, n]``.
        weights: how often each case counts, ``[R, n]``.
    """
    mean = (ranks @ weights[:, :, None]) / weights.sum(axis=1)[:, None, None]
    scaled = (ranks - mean) * np.sqrt(weights)[:, None, :]
    products = scaled @ scaled.transpose(0, 2, 1)
    size = np.sqrt(np.einsum("rqq->rq", products))
    size = np.where(size > 0, size, 1.0)
    products /= size[:, :, None] * size[:, None, :]
    given = products[:, 2:, :2]
    left = products[:, :2, :2]
    if given.size:
        left = left - given.transpose(0, 2, 1) @ np.linalg.pinv(products[:, 2:, 2:], rcond=_ROUNDING, hermitian=True) @ given
    squares = np.einsum("rqq->rq", left)
    kept = squares.min(axis=1) > _ROUNDING
    return np.where(kept, left[:, 0, 1], np.nan) / np.sqrt(np.where(kept, squares.prod(axis=1), 1.0))


def _intraclass(table: Floats, absolute: bool, weights: Floats) -> Floats:
    """The intraclass correlation of ``table`` ``[n, k]`` in each resample ``[R]``, from sums over
    cases that count ``weights`` ``[R, n]`` times; NaN where undefined.
    """
    raters, away = table.shape[1], table - table.mean()  # sums of squares lose no digits to a common size
    size, of_cases = weights.sum(axis=1), away.mean(axis=1)
    mean, middle = weights @ of_cases / size, (weights @ away) / size[:, None]
    among_cases = raters * (weights @ of_cases**2 - size * mean**2)
    among_raters = size * ((middle - mean[:, None]) ** 2).sum(axis=1)
    rest = weights @ (away**2).sum(axis=1) - size * raters * mean**2 - among_cases - among_raters
    rows, columns, error = among_cases / (size - 1), among_raters / (raters - 1), rest / ((size - 1) * (raters - 1))
    below = rows + (raters - 1) * error + (raters * (columns - error) / size if absolute else 0.0)
    kept = below > _ROUNDING * float((away**2).mean())
    return np.where(kept, rows - error, np.nan) / np.where(kept, below, 1.0)


def _resampled(estimate: float, again: Callable[[Floats], Floats], people: np.ndarray, how: Resampling, note: str) -> Association:
    """The estimate with the percentile interval over resampled people; ``again`` gives the values
    ``[R]`` for cases that count ``[R, n]`` times.
    """
    names, codes = np.unique(people, return_inverse=True)
    if names.size < MIN_SUBJECTS:
        few = f"no interval: too few people ({names.size}, {MIN_SUBJECTS} are needed)"
        return Association(estimate, math.nan, math.nan, math.nan, people.size, names.size, "; ".join(filter(None, [note, few])))
    blocks = resampled_counts(people.size, people, how.resamples, how.seed)
    values = np.concatenate([again(counts[:, codes]) for counts in blocks])
    drawn = interval_of(estimate, values, people.size, names.size, how.confidence)
    return Association(estimate, drawn.low, drawn.high, math.nan, people.size, names.size, "; ".join(filter(None, [note, drawn.note])))


def _undefined(cases: int, people: np.ndarray, *notes: str) -> Association:
    nan = math.nan
    return Association(nan, nan, nan, nan, cases, len(set(people.tolist())), "; ".join(filter(None, notes)))

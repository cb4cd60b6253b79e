"""Average values of maps over seeds, then over the cases of a subject, then over subjects.

Seeds never count as cases, and a person's two knees weigh as one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from kneeoa.atomic_io import digest
from kneeoa.config.analysis import Statistics
from kneeoa.geometry.estimates import Floats, IntervalEstimate, MeasureFamily, evaluate


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

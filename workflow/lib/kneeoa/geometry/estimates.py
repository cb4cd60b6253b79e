"""Evaluate families of measures on all cases and on resamples of subjects.

A resample is a row of weights (how often each case was drawn), never a copied table: measures take
weights, so cases are sorted once, and the estimate on all cases has weights of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kneeoa.statistics.bootstrap import resampled_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MeasureFamily:
    """A family of measures that share their intermediate results.

    ``compute`` takes weights ``[resamples, cases]`` and gives, by name, one value a resample (NaN
    where undefined); ``undefined`` says by name when a measure has no value.
    """

    compute: Callable[[Floats], dict[str, Floats]]
    undefined: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class IntervalEstimate:
    """A measure with its percentile interval. None: undefined, and ``note`` says why."""

    value: float | None
    low: float | None
    high: float | None
    mean: float | None
    """Mean over the resamples in which the measure is defined."""
    note: str


def evaluate(
    measures: MeasureFamily, subjects: NDArray[np.str_], *, resamples: int, seed: int, confidence: float
) -> dict[str, IntervalEstimate]:
    """Estimate each measure on all cases, with its subject-bootstrap percentile interval.

    A resample in which a measure is undefined (a grade was not drawn) is left out of that measure's
    interval and counted in its note.

    Args:
        measures: the family.
        subjects: the subject of each case, ``[cases]``.
        resamples: how many resamples of subjects.
        seed: of the resampling; the same subjects in the same order get the same resamples, so that
            arms are paired.
        confidence: of the two-sided interval.
    """
    cases = len(subjects)
    point = measures.compute(np.ones((1, cases)))
    resampled = len(np.unique(subjects)) > 1
    blocks = [measures.compute(weights) for weights in resampled_weights(cases, subjects, resamples, seed)] if resampled else []
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    estimates = {}
    for name, (value,) in point.items():
        if not np.isfinite(value):
            estimates[name] = IntervalEstimate(None, None, None, None, f"undefined: {measures.undefined.get(name, 'no value')}")
            continue
        draws = np.concatenate([block[name] for block in blocks]) if resampled else np.zeros(0)
        finite = draws[np.isfinite(draws)]
        if not finite.size:
            reason = "undefined in every resample" if resampled else "fewer than two subjects"
            estimates[name] = IntervalEstimate(float(value), None, None, None, f"no interval: {reason}")
            continue
        low, high = np.quantile(finite, tails)
        undefined_draws = draws.size - finite.size
        note = f"{undefined_draws} of {draws.size} resamples undefined" if undefined_draws else ""
        estimates[name] = IntervalEstimate(float(value), float(low), float(high), float(finite.mean()), note)
    return estimates

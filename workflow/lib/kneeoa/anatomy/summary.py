"""The anatomy stage: overlaps of all runs, over subjects and seeds, for each arm and each contrast of modes.

Order of averaging: seeds of a case, then cases of a subject, then subjects. Seeds are never extra cases, and a person's two knees
weigh as one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.anatomy.paired import compare
from kneeoa.config.analysis import Contrast, Statistics
from kneeoa.errors import KneeoaError
from kneeoa.files import digest
from kneeoa.geometry.estimates import Estimate, Floats, Measures, evaluate
from kneeoa.tables.anatomy import ANATOMY
from kneeoa.tables.overlap import OVERLAP

_log = logging.getLogger(__name__)


def summarise(
    *,
    overlaps: list[Path],
    arms: dict[str, dict[str, str]],
    contrasts: tuple[Contrast, ...],
    statistics: Statistics,
    out: Path,
) -> None:
    """Summarise overlaps: per arm a mean with chance and null, per contrast the paired difference; subject-bootstrap intervals.

    Args:
        overlaps: OVERLAP tables of all runs.
        arms: arm -> its factors; ``mode`` and whatever else must be equal within a contrast (``backbone``, ...).
        contrasts: pairs of modes; two contrasts of one pair (at different levels) give one set of rows.
        statistics: resamples, confidence and seed.
        out: ANATOMY table to write.

    Raises:
        KneeoaError: a table is not what it should be, names an arm that is not in ``arms``, or a contrast fits two arms.
    """
    rows = OVERLAP.concat(overlaps)
    unknown = sorted(set(rows["arm"]) - set(arms))
    if unknown:
        raise KneeoaError(f"the overlap tables name the arm '{unknown[0]}', which is not in the arms table; remove its files.")
    if rows.empty:
        ANATOMY.write(out, [])
        return
    study = str(rows["study"].iloc[0])
    pairs = [(one, other) for one, other in contrasted(arms, contrasts) if {one, other} <= set(rows["arm"])]
    found: list[dict[str, Any]] = []
    for cohort, part in rows.groupby("cohort", sort=True):
        by_arm = {str(arm): some for arm, some in part.groupby("arm", sort=True)}
        for arm, some in by_arm.items():
            found += [{"kind": "arm", "arm": arm, "reference": None, "cohort": cohort} | row for row in _arm(some, statistics, str(cohort))]
        for candidate, reference in pairs:
            if candidate in by_arm and reference in by_arm:
                here = {"kind": "contrast", "arm": candidate, "reference": reference, "cohort": cohort}
                found += [here | row for row in _contrast(by_arm[candidate], by_arm[reference], statistics, str(cohort))]
    ANATOMY.write(out, [{"study": study} | row for row in found])


def contrasted(arms: Mapping[str, Mapping[str, str]], contrasts: Sequence[Contrast]) -> list[tuple[str, str]]:
    """The pairs of arms (candidate, reference) that differ in nothing but the modes of a contrast; each pair once.

    Raises:
        KneeoaError: two arms have the same factors, so that it is not known which of them is meant.
    """
    by_factors: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for name, factors in arms.items():
        modes = by_factors.setdefault(tuple(sorted((key, value) for key, value in factors.items() if key != "mode")), {})
        twin = modes.setdefault(factors["mode"], name)
        wanted = any(factors["mode"] in (contrast.candidate, contrast.reference) for contrast in contrasts)
        if twin != name and wanted:
            raise KneeoaError(f"the arms '{twin}' and '{name}' have the same factors {dict(factors)}: which does a contrast compare?")
    pairs = [
        (modes[contrast.candidate], modes[contrast.reference])
        for contrast in contrasts
        for modes in by_factors.values()
        if contrast.candidate in modes and contrast.reference in modes
    ]
    return list(dict.fromkeys(pairs))


def _per_case(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean over the seeds in which it is defined: index (subject, case_id), one column per (tissue, measure)."""
    defined = rows[column].where(rows["value"].notna())
    return defined.groupby([rows["subject"], rows["case_id"], rows["tissue"], rows["measure"]]).mean().unstack(["tissue", "measure"])


def _arm(rows: pd.DataFrame, statistics: Statistics, cohort: str) -> Iterator[dict[str, Any]]:
    value, chance, null = (_per_case(rows, column) for column in ("value", "chance", "null_mean"))
    estimates = _estimates(value, statistics, cohort)
    chances, nulls = (cases.groupby(level="subject").mean().mean() for cases in (chance, null))
    for key, estimate in estimates.items():
        some = rows[(rows["tissue"] == key[0]) & (rows["measure"] == key[1])]
        lost = int(some["value"].isna().sum())
        notes = [estimate.note, f"{lost} of {len(some)} maps without a value" if lost else ""]
        yield _row(key, estimate, value[key], rows["seed"].nunique(), notes) | {
            "chance": _known(chances.get(key)),
            "null_mean": _known(nulls.get(key)),
            "p": None,
            "effect": None,
        }


def _contrast(candidate: pd.DataFrame, reference: pd.DataFrame, statistics: Statistics, cohort: str) -> Iterator[dict[str, Any]]:
    difference = _per_case(candidate, "value") - _per_case(reference, "value")  # aligned by case: undefined in one, left out
    seeds = min(candidate["seed"].nunique(), reference["seed"].nunique())
    for key, estimate in _estimates(difference, statistics, cohort).items():
        paired = compare(difference[key].groupby(level="subject").mean().dropna().to_numpy(dtype=np.float64))
        levels = {"chance": None, "null_mean": None, "p": paired.p, "effect": paired.effect}
        yield _row(key, estimate, difference[key], seeds, [estimate.note, paired.note]) | levels


def _row(key: tuple[str, str], estimate: Estimate, cases: pd.Series, seeds: int, notes: list[str]) -> dict[str, Any]:
    defined = cases.dropna()
    return {
        "tissue": key[0],
        "measure": key[1],
        "estimate": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "cases": len(defined),
        "subjects": defined.index.get_level_values("subject").nunique(),
        "seeds": seeds,
        "note": "; ".join(dict.fromkeys(note for note in notes if note)),
    }


def _estimates(cases: pd.DataFrame, statistics: Statistics, cohort: str) -> dict[tuple[str, str], Estimate]:
    """Mean over subjects of each column, with its subject-bootstrap interval; the same resamples for every arm of the cohort."""
    subjects = cases.groupby(level="subject").mean()
    values: Floats = subjects.to_numpy(dtype=np.float64)
    known = np.isfinite(values)
    keys = [str(number) for number in range(values.shape[1])]

    def means(weights: Floats) -> dict[str, Floats]:
        total = weights @ known
        mean = np.full(total.shape, np.nan)
        np.divide(weights @ np.where(known, values, 0.0), total, out=mean, where=total > 0)
        return dict(zip(keys, mean.T, strict=True))

    measures = Measures(means, dict.fromkeys(keys, "no map with a value"))
    draw = int(digest([statistics.seed, "anatomy", cohort]), 16)
    names = subjects.index.to_numpy(dtype=str)
    found = evaluate(measures, names, resamples=statistics.resamples, seed=draw, confidence=statistics.confidence)
    columns = subjects.columns.to_frame(index=False)
    return {(tissue, measure): found[key] for tissue, measure, key in zip(columns["tissue"], columns["measure"], keys, strict=True)}


def _known(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)

"""Differences of the axis between the arms of each contrast: candidate minus reference in every
measure over grades; seeds averaged, subjects resampled for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.config.analysis import Contrast, Geometry
from kneeoa.config.hierarchy import Level
from kneeoa.config.pairs import Arms, constant, distinct_pairs
from kneeoa.errors import KneeoaError
from kneeoa.geometry.cases import ordinal_level
from kneeoa.geometry.estimates import Floats, Measures
from kneeoa.geometry.measure import resampling_seed
from kneeoa.geometry.ordering import grade_measures
from kneeoa.statistics.bootstrap import percentiles, resampled_weights
from kneeoa.tables.axis import AXIS
from kneeoa.tables.differences import DIFFERENCES

SPLIT = "test"


def compare_axes(
    axes: Sequence[Path],
    arms: Arms,
    contrasts: Sequence[Contrast],
    levels: tuple[Level, ...],
    geometry: Geometry,
    study: str,
    out: Path,
) -> None:
    """Write DIFFERENCES for every pair of arms that a contrast compares: each pair once, whatever
    the contrast's level.

    The axes stay as they were fitted on training cases; test subjects are resampled. Seeds are
    fixed: a measure is the mean over an arm's seeds. Interval and p:
    :func:`kneeoa.statistics.bootstrap.percentiles`.

    Args:
        axes: AXIS tables of all runs.
        arms: the arms table.
        contrasts: the study's contrasts.
        levels: the hierarchy.
        geometry: which level, and how intervals are made.
        study: name of the study, copied to the rows.
        out: table to write.

    Raises:
        KneeoaError: arms that cannot be told apart, or arms or seeds that do not place the same
            test cases.
    """
    level = ordinal_level(levels, geometry.level)
    placed = AXIS.concat(list(axes))
    placed = placed[(placed["split"] == SPLIT) & placed["grade"].notna()]
    rows: list[dict[str, Any]] = []
    for (candidate, reference), factor in distinct_pairs(contrasts, arms).items():
        ends = {"study": study, "factor": factor, "backbone": constant(arms, (candidate, reference), "backbone")}
        ends |= {"candidate": candidate, "reference": reference}
        mine = placed[placed["arm"].isin([candidate, reference])]
        for (cohort, axis), part in mine.groupby(["cohort", "axis"], sort=True):
            where = {"axis": str(axis), "cohort": str(cohort), "split": SPLIT, "against": level.name}
            rows += [ends | where | row for row in _pair(part, candidate, reference, str(cohort), level, geometry)]
    DIFFERENCES.write(out, rows)


def _pair(part: pd.DataFrame, candidate: str, reference: str, cohort: str, level: Level, geometry: Geometry) -> Iterator[dict[str, Any]]:
    sides, cases, subjects, seeds = [], "", np.zeros(0, dtype=str), []
    for arm in (candidate, reference):
        families = []
        for seed, own in part[part["arm"] == arm].groupby("seed", sort=True):
            ordered = own.sort_values("case_id", kind="stable")
            known = "\n".join(f"{case} {grade}" for case, grade in zip(ordered["case_id"], ordered["grade"], strict=True))
            if cases and known != cases:
                raise KneeoaError(
                    f"cohort '{cohort}': arms '{candidate}' and '{reference}' place other test cases on the axis (seen at seed {seed} of "
                    f"'{arm}'), or the cases have other grades; run the geometry of both again."
                )
            cases, subjects = known, ordered["subject"].to_numpy(dtype=str)
            grade = ordered["grade"].to_numpy(dtype=np.int64)
            families.append(grade_measures(ordered["position"].to_numpy(dtype=np.float64), grade, range(len(level.classes))))
        if not families:
            return  # the arm has no such axis; its table of measures says why
        sides.append(families)
        seeds.append(len(families))
    drawn = list(resampled_weights(len(subjects), subjects, geometry.resamples, resampling_seed(geometry, cohort)))
    points, draws = (_means(sides, blocks) for blocks in ([np.ones((1, len(subjects)))], drawn))
    counts = {"cases": len(subjects), "subjects": len(set(subjects)), "seeds": min(seeds)}
    for name, (one, other) in points.items():
        values = draws[name][0] - draws[name][1]
        row = _tested(float(one[0]), float(other[0]), values, len(set(subjects)), geometry.confidence)
        yield counts | {"measure": name} | row


def _means(sides: Sequence[Sequence[Measures]], blocks: Sequence[Floats]) -> dict[str, tuple[Floats, Floats]]:
    """Each measure of both sides, averaged over seeds, on every row of weights. Where a centroid
    lies is in an arm's own unit: left out.
    """
    found: list[dict[str, Floats]] = []
    for families in sides:
        seeds = [[family.compute(weights) for weights in blocks] for family in families]
        names = [name for name in seeds[0][0] if not name.startswith("centroid_position")]
        found.append({name: np.mean([np.concatenate([block[name] for block in seed]) for seed in seeds], axis=0) for name in names})
    return {name: (found[0][name], found[1][name]) for name in found[0]}


def _tested(candidate: float, reference: float, draws: Floats, subjects: int, confidence: float) -> dict[str, Any]:
    difference = candidate - reference
    row = {"estimate_candidate": candidate, "estimate_reference": reference, "difference": difference, "low": None, "high": None, "p": None}
    row = {name: value if value is not None and np.isfinite(value) else None for name, value in row.items()}
    if row["difference"] is None:
        return row | {"note": "undefined in one of the arms"}
    drawn = percentiles(difference, draws, subjects, confidence)
    if drawn.invalid == drawn.resamples:
        return row | {"note": "no interval: undefined in every resample"}
    limits = {"low": drawn.low, "high": drawn.high, "p": drawn.p}
    note = "no interval: no variance between resamples" if drawn.degenerate and np.isnan(drawn.p) else drawn.note
    return row | {name: value if np.isfinite(value) else None for name, value in limits.items()} | {"note": note}

"""Compare the severity axes of two arms: candidate minus reference in every measure over grades,
averaged over seeds, subjects resampled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.config.analysis import Contrast, Geometry
from kneeoa.config.hierarchy import Level
from kneeoa.config.pairs import Arms, distinct_pairs, shared_value
from kneeoa.errors import KneeoaError
from kneeoa.geometry.cases import ordinal_level
from kneeoa.geometry.estimates import Floats, MeasureFamily
from kneeoa.geometry.rank_measures import grade_measures
from kneeoa.geometry.run_measures import resampling_seed
from kneeoa.statistics.bootstrap import percentiles, resampled_weights
from kneeoa.tables.geometry import AXIS, DIFFERENCES

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
    """Write DIFFERENCES of every pair of arms that a contrast compares, each pair once, whatever
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
    positions = AXIS.concat(list(axes))
    positions = positions[(positions["split"] == SPLIT) & positions["grade"].notna()]
    rows: list[dict[str, Any]] = []
    for (candidate, reference), factor in distinct_pairs(contrasts, arms).items():
        pair = {"study": study, "factor": factor, "backbone": shared_value(arms, (candidate, reference), "backbone")}
        pair |= {"candidate": candidate, "reference": reference}
        pair_rows = positions[positions["arm"].isin([candidate, reference])]
        for (cohort, axis), part in pair_rows.groupby(["cohort", "axis"], sort=True):
            place = {"axis": str(axis), "cohort": str(cohort), "split": SPLIT, "against": level.name}
            rows += [pair | place | row for row in _pair_rows(part, candidate, reference, str(cohort), level, geometry)]
    DIFFERENCES.write(out, rows)


def _pair_rows(
    part: pd.DataFrame, candidate: str, reference: str, cohort: str, level: Level, geometry: Geometry
) -> Iterator[dict[str, Any]]:
    sides, first_listing, subjects, seeds = [], "", np.zeros(0, dtype=str), []
    for arm in (candidate, reference):
        families = []
        for seed, run_rows in part[part["arm"] == arm].groupby("seed", sort=True):
            ordered = run_rows.sort_values("case_id", kind="stable")
            listing = "\n".join(f"{case} {grade}" for case, grade in zip(ordered["case_id"], ordered["grade"], strict=True))
            if first_listing and listing != first_listing:
                raise KneeoaError(
                    f"cohort '{cohort}': arms '{candidate}' and '{reference}' place other test cases on the axis (seen at seed {seed} of "
                    f"'{arm}'), or the cases have other grades; run the geometry of both again."
                )
            first_listing, subjects = listing, ordered["subject"].to_numpy(dtype=str)
            grade = ordered["grade"].to_numpy(dtype=np.int64)
            families.append(grade_measures(ordered["position"].to_numpy(dtype=np.float64), grade, range(len(level.classes))))
        if not families:
            return  # the arm has no such axis; its table of measures says why
        sides.append(families)
        seeds.append(len(families))
    drawn = list(resampled_weights(len(subjects), subjects, geometry.resamples, resampling_seed(geometry, cohort)))
    points, draws = (_means(sides, blocks) for blocks in ([np.ones((1, len(subjects)))], drawn))
    counts = {"cases": len(subjects), "subjects": len(set(subjects)), "seeds": min(seeds)}
    for name, (candidate_value, reference_value) in points.items():
        values = draws[name][0] - draws[name][1]
        row = _difference_columns(float(candidate_value[0]), float(reference_value[0]), values, len(set(subjects)), geometry.confidence)
        yield counts | {"measure": name} | row


def _means(sides: Sequence[Sequence[MeasureFamily]], blocks: Sequence[Floats]) -> dict[str, tuple[Floats, Floats]]:
    """Each measure of both arms, averaged over seeds, on every row of weights; without the
    centroids' positions, which are in an arm's own unit.
    """
    by_arm: list[dict[str, Floats]] = []
    for families in sides:
        seeds = [[family.compute(weights) for weights in blocks] for family in families]
        names = [name for name in seeds[0][0] if not name.startswith("centroid_position")]
        by_arm.append({name: np.mean([np.concatenate([block[name] for block in seed]) for seed in seeds], axis=0) for name in names})
    return {name: (by_arm[0][name], by_arm[1][name]) for name in by_arm[0]}


def _difference_columns(candidate: float, reference: float, draws: Floats, subjects: int, confidence: float) -> dict[str, Any]:
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

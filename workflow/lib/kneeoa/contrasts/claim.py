"""The claim in one place: for each pair of arms that a contrast compares, the change in
prediction, in the order of the axis and in saliency.

One bootstrap for all three parts, so that they can be read side by side: each resample draws
subjects once, for every part, and, with three or more seeds, seeds too (the same ones in both modes
and all parts). What is resampled is said in every row.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.config.hierarchy import Level
from kneeoa.config.pairs import Arms, distinct_pairs, shared_value
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.build import SPLIT
from kneeoa.contrasts.claim_parts import Change, OfRun, Seed, Shared, axis_change, prediction_changes, saliency_change
from kneeoa.contrasts.outcome import Outcome, join, of_limits, or_null
from kneeoa.contrasts.small_samples import with_few_degrees, with_few_subjects
from kneeoa.errors import KneeoaError
from kneeoa.statistics.bootstrap import percentiles, resampled_weights
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.seeds import LEAST_SEEDS
from kneeoa.tables.geometry import AXIS
from kneeoa.tables.runs import COMPARED, PREDICTIONS
from kneeoa.tables.saliency import OVERLAP
from kneeoa.tables.statistics import CLAIM


def build_claim(
    prediction_files: list[Path],
    axis_files: list[Path],
    overlap_files: list[Path],
    arms: Arms,
    levels: tuple[Level, ...],
    statistics: Statistics,
    out: Path,
) -> None:
    """Write CLAIM: for every pair of arms that a contrast names and every cohort, a row for each
    part that both arms have.

    Prediction: AUC of a binary level, macro AUC of another. Axis: Spearman's correlation of the
    position with the grade, the axis and its sign fitted on training cases. Saliency: the mean over
    subjects of the measure in the tissue. Each is averaged over the seeds that both arms and all
    parts share; test cases only.

    Args:
        prediction_files: PREDICTIONS tables of all runs.
        axis_files: AXIS tables of all runs; none for imported predictions.
        overlap_files: OVERLAP tables of all runs by one method of saliency; none where there are no
            masks.
        arms: arm name -> factors.
        levels: the hierarchy, coarse to fine.
        statistics: contrasts, claim, confidence, resamples, seed.
        out: file to write.

    Raises:
        KneeoaError: as :func:`kneeoa.contrasts.build.build_contrasts`, or an axis, tissue or
            measure that the tables do not hold.
    """
    predictions = PREDICTIONS.concat(prediction_files, COMPARED, categorical=True)
    predictions = predictions[predictions["split"] == SPLIT]
    wanted = statistics.claim
    axes = _chosen(AXIS.concat(axis_files, ("split", "subject", "position", "grade"), categorical=True), {"axis": wanted.axis})
    axes = axes[axes["split"] == SPLIT].astype({"case_id": str, "subject": str})
    overlaps = _chosen(
        OVERLAP.concat(overlap_files, ("subject", "value"), categorical=True), {"tissue": wanted.tissue, "measure": wanted.measure}
    )
    overlaps = overlaps.astype({"case_id": str, "subject": str})
    if overlaps["method"].nunique() > 1:
        raise KneeoaError(f"the claim takes one method of saliency, but the tables hold {', '.join(sorted(set(overlaps['method'])))}.")
    rows: list[dict[str, Any]] = []
    shared, drawn = Shared(), dict[Drawn, Floats]()
    cohorts_of = {str(arm): set(part.unique()) for arm, part in predictions.groupby("arm", observed=True)["cohort"]}
    for (candidate, reference), factor in distinct_pairs(statistics.contrasts, arms).items():
        cohorts = [cohorts_of.get(arm, set()) for arm in (candidate, reference)]
        for cohort in sorted(cohorts[0] & cohorts[1]):
            changes = prediction_changes(predictions, candidate, reference, cohort, levels, shared)
            graded = next((level.name for level in reversed(levels) if level.ordered), "")
            changes += axis_change(axes, candidate, reference, cohort, wanted.axis, graded, shared)
            changes += saliency_change(overlaps, candidate, reference, cohort, wanted.tissue, wanted.measure)
            base = {"factor": factor, "backbone": shared_value(arms, (candidate, reference), "backbone"), "cohort": cohort}
            base |= {"candidate": candidate, "reference": reference}
            rows += [base | row for row in _joint(changes, statistics, drawn)]
    CLAIM.write(out, rows)


def _chosen(rows: pd.DataFrame, wanted: Mapping[str, str]) -> pd.DataFrame:
    for column, name in wanted.items():
        if len(rows) and not (rows[column] == name).any():
            available = ", ".join(sorted(set(rows[column])))
            raise KneeoaError(f"'statistics.claim.{column}' is '{name}', of which the study's tables hold no row; they hold {available}.")
        rows = rows[rows[column] == name]
    return rows


Drawn = tuple[OfRun, tuple[str, ...], tuple[str, ...]]
"""A run, the people that are resampled, and the subject of each of its cases: its values in the
resamples follow from these.
"""


def _joint(changes: list[Change], statistics: Statistics, drawn: dict[Drawn, Floats]) -> list[dict[str, Any]]:
    """Every part's row from one bootstrap of the subjects of all parts, and of the seeds that all
    parts share.

    ``drawn``: the values of each run in the resamples, then of the cases themselves, ``[R + 1]``,
    as far as other pairs needed them; those of this pair are added.
    """
    if not changes:
        return []
    seeds = [seed for seed in changes[0].seeds if all(seed in change.seeds for change in changes)]
    if not seeds:
        raise KneeoaError("the claim's parts share no seed: predictions, axes and saliency are of different runs; make them again.")
    people = tuple(sorted({subject for change in changes for subject in change.subjects}))
    two_way = len(seeds) >= LEAST_SEEDS
    generator = np.random.default_rng([statistics.seed, len(seeds)])
    shares = np.full((statistics.resamples, len(seeds)), 1 / len(seeds))
    if two_way:
        shares = generator.multinomial(len(seeds), [1 / len(seeds)] * len(seeds), size=statistics.resamples) / len(seeds)
    _draw(changes, people, seeds, statistics, drawn)
    rows = []
    for change in changes:
        candidate, reference = (
            np.stack([drawn[change.runs[seed][side], people, change.subjects] for seed in seeds], axis=1) for side in (0, 1)
        )
        # A seed that is not drawn cannot make a resample undefined.
        draws = np.where(shares > 0, shares * (candidate[:-1] - reference[:-1]), 0.0).sum(axis=1)
        rows.append(_row(change, draws, (candidate[-1:], reference[-1:]), seeds, two_way, statistics))
    return rows


def _draw(
    changes: list[Change], people: tuple[str, ...], seeds: Sequence[Seed], statistics: Statistics, drawn: dict[Drawn, Floats]
) -> None:
    """Add to ``drawn`` what the changes' runs lack there."""
    lacking: list[dict[OfRun, list[Floats]]] = []
    for change in changes:
        runs = dict.fromkeys(run for seed in seeds for run in change.runs[seed])
        lacking.append({run: [] for run in runs if (run, people, change.subjects) not in drawn})
    if not any(lacking):
        return
    blocks = resampled_weights(len(people), None, statistics.resamples, statistics.seed)
    for weights in itertools.chain(blocks, [np.ones((1, len(people)))]):
        for change, values in zip(changes, lacking, strict=True):
            of_cases = change.case_weights(weights, people) if values else weights
            for run, parts in values.items():
                parts.append(run(of_cases))
    for change, values in zip(changes, lacking, strict=True):
        drawn |= {(run, people, change.subjects): np.concatenate(parts) for run, parts in values.items()}


def _row(
    change: Change, draws: Floats, point: tuple[Floats, Floats], seeds: Sequence[Seed], two_way: bool, statistics: Statistics
) -> dict[str, Any]:
    candidate, reference = float(point[0].mean()), float(point[1].mean())
    outcome = _compared(change, candidate - reference, draws, seeds, two_way, statistics.confidence)
    values = {
        "estimate_reference": reference,
        "estimate_candidate": candidate,
        "difference": candidate - reference,
        "low": outcome.low,
        "high": outcome.high,
        "p": outcome.p,
    }
    return {
        **{key: or_null(value) for key, value in values.items()},
        "part": change.part,
        "level": change.level,
        "measure": change.measure,
        "of": change.of,
        "resampled": "subjects and seeds" if two_way else "subjects",
        "cases": len(change.subjects),
        "subjects": len(set(change.subjects)),
        "seeds": len(seeds),
        "note": outcome.note,
    }


def _compared(change: Change, difference: float, draws: Floats, seeds: Sequence[Seed], two_way: bool, confidence: float) -> Outcome:
    """The interval and p of a part; where few subjects carry the difference, by the rule of
    :mod:`kneeoa.contrasts.small_samples`.
    """
    drawn = percentiles(difference, draws, len(set(change.subjects)), confidence)
    note = join(change.note, drawn.note, "no variance: no test" if drawn.degenerate and math.isnan(drawn.p) else "")
    outcome = replace(of_limits(difference, drawn.low, drawn.high, drawn.p, note), degenerate=drawn.degenerate)
    if math.isnan(difference) or math.isnan(drawn.p):
        return outcome
    if not two_way:
        return with_few_subjects(outcome, "bootstrap", change.parts(seeds), change.subjects, change.rankings, confidence)
    error = math.sqrt(drawn.variance)
    outcome = replace(outcome, standard_error=error, statistic=difference / error if error > 0 else math.nan)
    return with_few_degrees(outcome, change.parts(seeds), change.subjects, confidence)

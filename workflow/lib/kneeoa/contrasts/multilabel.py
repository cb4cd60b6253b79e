"""A multilabel level is many yes-or-no findings: each predicted, measured and compared as a binary
level, and the mean over them.

A case counts for a finding where that finding was read. The mean over findings adds the influences
of a case before they are squared, so that findings of one knee are not taken as independent, and
subjects are the clusters. A finding of which a metric has no value, e.g. as no test case has it, is
left out of the mean, of both arms alike; the row says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from kneeoa.config.hierarchy import Level
from kneeoa.contrasts.cases import LevelPredictions, binary_level, level_predictions, places_in, sampled_runs
from kneeoa.errors import KneeoaError
from kneeoa.statistics.influence_functions import Sampled
from kneeoa.statistics.inputs import Floats


def one_finding(rows: pd.DataFrame, level: Level, number: int) -> pd.DataFrame:
    """PREDICTIONS rows of a multilabel level as those of one finding, present or not.

    Raises:
        KneeoaError: truth or probabilities that do not have one entry for each finding.
    """
    count = len(level.classes)
    for column in ("truth", "probabilities"):
        wrong = rows[rows[column].map(len) != count]
        if len(wrong):
            case, arm = wrong["case_id"].iloc[0], wrong["arm"].iloc[0]
            where = f"Predictions of arm '{arm}', level '{level.name}': {column} of case '{case}'"
            raise KneeoaError(f"{where} does not have {count} entries, one for each finding.")
    probabilities = [[1 - values[number], values[number]] for values in rows["probabilities"]]
    truth = [[values[number]] for values in rows["truth"]]
    return rows.assign(truth=pd.Series(truth, index=rows.index), probabilities=pd.Series(probabilities, index=rows.index))


def joined(level: Level, findings: Sequence[LevelPredictions], case_ids: Iterable[str]) -> LevelPredictions:
    """The predictions of a multilabel level from those of its findings; cases of which no finding
    was read are left out and counted.

    Args:
        level: the multilabel level.
        findings: in the order of its classes.
        case_ids: all cases that were predicted.
    """
    first = findings[0]
    subject_of = {case: subject for one in findings for case, subject in zip(one.case_ids, one.subjects.tolist(), strict=True)}
    cases = tuple(sorted(subject_of))
    truth = np.full((len(cases), len(findings)), -1, dtype=np.int64)
    probabilities = np.full((len(first.seeds), len(cases), len(findings)), np.nan)
    for number, one in enumerate(findings):
        rows = np.searchsorted(cases, one.case_ids)
        truth[rows, number] = one.truth
        probabilities[:, rows, number] = one.probabilities[:, :, 1]
    notes = [f"{name}: {one.threshold_note}" for name, one in zip(level.classes, findings, strict=True) if one.threshold_note]
    return LevelPredictions(
        arm=first.arm,
        level=level,
        head=first.head,
        seeds=first.seeds,
        case_ids=cases,
        subjects=np.array([subject_of[case] for case in cases], dtype=str),
        truth=truth,
        probabilities=probabilities,
        unread=len(set(case_ids)) - len(cases),
        threshold_note="; ".join(notes),
        findings=tuple(findings),
    )


def level_findings(rows: pd.DataFrame, arm: str, level: Level, head: str) -> LevelPredictions:
    """As :func:`kneeoa.contrasts.cases.level_predictions` of a multilabel level."""
    parts = [(one_finding(rows, level, number), binary_level(level, number)) for number in range(len(level.classes))]
    return joined(level, [level_predictions(part, arm, one, head) for part, one in parts], rows["case_id"])


def defined_findings(name: str, sides: Sequence[LevelPredictions]) -> list[int]:
    """The findings of which every run of every side has a value of the metric."""
    return [
        number
        for number in range(len(sides[0].findings))
        if all(
            side.findings[number].case_ids and not any(math.isnan(run.value) for run in sampled_runs(name, side.findings[number]))
            for side in sides
        )
    ]


def mean_runs(name: str, predictions: LevelPredictions, findings: Sequence[int]) -> list[Sampled]:
    """The mean over ``findings`` of the metric in each seed, with an influence for every case of
    the level: 0 on a finding that was not read in it. NaN without a finding.
    """
    count = len(predictions.case_ids)
    if not findings:
        return [Sampled(math.nan, np.full(count, np.nan)) for _ in predictions.seeds]
    values, notes = np.zeros(len(predictions.seeds)), [""] * len(predictions.seeds)
    influences: Floats = np.zeros((len(predictions.seeds), count))
    for number in findings:
        one = predictions.findings[number]
        rows = places_in(predictions, one.case_ids)
        for place, run in enumerate(sampled_runs(name, one)):
            values[place] += run.value / len(findings)
            influences[place, rows] += run.influence / len(findings)
            notes[place] = run.note
    return [Sampled(float(value), influence, note) for value, influence, note in zip(values, influences, notes, strict=True)]


def findings_note(predictions: LevelPredictions, findings: Sequence[int]) -> str:
    """Over how many findings a mean is, and which it is without."""
    names = predictions.level.classes
    lost = [name for number, name in enumerate(names) if number not in findings]
    without = f", without {', '.join(lost)}, undefined" if lost else ""
    return f"mean over {len(findings)} of {len(names)} findings{without}"


def paired_runs(name: str, sides: Sequence[LevelPredictions]) -> list[list[Sampled]]:
    """The metric of every seed of each side, with its influences on the sides' cases; of a
    multilabel level the mean over the findings of which all have a value.
    """
    if not sides[0].findings:
        return [sampled_runs(name, side) for side in sides]
    findings = defined_findings(name, sides)
    return [mean_runs(name, side, findings) for side in sides]

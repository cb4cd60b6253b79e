"""Do the severity axis and saliency in a tissue go with the grade once age, sex, BMI and site are
taken into account, and within a person? Do seeds agree, and raters?
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.associations.measures import Association, Resampling, intraclass, partial, within_person
from kneeoa.tables.cohort import CASES, LABELS
from kneeoa.tables.geometry import AXIS
from kneeoa.tables.runs import COMPARED, PREDICTIONS
from kneeoa.tables.saliency import OVERLAP
from kneeoa.tables.statistics import ASSOCIATIONS

SPLIT = "test"
ADJUSTED = ("age", "sex", "bmi", "site")
"""Columns of the cases table that a correlation is adjusted for, where the cohort has them."""


def build_associations(
    axes: Sequence[Path],
    overlaps: Sequence[Path],
    predictions: Sequence[Path],
    cases: Sequence[Path],
    labels: Sequence[Path],
    readings: Sequence[Path],
    level: str,
    measure: str,
    study: str,
    how: Resampling,
    out: Path,
) -> None:
    """Write ASSOCIATIONS of test cases.

    A case's value is the mean over an arm's seeds. Every correlation with the grade comes as it is
    and adjusted for the covariates that the cohort's cases have; sex and site are indicators.
    Agreement of seeds: of positions on the axis by consistency, as every network has a scale of its
    own; of saliency and of predicted probabilities by absolute agreement.

    Args:
        axes: AXIS tables of all runs; also give the test cases and their grades.
        overlaps: OVERLAP tables of all runs; may be none.
        predictions: PREDICTIONS tables of all runs.
        cases: CASES tables.
        labels: LABELS tables, of the reference.
        readings: LABELS tables of noisy raters; may be none.
        level: the ordinal level whose grades count.
        measure: of the overlap tables.
        study: name of the study, copied to the rows.
        how: the intervals.
        out: table to write.

    Raises:
        KneeoaError: a file is not what it should be.
    """
    placed = AXIS.concat(list(axes))
    placed = placed[(placed["split"] == SPLIT) & placed["grade"].notna()]
    people = CASES.concat(list(cases))
    grades = placed[["cohort", "case_id", "grade"]].drop_duplicates(["cohort", "case_id"])
    positions = placed.assign(quantity="axis: " + placed["axis"].astype(str), value=placed["position"])
    quantities = [positions[_COLUMNS]]
    if overlaps:
        maps = OVERLAP.concat(list(overlaps))
        maps = maps[maps["measure"] == measure]
        named = maps["method"].astype(str) + " " + maps["tissue"].astype(str) + " " + measure
        quantities.append(maps.assign(quantity="saliency: " + named)[_COLUMNS])
    rows: list[dict[str, Any]] = []
    for (arm, cohort, quantity), part in pd.concat(quantities).groupby(["arm", "cohort", "quantity"], sort=True):
        where = {"arm": str(arm), "cohort": str(cohort), "quantity": str(quantity)}
        part = part.merge(grades, on=["cohort", "case_id"])
        rows += [where | row for row in _of_quantity(part, people, level, str(quantity), how)]
    rows += list(_of_predictions(PREDICTIONS.concat(list(predictions), COMPARED), how))
    rows += list(_of_raters(labels, readings, level, people, how))
    ASSOCIATIONS.write(out, [{"study": study, "split": row.pop("split", SPLIT), **row} for row in rows])


_COLUMNS = ["arm", "seed", "cohort", "case_id", "subject", "quantity", "value"]


def _of_quantity(part: pd.DataFrame, people: pd.DataFrame, level: str, quantity: str, how: Resampling) -> Iterator[dict[str, Any]]:
    seeds = part.pivot(index=["cohort", "case_id", "subject", "grade"], columns="seed", values="value")
    seeds = seeds[seeds.notna().any(axis=1)].reset_index()
    numbers = [name for name in seeds.columns if not isinstance(name, str)]
    values, grade = seeds[numbers].mean(axis=1).to_numpy(dtype=np.float64), seeds["grade"].to_numpy(dtype=np.float64)
    covariates, names = _covariates(seeds.merge(people, on=["cohort", "case_id"], how="left", suffixes=("", "_")))
    for chosen, adjusted in ((covariates.iloc[:, :0], ""), *([(covariates, ", ".join(names))] if names else [])):
        association = partial(values, grade, chosen, seeds["subject"], how)
        yield _row(association, level, "partial_spearman", adjusted, len(numbers))
    yield _row(within_person(values, grade, seeds["subject"], how.confidence), level, "within_person", "", len(numbers))
    if len(numbers) > 1:
        absolute = not quantity.startswith("axis")
        association = intraclass(seeds[numbers].to_numpy(dtype=np.float64), seeds["subject"].tolist(), how, absolute)
        yield _row(association, "seeds", "icc_agreement" if absolute else "icc_consistency", "", len(numbers))


def _of_predictions(frame: pd.DataFrame, how: Resampling) -> Iterator[dict[str, Any]]:
    """Agreement between seeds of each level's own head: of the positive's probability, else of the
    mean class.
    """
    frame = frame[(frame["split"] == SPLIT) & (frame["level"] == frame["head"]) & frame["seed"].notna()]
    for (arm, cohort, level), part in frame.groupby(["arm", "cohort", "level"], sort=True):
        if part["seed"].nunique() < 2 or any(len(truth) > 1 for truth in part["truth"]):
            continue
        score = [float(np.asarray(row) @ np.arange(len(row))) for row in part["probabilities"]]
        seeds = part.assign(score=score).pivot(index=["case_id", "subject"], columns="seed", values="score").reset_index()
        ratings = seeds.drop(columns=["case_id", "subject"]).to_numpy(dtype=np.float64)
        agreement = intraclass(ratings, seeds["subject"].tolist(), how, absolute=True)
        where = {"arm": str(arm), "cohort": str(cohort), "quantity": f"score: {level}"}
        yield where | _row(agreement, "seeds", "icc_agreement", "", ratings.shape[1])


def _of_raters(
    labels: Sequence[Path], readings: Sequence[Path], level: str, people: pd.DataFrame, how: Resampling
) -> Iterator[dict[str, Any]]:
    """Agreement of each noisy rater's grades with the reference's, on the cases that it
    read again.
    """
    if not readings:
        return
    reference = LABELS.concat(list(labels))
    reference = reference[reference["level"] == level].drop_duplicates(["cohort", "case_id"])
    for path in readings:
        read = LABELS.concat([path])
        read = read[(read["level"] == level) & ~read["source"].isin(set(reference["source"]))]
        both = read.merge(reference, on=["cohort", "case_id"], suffixes=("", "_reference"))
        both = both.merge(people[["cohort", "case_id", "subject"]], on=["cohort", "case_id"])
        for (source, cohort), part in both.groupby(["source", "cohort"], sort=True):
            ratings = np.array([[_grade(a), _grade(b)] for a, b in zip(part["value"], part["value_reference"], strict=True)])
            agreement = intraclass(ratings, part["subject"].tolist(), how, absolute=True)
            where = {"arm": f"rater: {source}", "cohort": str(cohort), "quantity": f"grade: {level}", "split": "read again"}
            yield where | _row(agreement, "reference", "icc_agreement", "", 0)


def _grade(value: Any) -> float:
    return math.nan if value[0] is None or pd.isna(value[0]) else float(value[0])


def _covariates(cases: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The covariates as numbers, ``[n, k]``, and the names of those that the cases have."""
    columns, names = {}, []
    for name in ADJUSTED:
        if name not in cases or cases[name].isna().all():
            continue
        names.append(name)
        if pd.api.types.is_numeric_dtype(cases[name]):
            columns[name] = cases[name].astype(np.float64)
            continue
        for value in sorted(cases[name].dropna().unique())[1:]:
            columns[f"{name} {value}"] = (cases[name] == value).astype(np.float64).where(cases[name].notna())
    return pd.DataFrame(columns, index=cases.index), names


def _row(association: Association, against: str, statistic: str, adjusted: str, seeds: int) -> dict[str, Any]:
    numbers = {
        name: None if math.isnan(value) else value for name, value in vars(association).items() if name in ("estimate", "low", "high", "p")
    }
    counts = {"cases": association.cases, "subjects": association.subjects, "seeds": seeds, "note": association.note}
    return numbers | counts | {"against": against, "statistic": statistic, "adjusted_for": adjusted}

"""The anatomy stage: summarise the overlaps of all runs over subjects and seeds, for each arm and
each pair of arms that a contrast compares, of all cases and by grade.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from kneeoa.anatomy.subject_summaries import (
    case_means,
    compare_paired,
    count_columns,
    estimate_columns,
    finite_or_none,
    subject_means,
    subject_values,
)
from kneeoa.config.analysis import Contrast, Statistics
from kneeoa.config.hierarchy import Level
from kneeoa.config.pairs import distinct_pairs
from kneeoa.errors import KneeoaError
from kneeoa.labels.level_labels import MISSING, read_labels
from kneeoa.statistics.multiplicity import adjust
from kneeoa.tables.saliency import ANATOMY, OVERLAP

_log = logging.getLogger(__name__)

FAMILY = ("normalised", "top5_dice", "auroc", "distance_mm")
"""Measures whose contrasts are tested together (Holm, with the methods): one of each kind, as the
others follow from them or nearly so.
"""
BY_GRADE = ("mass", "enrichment", "normalised", "absolute_normalised", "top5_overlap", "top5_dice", "auroc", "pointing", "distance_mm")
"""Measures that are shown by grade too: a severe knee has little cartilage left, so that plain
shares confound with grade.
"""

_COLUMNS = ["tissue", "measure"]


def summarise(
    *,
    overlaps: list[Path],
    labels: list[Path],
    level: Level | None,
    methods: tuple[str, ...],
    arms: dict[str, dict[str, str]],
    contrasts: tuple[Contrast, ...],
    statistics: Statistics,
    out: Path,
) -> None:
    """Write ANATOMY: per arm a mean with chance and nulls, per contrast the paired difference, with
    subject-bootstrap intervals.

    Args:
        overlaps: OVERLAP tables of all runs and methods.
        labels: LABELS tables, which give the grades.
        level: the level of the grades; None: no rows by grade.
        methods: in the order in which they are listed.
        arms: arm -> factor -> value.
        contrasts: what is compared; two contrasts of one pair (at different levels) give one set of
            rows.
        statistics: resamples, confidence and seed.
        out: ANATOMY table to write.

    Raises:
        KneeoaError: a table is not what it should be, names an arm that is not in ``arms``, or a
            contrast fits two arms.
    """
    rows = OVERLAP.concat(overlaps)
    unknown = sorted(set(rows["arm"]) - set(arms))
    if unknown:
        raise KneeoaError(f"the overlap tables name the arm '{unknown[0]}', which is not in the arms table; remove its files.")
    if rows.empty:
        ANATOMY.write(out, [])
        return
    study = str(rows["study"].iloc[0])
    rows = rows.assign(grade=_grades(rows, labels, level))
    pairs = {pair: factor for pair, factor in distinct_pairs(contrasts, arms).items() if set(pair) <= set(rows["arm"])}
    summaries: list[dict[str, Any]] = []
    for method in sorted(rows["method"].unique(), key=[*methods, *sorted(set(rows["method"]))].index):
        for cohort, part in rows[rows["method"] == method].groupby("cohort", sort=True):
            shown = part[part["measure"].isin(BY_GRADE)]
            for grade, graded_rows in [(None, part), *shown[shown["grade"] != MISSING].groupby("grade", sort=True)]:
                keys = {"method": method, "cohort": cohort, "grade": None if grade is None else int(str(grade))}
                summaries += [keys | row for row in _rows(graded_rows, pairs, statistics, str(cohort))]
    ANATOMY.write(out, pd.DataFrame([{"study": study} | row for row in _adjusted(summaries)]).astype({"grade": "Int16"}))


def _grades(rows: pd.DataFrame, labels: Sequence[Path], level: Level | None) -> Any:
    """The grade of each row's case, -1 where unknown."""
    if level is None:
        return MISSING
    cases = rows[["cohort", "case_id"]].drop_duplicates(ignore_index=True)
    grades = read_labels(labels, cases, [level])[level.name].values
    return rows[["cohort", "case_id"]].merge(cases.assign(grade=grades), how="left")["grade"].to_numpy()


def _rows(rows: pd.DataFrame, pairs: Mapping[tuple[str, str], str], statistics: Statistics, cohort: str) -> Iterator[dict[str, Any]]:
    by_arm = {str(arm): arm_rows for arm, arm_rows in rows.groupby("arm", sort=True)}
    for arm, arm_rows in by_arm.items():
        yield from ({"kind": "arm", "arm": arm, "factor": None, "reference": None} | row for row in _arm(arm_rows, statistics, cohort))
    for (candidate, reference), factor in pairs.items():
        if candidate in by_arm and reference in by_arm:
            keys = {"kind": "contrast", "arm": candidate, "factor": factor, "reference": reference}
            yield from (keys | row for row in _contrast(by_arm[candidate], by_arm[reference], statistics, cohort))


def _case_means(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Cases' means of a column over the seeds in which the measure itself is defined."""
    return case_means(rows, rows[column].where(rows["value"].notna()), _COLUMNS)


_NO_LEVELS = dict.fromkeys(("chance", "null_mean", "null_z", "null_p", "others_mean", "others_z", "others_p"))
_NO_TEST = dict.fromkeys(("p", "p_adjusted", "effect", "rank_biserial"))


def _arm(rows: pd.DataFrame, statistics: Statistics, cohort: str) -> Iterator[dict[str, Any]]:
    value = _case_means(rows, "value")
    levels = {name: _case_means(rows, name) for name in ("chance", "null_mean", "null_z", "others_mean", "others_z")}
    means = {name: cases.groupby(level="subject").mean().mean() for name, cases in levels.items()}
    counts = rows.groupby(_COLUMNS)["value"].agg(["size", "count"])
    for key, estimate in subject_means(value, statistics, cohort).items():
        size, defined = counts.loc[key]
        lacking = f"{size - defined} of {size} maps without a value" if size > defined else ""
        level_means = {name: finite_or_none(mean.get(key)) for name, mean in means.items()}
        closer: Literal["less", "greater"] = "less" if key[1] == "distance_mm" else "greater"
        for null in ("null", "others"):
            excess = subject_values(value[key] - levels[f"{null}_mean"][key])
            level_means[f"{null}_p"] = compare_paired(excess, closer).p if excess.size else None
        row = {"tissue": key[0], "measure": key[1], "seeds": rows["seed"].nunique()} | count_columns(value[key])
        yield row | level_means | _NO_TEST | estimate_columns(estimate, lacking)


def _contrast(candidate: pd.DataFrame, reference: pd.DataFrame, statistics: Statistics, cohort: str) -> Iterator[dict[str, Any]]:
    difference = _case_means(candidate, "value") - _case_means(reference, "value")  # aligned by case: undefined in one, left out
    seeds = min(candidate["seed"].nunique(), reference["seed"].nunique())
    for key, estimate in subject_means(difference, statistics, cohort).items():
        paired = compare_paired(subject_values(difference[key]))
        row = {"tissue": key[0], "measure": key[1], "seeds": seeds} | count_columns(difference[key]) | _NO_LEVELS
        tested = {"p": paired.p, "p_adjusted": None, "effect": paired.effect, "rank_biserial": paired.rank_biserial}
        yield row | tested | estimate_columns(estimate, paired.note)


def _adjusted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with Holm's p: of each contrast, cohort and tissue, over methods and the measures of
    ``FAMILY``, of all grades together.
    """
    families: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if row["kind"] == "contrast" and row["grade"] is None and row["measure"] in FAMILY:
            families.setdefault((row["arm"], row["reference"], row["cohort"], row["tissue"]), []).append(row)
    for family in families.values():
        p = adjust([np.nan if row["p"] is None else row["p"] for row in family], "holm")
        for row, adjusted in zip(family, p, strict=True):
            row["p_adjusted"] = finite_or_none(adjusted)
    return rows

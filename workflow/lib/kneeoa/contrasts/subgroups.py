"""Does the difference between arms differ between subgroups of cases? Each contrast's first metric,
group by group, and the interaction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.config.hierarchy import Level
from kneeoa.config.metrics import class_of, rows_of
from kneeoa.config.statistics import Bands, Groups, Statistics
from kneeoa.contrasts.build import Pair, pairs_of
from kneeoa.contrasts.cases import LevelPredictions
from kneeoa.contrasts.multilabel import paired_runs
from kneeoa.contrasts.subgroup_permutation import with_few_in_groups
from kneeoa.errors import KneeoaError
from kneeoa.statistics.influence_functions import Sampled, over_seeds
from kneeoa.statistics.inputs import Floats, Integers
from kneeoa.statistics.subgroups import Interaction, Subgroup, metric_subgroups
from kneeoa.tables.cases import CASES
from kneeoa.tables.predictions import PREDICTIONS
from kneeoa.tables.subgroups import SUBGROUPS

INTERACTION = "interaction"


def build_subgroups(
    prediction_files: list[Path],
    case_files: list[Path],
    arms: Mapping[str, Mapping[str, Any]],
    levels: tuple[Level, ...],
    statistics: Statistics,
    out: Path,
) -> None:
    """Write SUBGROUPS: per contrast, pair of arms, cohort and attribute a row for each group and
    one for the test of interaction.

    Of a metric with several rows the first is compared: the first cut or class, the mean over
    findings. Seeds are averaged and fixed. Groups with fewer than ten cases (of a binary level: of
    either class) are rows without numbers. Cases without a value, or in no group that the
    configuration names, are in no group; the interaction's note counts them.

    Args:
        prediction_files: PREDICTIONS tables of all arms.
        case_files: CASES tables; none for imported predictions, which have sides and labels alone.
        arms: arm name -> factors.
        levels: the hierarchy.
        statistics: contrasts and subgroups.
        out: file to write.

    Raises:
        KneeoaError: as :func:`kneeoa.contrasts.build.build_contrasts`, or an attribute that no
            table holds.
    """
    frame = PREDICTIONS.concat(prediction_files)
    cases = CASES.concat(case_files)
    rows: list[dict[str, Any]] = []
    for pair in pairs_of(frame, arms, levels, statistics):
        for attribute, groups in statistics.subgroups.items():
            values = _values(attribute, pair, frame, cases, levels)
            rows += _rows(pair, attribute, _names(values, groups), statistics)
    SUBGROUPS.write(out, rows)


def _values(attribute: str, pair: Pair, frame: pd.DataFrame, cases: pd.DataFrame, levels: tuple[Level, ...]) -> pd.Series:
    """The attribute of the pair's cases, in their order; NA where unknown.

    Raises:
        KneeoaError: no table holds the attribute.
    """
    if attribute in {level.name for level in levels}:
        of_level = frame[(frame["level"] == attribute) & (frame["cohort"] == pair.cohort)].drop_duplicates("case_id").set_index("case_id")
        attributes = of_level["truth"].map(lambda labels: labels[0] if len(labels) == 1 else None)
    elif attribute in cases.columns and len(cases):
        attributes = cases[cases["cohort"] == pair.cohort].set_index("case_id")[attribute]
    elif attribute == "side":
        attributes = frame[frame["cohort"] == pair.cohort].drop_duplicates("case_id").set_index("case_id")["side"]
    else:
        raise KneeoaError(f"'statistics.subgroups' names '{attribute}', which neither the cases tables nor the predictions hold.")
    return attributes.reindex(list(pair.candidate.case_ids))


def _names(values: pd.Series, groups: Groups) -> list[str | None]:
    """The group of each value; None where it has none."""
    if isinstance(groups, Bands):
        limits = groups.bands
        last = len(limits) - 2

        def band(value: Any) -> str | None:
            place = int(np.searchsorted(limits, float(value), side="right")) - 1
            place = last if float(value) == limits[-1] else place
            return f"{limits[place]:g} to {limits[place + 1]:g}" if 0 <= place <= last else None

        return [None if pd.isna(value) else band(value) for value in values]
    allowed = None if groups == "all" else {str(group) for group in groups}
    texts = [None if pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return [text if text is not None and (allowed is None or text in allowed) else None for text in texts]


def _rows(pair: Pair, attribute: str, names: list[str | None], statistics: Statistics) -> Iterator[dict[str, Any]]:
    metric = rows_of(next(iter(pair.contrast.tests)), pair.candidate.level)[0]
    label = class_of(metric)
    compared = [side if label is None else side.of_class(label) for side in (pair.candidate, pair.reference)]
    name = metric if label is None else metric.partition("[")[0]
    places_of = dict(zip(pair.candidate.case_ids, names, strict=True))
    names = [places_of[case] for case in compared[0].case_ids]
    rows = np.array([place for place, group in enumerate(names) if group is not None], dtype=np.int64)
    base = {
        **pair.columns,
        "metric": metric,
        "attribute": attribute,
        "seeds": min(len(pair.candidate.seeds), len(pair.reference.seeds)),
    }
    if not rows.size:
        yield {**base, **_blank("no case is in a group"), "group": INTERACTION}
        return
    sides = [side.of_cases(rows) for side in compared]

    def measure(_: Integers, chosen: Floats) -> Sampled:
        """``chosen`` ``[m, 2]``: which side, and which of its cases."""
        both = [side.of_cases(chosen[:, 1].astype(np.int64)) for side in sides]
        return over_seeds(paired_runs(name, both)[int(chosen[0, 0])])

    groups = np.array([names[row] for row in rows], dtype=str)
    places = np.arange(rows.size, dtype=np.float64)
    marked = [np.stack([np.full(rows.size, float(number)), places], axis=1) for number in (0, 1)]
    tested = metric_subgroups(
        measure,
        _classes(sides[0]),
        marked[0],
        marked[1],
        groups,
        len(sides[0].level.classes) + bool(sides[0].findings),
        sides[0].subjects,
        statistics.confidence,
    )
    compared_rows = {group.name: np.flatnonzero(groups == group.name) for group in tested.groups}
    tested = with_few_in_groups(tested, name, sides, compared_rows, statistics.confidence)
    for group in tested.groups:
        yield {**base, **_group(group)}
    yield {**base, **_interaction(tested.interaction, len(names) - rows.size)}


def _classes(predictions: LevelPredictions) -> Integers:
    """The class of each case; of a multilabel level how many of its findings are there."""
    return (predictions.truth == 1).sum(axis=1) if predictions.findings else predictions.truth


def _blank(note: str) -> dict[str, Any]:
    numbers = ("estimate_reference", "estimate_candidate", "difference", "low", "high", "p", "statistic", "df")
    return dict.fromkeys(numbers) | {"counts": "", "cases": 0, "subjects": 0, "suppressed": False, "note": note}


def _group(group: Subgroup) -> dict[str, Any]:
    counts = ", ".join(str(count) for count in group.counts)
    row = _blank(group.suppressed) | {"group": group.name, "counts": counts, "cases": sum(group.counts)}
    if group.result is None:
        return row | {"suppressed": True}
    result = group.result
    values = {"estimate_reference": result.estimate_b, "estimate_candidate": result.estimate_a, "difference": result.difference}
    values |= {"low": result.low, "high": result.high, "p": result.p, "statistic": result.z}
    return row | {key: _known(value) for key, value in values.items()} | {"subjects": result.subjects, "note": result.method}


def _interaction(tested: Interaction, lost: int) -> dict[str, Any]:
    values = {"difference": tested.difference, "low": tested.low, "high": tested.high, "p": tested.p, "statistic": tested.statistic}
    note = "; ".join(filter(None, [tested.method, f"{lost} cases in no group" if lost else ""]))
    row = _blank(note) | {key: _known(value) for key, value in values.items()}
    return row | {"group": INTERACTION, "df": tested.df, "cases": tested.n, "subjects": tested.subjects}


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None

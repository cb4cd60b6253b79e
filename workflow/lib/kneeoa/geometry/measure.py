"""The geometry stage: one run's severity axes, every case's position, and the measures of the held-out cases."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.config.analysis import Geometry
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.files import digest
from kneeoa.geometry.axis import Axis, UndefinedAxis, fit_axis, fit_scaler
from kneeoa.geometry.dimension import participation_ratio, variance_measures
from kneeoa.geometry.estimates import Estimate, Floats, Measures, evaluate
from kneeoa.geometry.ordering import binary_measures, correlation_measures, grade_measures
from kneeoa.geometry.representation import read_embeddings, read_grades, read_severity
from kneeoa.tables.axis import AXIS
from kneeoa.tables.geometry import GEOMETRY

_log = logging.getLogger(__name__)

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Cases:
    """The cases of a run, all splits; arrays are ``[cases]``, NaN where a case has no label or truth."""

    frame: pd.DataFrame
    subjects: NDArray[np.str_]
    train: Flags
    level: Level
    grade: Floats
    binary: dict[str, Floats]
    severity: Floats

    def tests(self) -> dict[str, Flags]:
        """The test cases of each cohort."""
        test = (self.frame["split"] == "test").to_numpy()
        return {str(name): test & (self.frame["cohort"] == name).to_numpy() for name in self.frame.loc[test, "cohort"].unique()}


def ordinal_level(levels: tuple[Level, ...], name: str | None) -> Level:
    """The level whose grades the axis should order: the one named, or the finest ordinal one.

    Raises:
        KneeoaError: there is no such level, or it is not ordinal.
    """
    ordinal = {level.name: level for level in levels if level.kind == "ordinal"}
    if name is not None and name not in ordinal:
        raise KneeoaError(f"'geometry.level' is '{name}', but the ordinal levels are {sorted(ordinal)}.")
    if not ordinal:
        raise KneeoaError("a severity axis needs an ordinal level, and the hierarchy has none; leave the geometry out of this study.")
    return ordinal[name] if name is not None else list(ordinal.values())[-1]


def measure_run(
    *,
    study: str,
    arm: str,
    seed: int,
    embeddings: Path,
    labels: list[Path],
    truth: list[Path],
    levels: tuple[Level, ...],
    geometry: Geometry,
    out_axis: Path,
    out_measures: Path,
) -> None:
    """Fit the axes on the training cases of one run, place all cases on them and measure the test cases of each cohort.

    Args:
        study: name of the study, copied to the rows.
        arm: name of the arm, copied to the rows.
        seed: seed of the run, copied to the rows.
        embeddings: the run's embeddings table, all splits.
        labels: LABELS tables of all cohorts.
        truth: TRUTH tables; empty where there is none.
        levels: the hierarchy, coarse to fine.
        geometry: which axes, which level, how many resamples.
        out_axis: AXIS table to write; it has no rows for an axis that is undefined.
        out_measures: GEOMETRY table to write; an undefined measure has no estimate, and its note says why.

    Raises:
        KneeoaError: a table is not what it should be, or the hierarchy has no ordinal level.
    """
    level = ordinal_level(levels, geometry.level)
    data = read_embeddings(embeddings)
    cases = Cases(
        frame=data.cases,
        subjects=data.cases["subject"].to_numpy(dtype=str),
        train=(data.cases["split"] == "train").to_numpy(),
        level=level,
        grade=read_grades(labels, level.name, data.cases),
        binary={item.name: read_grades(labels, item.name, data.cases) for item in levels if item.kind == "binary"},
        severity=read_severity(truth, data.cases),
    )
    here = {"study": study, "arm": arm, "seed": seed}
    placed: list[dict[str, Any]] = []
    try:
        scaled = fit_scaler(data.values[cases.train]).apply(data.values)
        missing = ""
    except UndefinedAxis as undefined:
        scaled, missing = np.zeros((len(data.values), 1)), str(undefined)
    measured = list(_space(cases, scaled, geometry))
    for kind in geometry.axes:
        axis, reason = None, missing
        if not missing:
            try:
                axis = fit_axis(kind, scaled[cases.train], cases.grade[cases.train], len(level.classes) - 1)
            except UndefinedAxis as undefined:
                reason = str(undefined)
        if axis is None:
            _log.warning("arm %s, seed %d has no axis '%s': %s", arm, seed, kind, reason)
        else:
            placed += [here | row for row in _placements(kind, axis, scaled, cases)]
        measured += _along(kind, axis, f"no axis: {reason}", cases, scaled, geometry)
    AXIS.write(out_axis, placed)
    GEOMETRY.write(out_measures, [here | row for row in measured])


def _rows(keys: dict[str, str], chosen: Flags, cases: Cases, estimates: dict[str, Estimate]) -> Iterator[dict[str, Any]]:
    counts = {"cases": int(chosen.sum()), "subjects": len(set(cases.subjects[chosen]))}
    for measure, one in estimates.items():
        yield keys | counts | {"measure": measure, "estimate": one.value, "low": one.low, "high": one.high, "note": one.note}


def _space(cases: Cases, scaled: Floats, geometry: Geometry) -> Iterator[dict[str, Any]]:
    """Measures of the whole embedding, standardised by the training cases."""
    for cohort, chosen in cases.tests().items():
        ratio = participation_ratio(scaled[chosen], cases.subjects[chosen], confidence=geometry.confidence)
        keys = {"axis": "space", "against": "", "cohort": cohort, "split": "test"}
        yield from _rows(keys, chosen, cases, {"participation_ratio": ratio})


def _along(kind: str, axis: Axis | None, reason: str, cases: Cases, scaled: Floats, geometry: Geometry) -> Iterator[dict[str, Any]]:
    """Measures along one axis; without an axis, the same rows with no estimate and the reason."""
    position = np.zeros(len(scaled)) if axis is None else axis.positions(scaled)
    direction = np.zeros(scaled.shape[1]) if axis is None else axis.direction
    train = cases.train
    cohorts = "+".join(sorted(cases.frame.loc[train, "cohort"].unique()))
    share = variance_measures(scaled[train], direction).compute(np.ones((1, int(train.sum()))))["explained_variance"][0]
    fitted = Estimate(float(share), None, None, None, "of the cases that the axis was fitted on")
    keys = {"axis": kind, "against": "", "cohort": cohorts, "split": "train"}
    yield from _rows(keys, train, cases, {"explained_variance": _undefined(reason) if axis is None else fitted})
    for cohort, test in cases.tests().items():
        for against, chosen, family in _families(position, direction, scaled, cases, test):
            if axis is None:
                estimates = {name: _undefined(reason) for name in family.compute(np.ones((1, int(chosen.sum()))))}
            else:
                draw = int(digest([geometry.seed, cohort]), 16)  # the same resamples for every arm and seed
                settings = {"resamples": geometry.resamples, "seed": draw}
                estimates = evaluate(family, cases.subjects[chosen], confidence=geometry.confidence, **settings)
            if "centroid_order" in estimates:  # 0 or 1 in one sample: what is told is the share of resamples in full order
                order = estimates.pop("centroid_order")
                estimates["centroid_order_share"] = Estimate(order.mean, None, None, None, order.note)
            yield from _rows({"axis": kind, "against": against, "cohort": cohort, "split": "test"}, chosen, cases, estimates)


def _families(position: Floats, direction: Floats, scaled: Floats, cases: Cases, test: Flags) -> Iterator[tuple[str, Flags, Measures]]:
    """What the position is held against, on which of the test cases, and the measures."""
    yield "", test, variance_measures(scaled[test], direction)
    graded = test & np.isfinite(cases.grade)
    classes = range(len(cases.level.classes))
    yield cases.level.name, graded, grade_measures(position[graded], cases.grade[graded].astype(np.int64), classes)
    for name, label in cases.binary.items():
        known = test & np.isfinite(label)
        flip = _slope_is_negative(position[cases.train], label[cases.train])
        yield name, known, binary_measures(position[known], label[known] > 0, flip=flip)
    true = test & np.isfinite(cases.severity)
    if true.any():
        yield "latent_severity", true, correlation_measures(position[true], cases.severity[true])


def _undefined(reason: str) -> Estimate:
    return Estimate(None, None, None, None, f"undefined: {reason}")


def _slope_is_negative(position: Floats, label: Floats) -> bool:
    """Sign of a one-dimensional logistic slope: the likelihood is concave, so it is the sign of the covariance (gradient at slope zero)."""
    known = np.isfinite(label)
    if not known.any():
        return False
    return bool(((label[known] - label[known].mean()) * position[known]).sum() < 0)


def _placements(kind: str, axis: Axis, scaled: Floats, cases: Cases) -> Iterator[dict[str, Any]]:
    position, across = axis.positions(scaled), axis.across(scaled)
    for index, case in enumerate(cases.frame.to_dict("records")):
        grade = None if np.isnan(cases.grade[index]) else int(cases.grade[index])
        where = {"position": float(position[index]), "across": float(across[index]), "grade": grade}
        yield {"axis": kind, **{str(key): value for key, value in case.items()}, **where}

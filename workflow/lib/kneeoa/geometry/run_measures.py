"""The geometry stage: fit a run's severity axes, place every case on them and measure the held-out
cases; the same for baselines.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import norm

from kneeoa.atomic_io import digest
from kneeoa.config.analysis import Geometry
from kneeoa.config.hierarchy import Level
from kneeoa.geometry.axis import Axis, UndefinedAxis, fit_axis, fit_scaler
from kneeoa.geometry.cases import Cases, CaseTables, Flags, ordinal_level, read_cases, read_embeddings
from kneeoa.geometry.estimates import Floats, IntervalEstimate, MeasureFamily, evaluate
from kneeoa.geometry.held_out_measures import axis_measures, participation_ratio, probe_measures, variance_measures
from kneeoa.geometry.permutation import permutation_null
from kneeoa.tables.geometry import AXIS, GEOMETRY

_log = logging.getLogger(__name__)

Rows = list[dict[str, Any]]


def measure_run(
    *,
    study: str,
    arm: str,
    seed: int,
    embeddings: Path,
    sources: CaseTables,
    levels: tuple[Level, ...],
    geometry: Geometry,
    out_axis: Path,
    out_measures: Path,
) -> None:
    """Fit the axes on the training cases of one run, place all cases on them and measure the test
    cases of each cohort.

    Args:
        study: name of the study, copied to the rows.
        arm: name of the arm, copied to the rows.
        seed: seed of the run, copied to the rows.
        embeddings: the run's embeddings table, all splits.
        sources: the tables that embeddings are compared with.
        levels: the hierarchy, coarse to fine.
        geometry: which axes, which level, how many resamples.
        out_axis: AXIS table to write; it has no rows for an axis that is undefined.
        out_measures: GEOMETRY table to write; an undefined measure has no estimate, and its note
            says why.

    Raises:
        KneeoaError: a table is not what it should be, or the hierarchy has no ordinal level.
    """
    run = {"study": study, "arm": arm, "seed": seed}
    positions, measured = measure_embeddings(embeddings, sources, levels, geometry, f"arm {arm}, seed {seed}")
    AXIS.write(out_axis, [run | row for row in positions])
    GEOMETRY.write(out_measures, [run | row for row in measured])


def measure_embeddings(
    embeddings: Path, sources: CaseTables, levels: tuple[Level, ...], geometry: Geometry, what: str, *, common_scale: bool = False
) -> tuple[Rows, Rows]:
    """Rows of AXIS and of GEOMETRY for one table of embeddings, without study, arm and seed;
    ``what`` names the table in the log.

    ``common_scale`` keeps the components' relative spread
    (:func:`kneeoa.geometry.axis.fit_scaler`).

    Raises:
        KneeoaError: a table is not what it should be, or the hierarchy has no ordinal level.
    """
    level = ordinal_level(levels, geometry.level)
    data = read_embeddings(embeddings)
    cases = read_cases(data, sources, levels, level)
    positions: Rows = []
    try:
        scaled = fit_scaler(data.values[cases.train], common=common_scale).apply(data.values)
        missing = ""
    except UndefinedAxis as undefined:
        scaled, missing = np.zeros((len(data.values), 1)), str(undefined)
    measured = list(_space_rows(cases, scaled, geometry))
    for kind in geometry.axes:
        axis, reason = None, missing
        if not missing:
            try:
                train = cases.train
                axis = fit_axis(kind, scaled[train], cases.grade[train], len(level.classes) - 1, cases.subjects[train])
            except UndefinedAxis as undefined:
                reason = str(undefined)
        if axis is None:
            _log.warning("%s has no axis '%s': %s", what, kind, reason)
        else:
            positions += _position_rows(kind, axis, scaled, cases)
        measured += _axis_rows(kind, axis, f"no axis: {reason}", cases, scaled, geometry)
    return positions, measured


def _rows(keys: dict[str, str], chosen: Flags, cases: Cases, estimates: dict[str, IntervalEstimate]) -> Iterator[dict[str, Any]]:
    counts = {"cases": int(chosen.sum()), "subjects": len(set(cases.subjects[chosen]))}
    for name, estimate in estimates.items():
        columns = {"estimate": estimate.value, "low": estimate.low, "high": estimate.high, "note": estimate.note}
        yield keys | counts | {"measure": name} | columns


def _estimates(family: MeasureFamily, chosen: Flags, cases: Cases, cohort: str, geometry: Geometry) -> dict[str, IntervalEstimate]:
    settings = {"resamples": geometry.resamples, "seed": resampling_seed(geometry, cohort)}
    return evaluate(family, cases.subjects[chosen], confidence=geometry.confidence, **settings)


def resampling_seed(geometry: Geometry, cohort: str) -> int:
    """Return the seed of a cohort's resamples, the same for every arm and seed, so that runs are
    paired.
    """
    return int(digest([geometry.seed, cohort]), 16)


def _space_rows(cases: Cases, scaled: Floats, geometry: Geometry) -> Iterator[dict[str, Any]]:
    """Measures of the whole embedding, standardised by the training cases: participation ratio and
    probes of the labels.
    """
    for cohort, test in cases.test_cases().items():
        keys = {"axis": "space", "cohort": cohort, "split": "test"}
        ratio = participation_ratio(scaled[test], cases.subjects[test], confidence=geometry.confidence)
        yield from _rows(keys | {"against": ""}, test, cases, {"participation_ratio": ratio})
        if scaled[cases.train].any():
            for against, labelled, family in probe_measures(scaled, cases, test, geometry.seed):
                yield from _rows(keys | {"against": against}, labelled, cases, _estimates(family, labelled, cases, cohort, geometry))


def _axis_rows(kind: str, axis: Axis | None, reason: str, cases: Cases, scaled: Floats, geometry: Geometry) -> Iterator[dict[str, Any]]:
    """Measures along one axis; without an axis, the same rows with no estimate and the reason."""
    position = np.zeros(len(scaled)) if axis is None else axis.positions(scaled)
    direction = np.zeros(scaled.shape[1]) if axis is None else axis.direction
    train = cases.train
    cohorts = "+".join(sorted(cases.frame.loc[train, "cohort"].unique()))
    share = variance_measures(scaled[train], direction).compute(np.ones((1, int(train.sum()))))["explained_variance"][0]
    fitted = IntervalEstimate(float(share), None, None, None, "of the cases that the axis was fitted on")
    keys = {"axis": kind, "against": "", "cohort": cohorts, "split": "train"}
    yield from _rows(keys, train, cases, {"explained_variance": _undefined(reason) if axis is None else fitted})
    for cohort, test in cases.test_cases().items():
        for against, chosen, family in axis_measures(position, direction, scaled, cases, test):
            if axis is None:
                estimates = {name: _undefined(reason) for name in family.compute(np.ones((1, int(chosen.sum()))))}
            else:
                estimates = _estimates(family, chosen, cases, cohort, geometry)
            if "centroid_order" in estimates:  # 0 or 1 in one sample: reported is the share of resamples in full order
                order = estimates.pop("centroid_order")
                estimates["centroid_order_share"] = IntervalEstimate(order.mean, None, None, None, order.note)
            if "jonckheere_terpstra_z" in estimates:
                estimates["jonckheere_terpstra_p"] = _p_of(estimates["jonckheere_terpstra_z"])
            yield from _rows({"axis": kind, "against": against, "cohort": cohort, "split": "test"}, chosen, cases, estimates)
        if axis is not None and geometry.permutations:
            yield from _null_rows(kind, cohort, cases, scaled, test, geometry)


def _null_rows(kind: str, cohort: str, cases: Cases, scaled: Floats, test: Flags, geometry: Geometry) -> Iterator[dict[str, Any]]:
    train, graded = cases.train & np.isfinite(cases.grade), test & np.isfinite(cases.grade)
    null = permutation_null(
        kind,
        *(scaled[train], cases.grade[train], cases.subjects[train]),
        *(scaled[graded], cases.grade[graded], cases.subjects[graded]),
        top=len(cases.level.classes) - 1,
        permutations=geometry.permutations,
        seed=int(digest([geometry.seed, cohort, "permutations"]), 16),
    )
    keys = {"axis": kind, "against": cases.level.name, "cohort": cohort, "split": "test"}
    if null is None:
        undefined = _undefined("the positions or the grades do not vary")
        yield from _rows(keys, graded, cases, {"spearman_null": undefined, "permutation_p": undefined})
        return
    tail = (1 - geometry.confidence) / 2
    low, high = np.quantile(null.null, [tail, 1 - tail])
    note = f"{null.null.size} permutations of the grades between subjects"
    spread = IntervalEstimate(float(null.null.mean()), float(low), float(high), None, f"{note}; mean and quantiles of the null")
    yield from _rows(
        keys, graded, cases, {"spearman_null": spread, "permutation_p": IntervalEstimate(null.p, None, None, None, f"{note}; one-sided")}
    )


def _p_of(z: IntervalEstimate) -> IntervalEstimate:
    if z.value is None:
        return z
    return IntervalEstimate(float(2 * norm.sf(abs(z.value))), None, None, None, "two-sided, asymptotic; takes cases as independent")


def _undefined(reason: str) -> IntervalEstimate:
    return IntervalEstimate(None, None, None, None, f"undefined: {reason}")


def _position_rows(kind: str, axis: Axis, scaled: Floats, cases: Cases) -> Iterator[dict[str, Any]]:
    position, across = axis.positions(scaled), axis.across(scaled)
    for index, case in enumerate(cases.frame.to_dict("records")):
        grade = None if np.isnan(cases.grade[index]) else int(cases.grade[index])
        place = {"position": float(position[index]), "across": float(across[index]), "grade": grade}
        yield {"axis": kind, **{str(key): value for key, value in case.items()}, **place}


def measure_baselines(
    networks: Sequence[Path],
    images: Sequence[Path],
    sources: CaseTables,
    levels: tuple[Level, ...],
    geometry: Geometry,
    study: str,
    out: Path,
) -> None:
    """Write one GEOMETRY table of all baselines, with the arm and seed that their embeddings have.

    Measures against masks are left out: baselines may be of several views.

    Args:
        networks: EMBEDDINGS tables of untrained networks, standardised by component as the runs'.
        images: EMBEDDINGS tables of principal components of images, which keep their relative
            spread.
        sources: the tables that embeddings are compared with.
        levels: the hierarchy.
        geometry: as for the runs.
        study: name of the study, copied to the rows.
        out: table to write.

    Raises:
        KneeoaError: a table is not what it should be, or the hierarchy has no ordinal level.
    """
    rows: list[dict[str, Any]] = []
    for path in (*networks, *images):
        _, measured = measure_embeddings(path, sources, levels, geometry, path.stem, common_scale=path in images)
        first = pq.read_table(path, columns=["arm", "seed"]).slice(0, 1).to_pylist()[0]
        rows += [{"study": study, "arm": first["arm"], "seed": first["seed"]} | row for row in measured]
    GEOMETRY.write(out, rows)

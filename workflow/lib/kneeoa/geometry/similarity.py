"""The similarity stage: compare how the runs of a study represent the test cases, between seeds,
modes and backbones.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.stats import norm

from kneeoa.config.factors import TRAINING
from kneeoa.errors import KneeoaError
from kneeoa.geometry.cases import read_embeddings
from kneeoa.geometry.estimates import Floats
from kneeoa.geometry.similarity_measures import (
    COMPONENTS,
    LEAST_CASES,
    distance_influence,
    principal_coordinates,
    procrustes_distances,
    unbiased_cka,
)
from kneeoa.tables.geometry import SIMILARITY

_log = logging.getLogger(__name__)

Single = NDArray[np.float32]


@dataclass(frozen=True)
class _Run:
    arm: str
    seed: int
    cases: pd.DataFrame
    values: Single


def compare_runs(
    embeddings: Sequence[Path],
    arms: Mapping[str, Mapping[str, Any]],
    study: str,
    confidence: float,
    out: Path,
    varied: Sequence[str] = ("mode",),
) -> None:
    """Write SIMILARITY: unbiased linear CKA and Procrustes distance of every pair of runs on each
    cohort's test cases.

    Rows of kind ``runs`` are the matrix (each pair once, a run with itself included). Means over
    pairs of different runs of one arm (``seeds``) and over the runs of two arms that differ in one
    factor alone (``arms``) carry normal intervals over subjects. Runs are compared on the test
    cases that all of them have; raw embeddings are used, since both measures ignore place, scale
    and rotation.

    Args:
        embeddings: EMBEDDINGS tables of all runs.
        arms: the arms table, in the order of the rows.
        study: name of the study, copied to the rows.
        confidence: of the two-sided intervals.
        out: table to write.
        varied: the factor in which two arms may differ, then those that follow it.

    Raises:
        KneeoaError: a table is not one of embeddings, or a run is not in the arms table.
    """
    runs = sorted((_read(path, arms) for path in embeddings), key=lambda run: (list(arms).index(run.arm), run.seed))
    rows: list[dict[str, Any]] = []
    for cohort in sorted({name for run in runs for name in run.cases["cohort"].unique()}):
        cohort_runs = [run for run in runs if (run.cases["cohort"] == cohort).any()]
        shared = reduce(
            np.intersect1d, [run.cases.loc[run.cases["cohort"] == cohort, "case_id"].to_numpy(dtype=str) for run in cohort_runs]
        )
        rows += [{"study": study, "cohort": cohort} | row for row in _cohort(cohort_runs, cohort, shared, arms, confidence, varied)]
        _log.info("cohort %s: %d runs compared on %d test cases", cohort, len(cohort_runs), len(shared))
    SIMILARITY.write(out, rows)


def _read(path: Path, arms: Mapping[str, Mapping[str, Any]]) -> _Run:
    data = read_embeddings(path)
    first = pq.read_table(path, columns=["arm", "seed"]).slice(0, 1).to_pylist()[0]
    if first["arm"] not in arms:
        raise KneeoaError(f"{path}: is of an arm '{first['arm']}', which the study does not have; run the prediction again.")
    test = (data.cases["split"] == "test").to_numpy()
    return _Run(str(first["arm"]), int(first["seed"]), data.cases[test].reset_index(drop=True), data.values[test].astype(np.float32))


def _cohort(
    runs: Sequence[_Run],
    cohort: str,
    shared: NDArray[np.str_],
    arms: Mapping[str, Mapping[str, Any]],
    confidence: float,
    varied: Sequence[str],
) -> Iterator[dict[str, Any]]:
    values, subjects = [], np.zeros(0, dtype=str)
    for run in runs:
        chosen = ((run.cases["cohort"] == cohort) & run.cases["case_id"].isin(shared)).to_numpy()
        values.append(run.values[chosen])  # sorted by case: the same order in every run
        subjects = run.cases.loc[chosen, "subject"].to_numpy(dtype=str)
    counts = {"cases": len(shared), "subjects": len(set(subjects))}
    too_few = f"undefined: fewer than {LEAST_CASES} test cases" if len(shared) < LEAST_CASES else ""
    names = list(dict.fromkeys(run.arm for run in runs))
    groups = np.array([names.index(run.arm) for run in runs])
    undefined = np.full((len(runs), len(runs)), np.nan)
    cka = None if too_few else unbiased_cka(values, groups, subjects)
    parts = [] if too_few else [principal_coordinates(embedding) for embedding in values]
    matrices = {"cka": undefined if cka is None else cka.runs, "procrustes": undefined if too_few else procrustes_distances(parts)}
    notes = {"cka": too_few, "procrustes": too_few or f"in the first {COMPONENTS} principal coordinates"}
    no_variance = too_few or "undefined: a representation does not vary"
    for measure, matrix in matrices.items():
        for a, b in zip(*(index.tolist() for index in np.tril_indices(len(runs))), strict=True):
            ends = {
                "arm_a": runs[a].arm,
                "seed_a": runs[a].seed,
                "arm_b": runs[b].arm,
                "seed_b": runs[b].seed,
                "kind": "runs",
                "factor": None,
            }
            defined = bool(np.isfinite(matrix[a, b]))
            value = float(matrix[a, b]) if defined else None
            interval = {"pairs": 1, "low": None, "high": None, "note": notes[measure] if defined else no_variance}
            yield counts | ends | interval | {"measure": measure, "estimate": value}
    if too_few:
        return
    half = float(norm.ppf((1 + confidence) / 2))
    for a, b in zip(*(index.tolist() for index in np.tril_indices(len(names))), strict=True):
        if not _differ_in_one_factor(arms[names[a]], arms[names[b]], varied):
            continue
        left, right = np.flatnonzero(groups == a).tolist(), np.flatnonzero(groups == b).tolist()
        pairs = [(i, j) for i in left for j in right if (i > j if a == b else True)]
        if not pairs:
            continue
        ends = {
            "arm_a": names[a],
            "seed_a": None,
            "arm_b": names[b],
            "seed_b": None,
            "kind": "seeds" if a == b else "arms",
            "factor": None if a == b else varied[0],
            "pairs": len(pairs),
        }
        assert cka is not None
        means = {"cka": (cka.means[a, b], cka.errors[a, b])}
        means["procrustes"] = (np.mean([matrices["procrustes"][i, j] for i, j in pairs]), _error(parts, pairs, subjects))
        for measure, (mean, error) in means.items():
            defined = bool(np.isfinite(mean))
            bounds = (float(mean - half * error), float(mean + half * error)) if defined and np.isfinite(error) else (None, None)
            row = {"measure": measure, "estimate": float(mean) if defined else None, "low": bounds[0], "high": bounds[1]}
            yield counts | ends | row | {"note": "jackknife interval over subjects" if defined else no_variance}


def _differ_in_one_factor(one: Mapping[str, Any], other: Mapping[str, Any], varied: Sequence[str]) -> bool:
    """Whether two arms share every factor but those that vary; an arm and itself do."""
    settings = {TRAINING} if any(key.startswith(f"{TRAINING}.") for key in {*one, *other}) else set()
    return all(one.get(key) == other.get(key) for key in {*one, *other} - {*varied} - settings)


def _error(parts: Sequence[Floats], pairs: Sequence[tuple[int, int]], subjects: NDArray[np.str_]) -> float:
    """Standard error over subjects of the mean distance of ``pairs`` (infinitesimal jackknife)."""
    _, code = np.unique(subjects, return_inverse=True)
    subject_count = int(code.max()) + 1
    if subject_count < 2:
        return float("nan")
    case_influence = np.mean([distance_influence(parts[i], parts[j]) for i, j in pairs], axis=0)
    clusters = np.bincount(code, weights=case_influence)
    return float(np.sqrt((clusters**2).sum() * subject_count / (subject_count - 1)) / len(subjects))

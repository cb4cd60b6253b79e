"""The sanity stage: do maps change with the weights, and do they agree between seeds?

Adebayo et al. 2018 (randomised weights) and Arun et al. 2021 (repeatability). Maps are compared by the part that speaks for the score.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.anatomy.agreement import ranked, spearman, ssim
from kneeoa.anatomy.masks import Masks
from kneeoa.anatomy.measure import Anatomies, subjects_of
from kneeoa.anatomy.nulls import moved, spectrum
from kneeoa.anatomy.subjects import counted, estimated, per_case, subject_means
from kneeoa.config.analysis import Anatomy, Statistics
from kneeoa.saliency.storage import reading, unpack
from kneeoa.tables.saliency import SALIENCY
from kneeoa.tables.sanity import SANITY

_log = logging.getLogger(__name__)

TRAINED = "trained"
Files = Sequence[tuple[Path, Path]]
"""Maps and their SALIENCY table."""


def check(
    *,
    maps: Files,
    randomised: Files,
    mask_arrays: list[Path],
    mask_indices: list[Path],
    splits: list[Path],
    tissues: dict[str, dict[str, tuple[int, ...]]],
    spacings: dict[str, tuple[float, ...]],
    anatomy: Anatomy,
    statistics: Statistics,
    out: Path,
) -> None:
    """Check the maps of every run.

    Args:
        maps: every run's maps, of every method.
        randomised: the maps with randomised weights, of the same runs and methods or none.
        mask_arrays: arrays of masks of all cohorts that have any.
        mask_indices: the MASKS table of each array.
        splits: SPLITS tables.
        tissues: cohort -> its tissues.
        spacings: view -> millimetres of a voxel of its masks.
        anatomy: the groups of tissues (enrichment is of the first) and the shift null.
        statistics: resamples, confidence and seed.
        out: SANITY table to write.

    Raises:
        KneeoaError: a file is not what it should be, or a case is in no split.
    """
    masks = Masks(mask_arrays, mask_indices)
    trained: dict[tuple[str, str], list[_Maps]] = {}
    for array, index in maps:
        for own in _Maps.read(array, index, splits):
            trained.setdefault((own.arm, own.method), []).append(own)
    rows: list[dict[str, Any]] = []
    for (arm, method), runs in sorted(trained.items()):
        for first, second in combinations(runs, 2):
            rows += [{"arm": arm, "method": method} | row for row in _repeated(first, second)]
    by_run = {(own.arm, own.method, own.seed): own for runs in trained.values() for own in runs}
    for array, index in randomised:
        for other in _Maps.read(array, index, splits):
            own = by_run[other.arm, other.method, other.seed]
            known = Anatomies(masks, tissues, spacings.get(other.view, ()), anatomy)
            rows += [{"arm": other.arm, "method": other.method} | row for row in _changed(own, other, known)]
    study = next((own.study for runs in trained.values() for own in runs), "")
    SANITY.write(out, [{"study": study} | row for row in _summed(rows, statistics)])


class _Maps:
    """One run's maps, read one at a time."""

    def __init__(self, array: Path, index: pd.DataFrame, subjects: dict[tuple[str, str], str]) -> None:
        self._stored = reading(array, len(index))
        self.rows = {(row["cohort"], row["case_id"], row["weights"]): row for row in index.to_dict("records")}
        self.subjects = subjects
        first = index.iloc[0]
        self.study, self.arm, self.method, self.view = (str(first[name]) for name in ("study", "arm", "method", "view"))
        self.seed = int(first["seed"])
        self.shape = self._stored.shape[2:]

    @classmethod
    def read(cls, array: Path, index: Path, splits: Sequence[Path]) -> Iterator[_Maps]:
        """The run's maps; nothing for a run that explained no case."""
        table = SALIENCY.read(index)
        if len(table):
            yield cls(array, table, subjects_of(table, splits, index))

    def map(self, key: tuple[str, str, str]) -> Any:
        """The part that speaks for the score, ``[*shape]``."""
        row = self.rows[key]
        return unpack(self._stored[row["row"], 0], row["scale"])


def _repeated(first: _Maps, second: _Maps) -> Iterator[dict[str, Any]]:
    """Of each case: the rank correlation of its maps by two seeds, and of its map by the one with other subjects' by the other."""
    for cohort in sorted({key[0] for key in first.rows}):
        cases = sorted(key for key in first.rows if key in second.rows and key[0] == cohort)
        if not cases:
            continue
        left, right = (np.stack([ranked(own.map(key)) for key in cases]) for own in (first, second))
        agreement = left @ right.T
        subject = np.array([first.subjects[key[:2]] for key in cases])
        for place, key in enumerate(cases):
            others = agreement[place, subject != subject[place]]
            others = others[np.isfinite(others)]
            row = {"check": "repeatability", "cohort": cohort, "case_id": key[1], "subject": subject[place], "weights": TRAINED}
            row |= {"seed": second.seed, "tissue": "", "measure": "spearman", "value": agreement[place, place], "null_mean": np.nan}
            yield row | {"reference": others.mean() if others.size else np.nan}


def _changed(own: _Maps, other: _Maps, known: Anatomies) -> Iterator[dict[str, Any]]:
    """Of each case and depth: how alike the randomised and the trained map are, and how much each lies in the first group of tissues."""
    group = next(iter(known.anatomy.targets), None)
    for cohort, case_id, weights in other.rows:
        if (cohort, case_id, TRAINED) not in own.rows:
            continue
        before, after = own.map((cohort, case_id, TRAINED)), other.map((cohort, case_id, weights))
        row = {"check": "randomised", "cohort": cohort, "case_id": case_id, "subject": own.subjects[cohort, case_id], "weights": weights}
        row |= {"seed": other.seed, "tissue": "", "reference": np.nan, "null_mean": np.nan}
        yield row | {"measure": "spearman", "value": spearman(before, after)}
        yield row | {"measure": "ssim", "value": ssim(before, after)}
        found = known.of(cohort, case_id, other.view, other.shape) if group is not None else None
        tissue = found[0][group] if found is not None and group is not None else None
        if tissue is not None:
            shifts = known.shifts(cohort, case_id, other.shape)
            enriched = [_enrichment(one, tissue.share, shifts) for one in (after, before)]
            row |= {"tissue": group, "measure": "enrichment", "value": enriched[0][0], "null_mean": enriched[0][1]}
            yield row | {"reference": enriched[1][0]}


def _enrichment(saliency: Any, share: Any, shifts: Any) -> tuple[float, float]:
    """Enrichment of a map on a tissue, and its mean under the shift null; NaN for a zero map."""
    if not saliency.any():
        return np.nan, np.nan
    mass = saliency / saliency.sum()
    every = moved(spectrum(mass), spectrum(share), saliency.shape).ravel()
    return float(np.vdot(mass, share) / share.mean()), float(every[shifts].mean() / share.mean())


def _summed(rows: list[dict[str, Any]], statistics: Statistics) -> Iterator[dict[str, Any]]:
    if not rows:
        return
    columns = ["weights", "tissue", "measure"]
    table = pd.DataFrame(rows)
    for (check_name, arm, method, cohort), some in table.groupby(["check", "arm", "method", "cohort"], sort=True):
        value, reference, null = (per_case(some, some[name], columns) for name in ("value", "reference", "null_mean"))
        references, nulls = (cases.groupby(level="subject").mean().mean() for cases in (reference, null))
        seeds = int(some["seed"].nunique()) + (1 if check_name == "repeatability" else 0)
        for key, estimate in subject_means(value, statistics, str(cohort)).items():
            here = {"check": check_name, "arm": arm, "method": method, "cohort": cohort} | dict(zip(columns, key, strict=True))
            levels = {
                name: float(of[key]) if np.isfinite(of.get(key, np.nan)) else None
                for name, of in (("reference", references), ("null_mean", nulls))
            }
            yield here | {"tissue": key[1] or None, "seeds": seeds} | levels | counted(value[key]) | estimated(estimate)

"""The sanity stage: test whether maps change with the weights, whether their enrichment does, and
whether they agree between seeds.

Adebayo et al. 2018 (randomised weights) and Arun et al. 2021 (repeatability). Maps are compared by
the part that is evidence for the score.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.stats import rankdata

from kneeoa.anatomy.randomised_enrichment import enrichments, summarise_enrichments
from kneeoa.anatomy.run_maps import TRAINED, RunMaps
from kneeoa.anatomy.run_overlap import CohortTissues
from kneeoa.anatomy.subject_summaries import case_means, count_columns, estimate_columns, finite_or_none, subject_means
from kneeoa.anatomy.tissue_fields import MaskArrays
from kneeoa.central_crop import Taken
from kneeoa.config.analysis import Anatomy, Statistics
from kneeoa.tables.saliency import SANITY

Files = Sequence[tuple[Path, Path]]
"""Arrays of maps, each with its SALIENCY table."""

Floats = NDArray[np.float64]

_WINDOW = 7


def standardised_ranks(saliency: Floats) -> Floats:
    """Return standardised ranks ``[cells]``, whose dot product with another map's is Spearman's
    correlation; NaN for a constant map.
    """
    ranks = rankdata(saliency, axis=None)
    centred = ranks - ranks.mean()
    length = math.sqrt(float(centred @ centred))
    result: Floats = centred / length if length > 0 else np.full(centred.shape, np.nan)
    return result


def spearman(first: Floats, second: Floats) -> float:
    """Return Spearman's rank correlation of two maps, ties at their mean rank; NaN where one is
    constant.
    """
    return float(standardised_ranks(first) @ standardised_ranks(second))


def ssim(first: Floats, second: Floats) -> float:
    """Return the structural similarity (Wang et al. 2004) of two non-negative maps, each divided by
    its maximum; NaN where one is zero.

    The mean over all windows of seven cells along each axis (fewer where the map is smaller), with
    the constants 0.01 and 0.03.
    """
    if not first.any() or not second.any():
        return math.nan
    a, b = first / first.max(), second / second.max()
    size = [min(_WINDOW, length) for length in a.shape]
    cells = math.prod(size)
    mean_a, mean_b = uniform_filter(a, size), uniform_filter(b, size)
    unbiased = cells / max(cells - 1, 1)
    variance_a = unbiased * (uniform_filter(a * a, size) - mean_a**2)
    variance_b = unbiased * (uniform_filter(b * b, size) - mean_b**2)
    covariance = unbiased * (uniform_filter(a * b, size) - mean_a * mean_b)
    c1, c2 = 0.01**2, 0.03**2
    similar = (2 * mean_a * mean_b + c1) * (2 * covariance + c2) / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))
    within = tuple(slice(width // 2, length - (width - 1) // 2) for width, length in zip(size, a.shape, strict=True))
    return float(similar[within].mean())


def check_maps(
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
    taken: Mapping[str, Taken] | None = None,
) -> None:
    """Write SANITY: compare the maps of every run with those of randomised weights and of other
    seeds.

    Args:
        maps: every run's maps, of every method.
        randomised: the maps with randomised weights, of the same runs and methods or none.
        mask_arrays: arrays of masks of all cohorts that have any.
        mask_indices: the MASKS table of each array.
        splits: SPLITS tables.
        tissues: cohort -> its tissues.
        spacings: view -> millimetres of a voxel of its masks.
        anatomy: the groups of tissues and both nulls.
        statistics: resamples, confidence and seed.
        out: SANITY table to write.
        taken: by arm, the part of its images that its network takes, where that is not all; nothing
            else of a map is compared.

    Raises:
        KneeoaError: a file is not what it should be, or a case is in no split.
    """
    masks = MaskArrays(mask_arrays, mask_indices)
    trained: dict[tuple[str, str], list[RunMaps]] = {}
    for array, index in maps:
        for run in RunMaps.read(array, index, splits, taken):
            trained.setdefault((run.arm, run.method), []).append(run)
    agreements: list[dict[str, Any]] = []
    enrichment_rows: list[dict[str, Any]] = []
    for (arm, method), runs in sorted(trained.items()):
        for first, second in combinations(runs, 2):
            agreements += [{"arm": arm, "method": method} | row for row in _seed_agreement(first, second)]
    by_run = {(run.arm, run.method, run.seed): run for runs in trained.values() for run in runs}
    for array, index in randomised:
        for run in RunMaps.read(array, index, splits, taken):
            trained_run = by_run[run.arm, run.method, run.seed]
            anatomies = CohortTissues(masks, tissues, spacings.get(run.view, ()), anatomy, run.window)
            agreements += [{"arm": run.arm, "method": run.method} | row for row in _randomised_agreement(trained_run, run)]
            enrichment_rows += [{"arm": run.arm, "method": run.method} | row for row in enrichments(trained_run, run, anatomies)]
    study = next((run.study for runs in trained.values() for run in runs), "")
    rows = [*_agreement_summary(agreements, statistics), *summarise_enrichments(enrichment_rows, statistics)]
    SANITY.write(out, [{"study": study} | dict.fromkeys(_ENRICHMENT) | row for row in rows])


_ENRICHMENT = ("null_mean", "null_p", "others_mean", "others_p", "difference", "difference_low", "difference_high", "p", "reference")


def _seed_agreement(first: RunMaps, second: RunMaps) -> Iterator[dict[str, Any]]:
    """Rank correlation of each case's maps by two seeds, and of its map by one seed with other
    subjects' maps by the other.
    """
    for cohort in sorted({key[0] for key in first.rows}):
        cases = sorted(key for key in first.rows if key in second.rows and key[0] == cohort)
        if not cases:
            continue
        left, right = (np.stack([standardised_ranks(run.positive_part(key)) for key in cases]) for run in (first, second))
        agreement = left @ right.T
        subject = np.array([first.subjects[key[:2]] for key in cases])
        for place, key in enumerate(cases):
            others = agreement[place, subject != subject[place]]
            others = others[np.isfinite(others)]
            row = {"check": "repeatability", "cohort": cohort, "case_id": key[1], "subject": subject[place], "weights": TRAINED}
            row |= {"seed": second.seed, "measure": "spearman", "value": agreement[place, place]}
            yield row | {"reference": others.mean() if others.size else np.nan}


def _randomised_agreement(trained: RunMaps, randomised: RunMaps) -> Iterator[dict[str, Any]]:
    """Rank correlation and structural similarity of the trained and the randomised map of each case
    and depth.
    """
    for cohort, case_id, weights in randomised.rows:
        if (cohort, case_id, TRAINED) not in trained.rows:
            continue
        before, after = trained.positive_part((cohort, case_id, TRAINED)), randomised.positive_part((cohort, case_id, weights))
        row = {
            "check": "randomised",
            "cohort": cohort,
            "case_id": case_id,
            "subject": trained.subjects[cohort, case_id],
            "weights": weights,
        }
        row |= {"seed": randomised.seed, "reference": np.nan}
        yield row | {"measure": "spearman", "value": spearman(before, after)}
        yield row | {"measure": "ssim", "value": ssim(before, after)}


def _agreement_summary(rows: list[dict[str, Any]], statistics: Statistics) -> Iterator[dict[str, Any]]:
    if not rows:
        return
    columns = ["weights", "measure"]
    table = pd.DataFrame(rows)
    for (check_name, arm, method, cohort), group in table.groupby(["check", "arm", "method", "cohort"], sort=True):
        value, reference = (case_means(group, group[name], columns) for name in ("value", "reference"))
        references = reference.groupby(level="subject").mean().mean()
        seeds = int(group["seed"].nunique()) + (1 if check_name == "repeatability" else 0)
        for key, estimate in subject_means(value, statistics, str(cohort)).items():
            keys = {"check": check_name, "arm": arm, "method": method, "cohort": cohort} | dict(zip(columns, key, strict=True))
            keys |= {"tissue": None, "seeds": seeds, "reference": finite_or_none(references.get(key))}
            yield keys | count_columns(value[key]) | estimate_columns(estimate)

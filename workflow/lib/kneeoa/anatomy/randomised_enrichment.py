"""Compare the enrichment of a tissue in the maps of a trained network with that in maps of the same
cases by randomised weights.

A trained network's maps may lie in a tissue beyond the nulls without training being the reason.
Random weights do not make a blank map: gradient x input contains the input, so that bright tissue
stands out with any weights, and even a plain gradient follows the image, since rectifiers and
pooling pass it where features respond (a map may act as an edge detector: Adebayo et al. 2018).
Such maps are therefore often enriched against the shift null; the effect of training is the paired
difference, trained minus randomised. The measure to look at is ``absolute_enrichment``: the sign
that a random network gives a tissue is arbitrary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.anatomy.nulls import OtherSubjects, fourier_transform, shifted_hits
from kneeoa.anatomy.overlap_measures import ABSOLUTE
from kneeoa.anatomy.run_maps import TRAINED, RunMaps
from kneeoa.anatomy.run_overlap import CohortTissues
from kneeoa.anatomy.subject_summaries import (
    case_means,
    compare_paired,
    count_columns,
    estimate_columns,
    finite_or_none,
    subject_means,
    subject_values,
)
from kneeoa.anatomy.tissue_fields import TissueFields
from kneeoa.config.analysis import Statistics

Floats = NDArray[np.float64]

_MASSES = ("mass", ABSOLUTE + "mass")
_COLUMNS = ["weights", "tissue", "measure"]


def enrichments(trained: RunMaps, randomised: RunMaps, anatomies: CohortTissues) -> Iterator[dict[str, Any]]:
    """Yield the enrichment and its means under both nulls, of each case that has a mask, for all
    weights and tissues.

    Args:
        trained: maps by trained weights.
        randomised: maps of some of the same cases by randomised weights, of one or more depths.
            Other subjects' maps are of these cases too.
        anatomies: the tissues.

    Yields:
        Rows with weights, cohort, case_id, subject, seed, tissue, measure, value, null_mean and
        others_mean; NaN where undefined.
    """
    cases = sorted({key[:2] for key in randomised.rows if (*key[:2], TRAINED) in trained.rows})
    depths = list(dict.fromkeys(key[2] for key in randomised.rows))
    for cohort in dict.fromkeys(key[0] for key in cases):
        names = [case_id for place, case_id in cases if place == cohort]
        for weights, source in [(TRAINED, trained), *((depth, randomised) for depth in depths)]:
            masses_by_case = {case_id: _masses(source.signed_parts((cohort, case_id, weights))) for case_id in names}
            pool = OtherSubjects([(trained.subjects[cohort, case_id], mass) for case_id, mass in masses_by_case.items()], _MASSES)
            keys = {"cohort": cohort, "weights": weights, "seed": randomised.seed}
            for case_id, masses in masses_by_case.items():
                tissues = anatomies.tissues_of_case(cohort, case_id, randomised.view, randomised.grid)
                if tissues is None:
                    continue
                subject = trained.subjects[cohort, case_id]
                shifts = anatomies.null_shifts(cohort, case_id, randomised.shape)
                case = keys | {"case_id": case_id, "subject": subject}
                yield from (case | row for row in _of_case(masses, tissues[0], shifts, pool, subject))


def _masses(signs: Floats) -> dict[str, Floats]:
    """Share of each cell in the evidence for the score, and in both signs together; a part that is
    zero everywhere is left out.
    """
    parts = zip(_MASSES, (signs[0], signs.sum(axis=0)), strict=True)
    return {name: part / part.sum() for name, part in parts if part.any()}


def _of_case(
    masses: Mapping[str, Floats], tissues: Mapping[str, TissueFields | None], shifts: NDArray[np.int64], pool: OtherSubjects, subject: str
) -> Iterator[dict[str, Any]]:
    shares = {name: one.share for name, one in tissues.items() if one is not None}
    others = pool.hits(subject, shares) if shares else {}
    spectra = {name: fourier_transform(mass) for name, mass in masses.items()}
    for tissue, share in shares.items():
        part = fourier_transform(share)
        fraction = float(share.mean())
        for mass in _MASSES:
            row = {"tissue": tissue, "measure": mass.replace("mass", "enrichment")}
            if mass not in masses:
                yield row | dict.fromkeys(("value", "null_mean", "others_mean"), np.nan)
                continue
            hits = {"value": float(np.vdot(masses[mass], share))}
            hits["null_mean"] = float(shifted_hits(spectra[mass], part, share.shape).ravel()[shifts].mean())
            other_hits = others.get((mass, tissue), np.zeros(0))
            other_hits = other_hits[np.isfinite(other_hits)]
            hits["others_mean"] = float(other_hits.mean()) if other_hits.size else np.nan
            yield row | {name: hit / fraction for name, hit in hits.items()}


def summarise_enrichments(rows: list[dict[str, Any]], statistics: Statistics) -> Iterator[dict[str, Any]]:
    """Yield SANITY rows over seeds, cases and subjects; those of randomised weights with the paired
    difference, trained minus randomised.

    Args:
        rows: of :func:`enrichments` with arm and method.
        statistics: resamples, confidence and seed.
    """
    if not rows:
        return
    for (arm, method, cohort), group in pd.DataFrame(rows).groupby(["arm", "method", "cohort"], sort=True):
        value, null, others = (case_means(group, group[name], _COLUMNS) for name in ("value", "null_mean", "others_mean"))
        against = {"null": null, "others": others}
        gaps = pd.DataFrame({key: value[(TRAINED, *key[1:])] - value[key] for key in value.columns if key[0] != TRAINED})
        gaps.columns = pd.MultiIndex.from_tuples([tuple(key) for key in value.columns if key[0] != TRAINED], names=_COLUMNS)
        gained = subject_means(gaps, statistics, str(cohort))
        for key, estimate in subject_means(value, statistics, str(cohort)).items():
            row = {"check": "enrichment", "arm": arm, "method": method, "cohort": cohort} | dict(zip(_COLUMNS, key, strict=True))
            for name, levels in against.items():
                row[f"{name}_mean"] = finite_or_none(levels[key].groupby(level="subject").mean().mean())
                excess = subject_values(value[key] - levels[key])
                row[f"{name}_p"] = compare_paired(excess, "greater").p if excess.size else None
            notes = []
            if key in gained:
                paired = compare_paired(subject_values(gaps[key]))
                gain = gained[key]
                row |= {"difference": gain.value, "difference_low": gain.low, "difference_high": gain.high, "p": paired.p}
                notes = [note for note in (gain.note, paired.note) if note]
            yield row | {"seeds": int(group["seed"].nunique())} | count_columns(value[key]) | estimate_columns(estimate, *notes)

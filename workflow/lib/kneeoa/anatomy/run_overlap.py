"""The overlap stage: measure one run's maps against the tissues of its cases."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.anatomy.nulls import (
    SINGLE,
    OtherSubjects,
    choose_other_subjects,
    compare_with_null,
    fourier_transform,
    random_shifts,
    shifted_hits,
)
from kneeoa.anatomy.overlap_measures import REGION, SIZE, Measure, distributions, measure_names, overlap_measures, top_distribution
from kneeoa.anatomy.tissue_fields import MaskArrays, TissueFields, group_values, tissues_of, tissues_within
from kneeoa.atomic_io import digest
from kneeoa.central_crop import Taken, Window
from kneeoa.config.analysis import Anatomy
from kneeoa.errors import KneeoaError
from kneeoa.saliency.storage import open_maps, unpack
from kneeoa.tables.cohort import SPLITS
from kneeoa.tables.saliency import OVERLAP, SALIENCY

_log = logging.getLogger(__name__)

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

POOLED = tuple(dict.fromkeys(one.distribution for one in overlap_measures(cells=1, fraction=0.5) if one.distribution != SIZE))
"""Distributions that are compared with other subjects' maps: those that are the same for all
tissues and cover all cells.
"""


@dataclass(frozen=True)
class CohortTissues:
    """Masks and tissues of all cohorts, and how maps are measured against them."""

    masks: MaskArrays
    tissues: Mapping[str, Mapping[str, object]]
    """Cohort -> its tissues, whose sorted names give the mask values."""
    spacing: tuple[float, ...]
    """Millimetres of a voxel of the masks' grid."""
    anatomy: Anatomy
    window: Window | None = None
    """The part of the maps' grid that the network takes; None: all of it."""

    def tissues_of_case(
        self, cohort: str, case_id: str, view: str, shape: tuple[int, ...]
    ) -> tuple[dict[str, TissueFields | None], Booleans | None] | None:
        """Return a case's tissues and joint region on the part that the network takes of a map's
        grid ``shape``; None where it has no usable mask.
        """
        mask = self.masks.get(cohort, case_id, view)
        if mask is None:
            return None
        groups = group_values(self.tissues.get(cohort, {}), self.anatomy.targets, cohort)
        fields, region = tissues_of(mask, groups, self.anatomy, self.spacing, shape)
        return (fields, region) if self.window is None else tissues_within(fields, region, self.window)

    def null_shifts(self, cohort: str, case_id: str, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Draw the null's shifts of a case, the same for every arm, seed and method, so that their
        nulls are paired.
        """
        generator = np.random.default_rng(int(digest([self.anatomy.seed, cohort, case_id]), 16))
        return random_shifts(shape, self.anatomy.shifts, generator)


def measure_run(
    *,
    maps: Path,
    index: Path,
    mask_arrays: list[Path],
    mask_indices: list[Path],
    splits: list[Path],
    tissues: dict[str, dict[str, tuple[int, ...]]],
    spacing: tuple[float, ...],
    anatomy: Anatomy,
    out: Path,
    taken: Taken | None = None,
) -> None:
    """Measure where one run's maps lie. Cases without a usable mask are left out: the masks'
    exclusions say why.

    98 maps of 64 x 64 x 40 cells with three groups of tissues take less than a minute and 600 MB on
    one core.

    Args:
        maps: the run's maps, float16 ``[cases, 2, *shape]``.
        index: the SALIENCY table of the maps.
        mask_arrays: arrays of masks of all cohorts that have any, uint8 ``[rows, *canonical
            shape]``.
        mask_indices: the MASKS table of each array.
        splits: SPLITS tables, which give the subjects.
        tissues: cohort -> its tissues, whose sorted names give the mask values.
        spacing: millimetres of a voxel of the masks along each axis.
        anatomy: the groups of tissues, and the nulls.
        out: OVERLAP table to write. A zero map or an absent tissue has no value.
        taken: the part of its images that the network takes, where that is not all: the rest of a
            map is zero whatever the network has learned, and is no part of any measure or null.

    Raises:
        KneeoaError: a file is not what it should be, or a group names a tissue that a cohort lacks.
    """
    explained = SALIENCY.read(index).sort_values(["cohort", "case_id"], ignore_index=True)
    stored = open_maps(maps, len(explained))
    subjects = subjects_of(explained, splits, index)
    grid = stored.shape[2:]
    window = None if taken is None else taken.cells(grid)
    anatomies = CohortTissues(MaskArrays(mask_arrays, mask_indices), tissues, spacing, anatomy, window)
    rows: list[dict[str, Any]] = []
    without = 0
    for cohort, cases in explained.groupby("cohort", sort=True):
        pool = _pool(cases, stored, subjects, anatomy, str(cohort), window)
        for case in cases.to_dict("records"):
            tissues_and_region = anatomies.tissues_of_case(str(cohort), case["case_id"], case["view"], grid)
            if tissues_and_region is None:
                without += 1
                continue
            subject = subjects[str(cohort), case["case_id"]]
            keys = {name: case[name] for name in ("study", "arm", "seed", "method", "cohort", "case_id")} | {"subject": subject}
            signs = unpack(stored[case["row"]], case["scale"])[(slice(None), *(window or ()))]
            shifts = anatomies.null_shifts(str(cohort), case["case_id"], signs.shape[1:])
            rows += [keys | row for row in measure_case(signs[0], signs.sum(axis=0), *tissues_and_region, shifts, pool, subject)]
    _log.info("measured %d cases; %d have no usable mask", len(explained) - without, without)
    OVERLAP.write(out, rows)


def subjects_of(explained: pd.DataFrame, splits: Sequence[Path], index: Path) -> dict[tuple[str, str], str]:
    """Return the subject of every explained case, by (cohort, case_id).

    Raises:
        KneeoaError: a case is in none of the split tables.
    """
    places = SPLITS.concat(list(splits))
    subject = dict(zip(zip(places["cohort"], places["case_id"], strict=True), places["subject"], strict=True))
    for key in zip(explained["cohort"], explained["case_id"], strict=True):
        if key not in subject:
            raise KneeoaError(f"{index}: case '{key[1]}' of cohort '{key[0]}' is in none of the split tables given.")
    return subject


def _pool(
    cases: pd.DataFrame,
    stored: NDArray[np.float16],
    subjects: Mapping[tuple[str, str], str],
    anatomy: Anatomy,
    cohort: str,
    window: Window | None,
) -> OtherSubjects:
    chosen = choose_other_subjects(
        {case_id: subjects[cohort, case_id] for case_id in cases["case_id"]}, anatomy.partners, anatomy.seed, cohort
    )
    place = {row["case_id"]: row for row in cases.to_dict("records")}

    def members() -> Iterator[tuple[str, dict[str, Floats]]]:
        for subject, case_id in chosen.items():
            signs = unpack(stored[place[case_id]["row"]], place[case_id]["scale"])[(slice(None), *(window or ()))]
            yield subject, distributions(signs[0], signs.sum(axis=0))

    return OtherSubjects(members(), POOLED)


def measure_case(
    saliency: Floats,
    absolute: Floats,
    tissues: Mapping[str, TissueFields | None],
    region: Booleans | None,
    shifts: NDArray[np.int64],
    pool: OtherSubjects,
    subject: str,
) -> Iterator[dict[str, Any]]:
    """Yield every measure of one map on each tissue.

    Args:
        saliency: the part of the map that is evidence for the score, non-negative, ``[*shape]``.
        absolute: both parts added.
        tissues: tissue -> its fields, None where it is absent.
        region: cells of the joint region.
        shifts: flat indices of the null's shifts.
        pool: other subjects' maps.
        subject: whose map this is.

    Yields:
        Rows with tissue, measure, value, chance, and mean, z and p against both nulls; None where
        undefined. Measures of the joint region have no null, since the region would cut a moved
        map; rank accuracy has none of other subjects.
    """
    map_distributions = distributions(saliency, absolute, region)
    spectra = {name: fourier_transform(values) for name, values in map_distributions.items() if not name.startswith(REGION)}
    present = {name: fields for name, fields in tissues.items() if fields is not None}
    wanted = {f"{name}/{kind}": fields.field(kind) for name, fields in present.items() for kind in ("share", "near", "distance")}
    others = pool.hits(subject, wanted) if wanted else {}
    for name, tissue in tissues.items():
        rows: dict[str, dict[str, Any]] = {each: _BLANK | {"tissue": name, "measure": each} for each in measure_names()}
        if tissue is not None:
            tissue_distributions, tissue_spectra = _with_tissue_size(map_distributions, spectra, saliency, tissue)
            field_spectra = (
                {kind: fourier_transform(tissue.field(kind)) for kind in ("share", "near", "distance")} if tissue_distributions else {}
            )
            samples: dict[tuple[str, str], Floats] = {}
            for measure in overlap_measures(saliency.size, float(tissue.share.mean()), _region_size(tissue, region)):
                rows[measure.name] |= {"chance": measure.of_hit(_chance(measure, tissue, region))}
                if measure.distribution not in tissue_distributions:
                    continue
                hit = float(np.vdot(tissue_distributions[measure.distribution], tissue.field(measure.field)))
                rows[measure.name] |= {"value": measure.of_hit(hit)}
                key = (measure.distribution, measure.field)
                if measure.distribution in tissue_spectra:
                    if key not in samples:
                        hits = shifted_hits(tissue_spectra[measure.distribution], field_spectra[measure.field], saliency.shape)
                        samples[key] = hits.ravel()[shifts]
                    rows[measure.name] |= _null_columns("null", measure, hit, samples[key])
                key_of_others = (measure.distribution, f"{name}/{measure.field}")
                if key_of_others in others:
                    rows[measure.name] |= _null_columns("others", measure, hit, others[key_of_others], rounding=SINGLE)
        yield from rows.values()


_BLANK = dict.fromkeys(("value", "chance", "null_mean", "null_z", "null_p", "others_mean", "others_z", "others_p"))


def _with_tissue_size(
    map_distributions: Mapping[str, Floats], spectra: Mapping[str, Any], saliency: Floats, tissue: TissueFields
) -> tuple[dict[str, Floats], dict[str, Any]]:
    """The distributions and their transforms, with the distribution of as many cells as the tissue
    fills.
    """
    if "mass" not in map_distributions:
        return dict(map_distributions), dict(spectra)
    top = top_distribution(saliency, max(1, round(float(tissue.share.sum()))))
    return {**map_distributions, SIZE: top}, {**spectra, SIZE: fourier_transform(top)}


def _region_size(tissue: TissueFields, region: Booleans | None) -> tuple[int, float] | None:
    return None if region is None else (int(region.sum()), float(tissue.share[region].mean()))


def _chance(measure: Measure, tissue: TissueFields, region: Booleans | None) -> float:
    field = tissue.field(measure.field)
    inside = measure.name.startswith(REGION) and region is not None
    return float((field[region] if inside else field).mean())


def _null_columns(null: str, measure: Measure, hit: float, sample: Floats, **options: float) -> dict[str, float | None]:
    comparison = compare_with_null(hit, sample, less_is_closer=measure.less_is_closer, **options)
    values = {"mean": measure.of_hit(comparison.mean), "z": comparison.z, "p": comparison.p}
    return {f"{null}_{name}": value if np.isfinite(value) else None for name, value in values.items()}

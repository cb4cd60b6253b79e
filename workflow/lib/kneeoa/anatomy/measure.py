"""The overlap stage: one run's maps against the tissues of its cases."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneeoa.anatomy.masks import Masks, group_values, occupancy
from kneeoa.anatomy.nulls import against_null, random_shifts, shifted_hits
from kneeoa.anatomy.overlap import distributions, measure_names, measures
from kneeoa.config.analysis import Anatomy
from kneeoa.errors import KneeoaError
from kneeoa.files import digest
from kneeoa.saliency.storage import unpack
from kneeoa.tables.overlap import OVERLAP
from kneeoa.tables.saliency import SALIENCY
from kneeoa.tables.splits import SPLITS

_log = logging.getLogger(__name__)

Floats = NDArray[np.float64]


def measure_run(
    *,
    study: str,
    arm: str,
    seed: int,
    maps: Path,
    index: Path,
    mask_arrays: list[Path],
    mask_indices: list[Path],
    splits: list[Path],
    tissues: dict[str, dict[str, tuple[int, ...]]],
    anatomy: Anatomy,
    out: Path,
) -> None:
    """Measure where one run's maps fall. Cases without a usable mask are left out: the masks' exclusions say why.

    Args:
        study: name of the study, copied to the rows.
        arm: name of the arm, copied to the rows.
        seed: seed of the run, copied to the rows.
        maps: the run's maps, float16 ``[cases, *shape]``.
        index: the SALIENCY table of the maps.
        mask_arrays: arrays of masks of all cohorts that have any, uint8 ``[rows, *canonical shape]``.
        mask_indices: the MASKS table of each array.
        splits: SPLITS tables, which tell the subjects.
        tissues: cohort -> its tissues (their names tell the mask values).
        anatomy: the groups of tissues, the number of shifts of the null, its seed.
        out: OVERLAP table to write. A zero map or an absent tissue has no value.

    Raises:
        KneeoaError: a file is not what it should be, or a group names a tissue that a cohort lacks.
    """
    explained = SALIENCY.read(index)
    try:
        stored: NDArray[np.float16] = np.load(maps, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise KneeoaError(f"{maps}: cannot be read as an array of saliency maps: {error}.") from error
    if len(stored) != len(explained):
        raise KneeoaError(f"{maps}: holds {len(stored)} maps, but its index {index} lists {len(explained)}; make both again.")
    places = SPLITS.concat(splits)
    subject = dict(zip(zip(places["cohort"], places["case_id"], strict=True), places["subject"], strict=True))
    masks = Masks(mask_arrays, mask_indices)
    rows: list[dict[str, Any]] = []
    without = 0
    for case in explained.sort_values(["cohort", "case_id"]).to_dict("records"):
        cohort, case_id = case["cohort"], case["case_id"]
        mask = masks.get(cohort, case_id, case["view"])
        if mask is None:
            without += 1
            continue
        if (cohort, case_id) not in subject:
            raise KneeoaError(f"{index}: case '{case_id}' of cohort '{cohort}' is in none of the split tables given.")
        saliency = unpack(stored[case["row"]], case["scale"])
        groups = group_values(tissues.get(cohort, {}), anatomy.targets, cohort)
        shares = {group: occupancy(mask, values, saliency.shape) for group, values in groups.items()}
        # The same shifts for every arm and seed: their nulls are paired.
        generator = np.random.default_rng(int(digest([anatomy.seed, cohort, case_id]), 16))
        here = {"study": study, "arm": arm, "seed": seed, "cohort": cohort, "case_id": case_id, "subject": subject[cohort, case_id]}
        rows += [here | row for row in measure_case(saliency, shares, random_shifts(saliency.shape, anatomy.shifts, generator))]
    _log.info("measured %d cases; %d have no usable mask", len(explained) - without, without)
    OVERLAP.write(out, rows)


def measure_case(saliency: Floats, shares: Mapping[str, Floats], shifts: NDArray[np.int64]) -> Iterator[dict[str, Any]]:
    """Every measure of one map on each tissue.

    Args:
        saliency: the map, finite and non-negative, ``[*shape]``.
        shares: tissue -> the share of each cell that it fills, ``[*shape]``.
        shifts: flat indices of the null's shifts.

    Yields:
        Rows with tissue, measure, value, chance, null_mean and null_p; None where undefined.

    Raises:
        KneeoaError: the map has values that are negative or not finite.
    """
    if not np.isfinite(saliency).all() or (saliency < 0).any():
        raise KneeoaError("a saliency map holds values that are negative or not finite; make the maps again.")
    found = distributions(saliency)
    present = {tissue: share for tissue, share in shares.items() if found and share.any()}
    blank = dict.fromkeys(("value", "chance", "null_mean", "null_p"))
    moved = shifted_hits(np.stack(list(found.values())), np.stack(list(present.values()))) if present else ()
    hits = dict(zip(present, moved, strict=True))
    for tissue, share in shares.items():
        fraction = float(share.mean())
        rows = {name: {"tissue": tissue, "measure": name} | blank for name in measure_names()}
        for measure in measures(share.size, fraction) if share.any() else []:
            rows[measure.name]["chance"] = measure.of_hit(fraction)
            if tissue in present:
                hit = float((found[measure.distribution] * share).sum())
                every = hits[tissue][list(found).index(measure.distribution)]
                mean, p = against_null(hit, every.ravel()[shifts])
                rows[measure.name] |= {"value": measure.of_hit(hit), "null_mean": measure.of_hit(mean), "null_p": p}
        yield from rows.values()

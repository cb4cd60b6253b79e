"""Measure how much of what a run's plug-in chose lies on tissues, beside two nulls.

A location counts by its cell: the rectangle (in a volume the box) of the image that is its share of
the map's even grid. Its share on a tissue is the part of the cell's area that the tissue fills, and
the share of a selection is the mean over the chosen locations. The nulls are those of saliency
(:mod:`kneeoa.anatomy.nulls`): the same selection, shifted around the map at random, and the
selections that the same network made in other subjects' images, which also keep where it usually
chooses.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.anatomy.nulls import OtherSubjects, choose_other_subjects, random_shifts
from kneeoa.anatomy.tissue_fields import MaskArrays, group_values, occupancy
from kneeoa.atomic_io import digest
from kneeoa.config.analysis import Anatomy
from kneeoa.saliency.storage import area_mean
from kneeoa.tables.selections import CHOSEN, SELECTION_SHARES, SELECTIONS

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Grid = tuple[int, ...]

_CHOSEN = "chosen"


def measure_selections(
    *,
    selections: Path,
    mask_arrays: Sequence[Path],
    mask_indices: Sequence[Path],
    tissues: Mapping[str, Mapping[str, object]],
    anatomy: Anatomy,
    out: Path,
) -> None:
    """Write SELECTION_SHARES of one run. Cases without a usable mask are left out: the masks'
    exclusions say why.

    Args:
        selections: the run's SELECTIONS table.
        mask_arrays: arrays of masks of all cohorts that have any, uint8 ``[rows, *shape]``.
        mask_indices: the MASKS table of each array.
        tissues: cohort -> its tissues, whose sorted names give the mask values.
        anatomy: the groups of tissues, the number of shifts and of other subjects, and the seed.
        out: table to write.

    Raises:
        KneeoaError: a file is not what it should be, or a group names a tissue that a cohort lacks.
    """
    table = SELECTIONS.concat([selections], CHOSEN)
    masks = MaskArrays(mask_arrays, mask_indices)
    rows: list[dict[str, Any]] = []
    without = 0
    for cohort, of_cohort in table.groupby("cohort", sort=True):
        if str(cohort) not in tissues:
            continue
        listed = _records(of_cohort)
        groups = group_values(tissues[str(cohort)], anatomy.targets, str(cohort))
        pools = _pools(listed, anatomy, str(cohort))
        for (case_id, view), case_rows in _by_case(listed).items():
            mask = masks.get(str(cohort), case_id, view)
            if mask is None:
                without += 1
                continue
            grids = sorted({row["grid"] for row in case_rows if row["grid"]}, key=np.prod, reverse=True)
            shares = occupancies(mask, groups, grids)
            shifts = {grid: _shifts(anatomy, str(cohort), case_id, grid) for grid in grids}
            for row in case_rows:
                others = pools[row["level"], row["map"]]
                rows += _case_rows(row, groups, shares.get(row["grid"], {}), shifts.get(row["grid"]), others)
    SELECTION_SHARES.write(out, pd.DataFrame(rows, columns=[name for name in SELECTION_SHARES.schema.names if name != "fold"]))
    logger.info("measured the selections of %d cases and maps; %d cases have no usable mask", len(rows), without)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of SELECTIONS with their ``grid`` as a tuple and ``places``: the cells of the chosen
    locations that have a place, as flat indices of the grid.
    """
    rows = []
    for record in table.to_dict("records"):
        places = np.asarray(record["chosen"], dtype=np.int64) - record["before"]
        grid = tuple(int(cells) for cells in record["grid"])
        placed = {"grid": grid, "places": places[places >= 0] if grid else places[:0]}
        rows.append({str(name): value for name, value in record.items()} | placed)
    return rows


def _by_case(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    cases: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        cases.setdefault((row["case_id"], row["view"]), []).append(row)
    return cases


def occupancies(mask: NDArray[np.uint8], groups: Mapping[str, Sequence[int]], grids: Sequence[Grid]) -> dict[Grid, dict[str, Floats]]:
    """The share of every cell that each group of tissues fills, flat, by grid; ``grids`` run from
    fine to coarse.

    Where a grid divides a finer one evenly its shares are the means of the finer one's, which is
    the same and reads no mask again.
    """
    shares: dict[Grid, dict[str, Floats]] = {}
    for grid in grids:
        finer = next((fine for fine in reversed(list(shares)) if _divides(grid, fine)), None)
        shares[grid] = {
            name: occupancy(mask, values, grid) if finer is None else area_mean(shares[finer][name], grid)
            for name, values in groups.items()
        }
    return shares


def _divides(coarse: Grid, fine: Grid) -> bool:
    return all(size % cells == 0 for size, cells in zip(fine, coarse, strict=True))


def _shifts(anatomy: Anatomy, cohort: str, case_id: str, grid: Grid) -> Places:
    """The null's shifts of a case, the same for every arm and seed, so that their nulls are
    paired.
    """
    generator = np.random.default_rng(int(digest([anatomy.seed, cohort, case_id]), 16))
    return random_shifts(grid, anatomy.shifts, generator)


def shifted_mean(share: Floats, places: Places, shifts: Places) -> float:
    """The mean share of ``places`` after each circular shift of the grid, over all shifts.

    Args:
        share: of every cell, ``[*grid]``.
        places: flat indices of cells.
        shifts: flat indices, each a shift by as many cells along each axis.
    """
    grid = share.shape
    moved = [
        (place[:, None] + shift[None, :]) % size
        for place, shift, size in zip(np.unravel_index(places, grid), np.unravel_index(shifts, grid), grid, strict=True)
    ]
    return float(share[tuple(moved)].mean())


def _pools(rows: Sequence[Mapping[str, Any]], anatomy: Anatomy, cohort: str) -> dict[tuple[str, str], OtherSubjects]:
    """Selections in other subjects' images, by level and map."""
    subjects = {row["case_id"]: row["subject"] for row in rows}
    cases = set(choose_other_subjects(subjects, anatomy.partners, anatomy.seed, cohort).values())
    members: dict[tuple[str, str], list[tuple[str, dict[str, Floats]]]] = {}
    for row in rows:
        pool = members.setdefault((row["level"], row["map"]), [])
        if row["case_id"] in cases and len(row["places"]):
            weights = np.bincount(row["places"], minlength=int(np.prod(row["grid"]))) / len(row["places"])
            pool.append((row["subject"], {_CHOSEN: weights}))
    return {key: OtherSubjects(pool, [_CHOSEN]) for key, pool in members.items()}


_BLANK = dict.fromkeys(("share", "chance", "null_mean", "others_mean"))


def _case_rows(
    row: Mapping[str, Any], groups: Mapping[str, Sequence[int]], shares: Mapping[str, Floats], shifts: Places | None, pool: OtherSubjects
) -> list[dict[str, Any]]:
    """A row for each tissue, of one case, level and map."""
    names = ("study", "arm", "seed", "cohort", "case_id", "subject", "level", "map", "locations")
    identity = {name: row[name] for name in names} | {"chosen": len(row["chosen"]), "placed": len(row["places"])}
    present = {name: share for name, share in shares.items() if share.any()}
    others = pool.hits(row["subject"], present) if present else {}
    measured = []
    for tissue in groups:
        values: dict[str, float | None] = dict(_BLANK)
        if tissue in present and shifts is not None and len(row["places"]):
            share = present[tissue]
            values |= {"share": float(share.ravel()[row["places"]].mean()), "chance": float(share.mean())}
            values |= {"null_mean": shifted_mean(share, row["places"], shifts)}
            if (_CHOSEN, tissue) in others:
                values |= {"others_mean": float(others[_CHOSEN, tissue].mean())}
        measured.append(identity | {"tissue": tissue} | values)
    return measured

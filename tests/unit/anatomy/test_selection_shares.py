"""Shares of chosen locations on tissues, against sums done by hand and against the shift null of
saliency, in two and three dimensions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kneeoa.anatomy.nulls import fourier_transform, shifted_hits
from kneeoa.anatomy.selection_shares import measure_selections, occupancies, shifted_mean
from kneeoa.anatomy.tissue_fields import occupancy
from kneeoa.config.analysis import Anatomy
from kneeoa.errors import KneeoaError
from kneeoa.tables.selections import SELECTION_SHARES, SELECTIONS
from kneeoa.tables.shards import MASKS

TISSUES = {"made": {"femur": (1,), "joint_space": (2,), "tibia": (3,)}}  # stored in this order: 1, 2, 3
ANATOMY = Anatomy(targets={"joint": ("joint_space",), "bone": ("femur", "tibia")}, shifts=500, partners=5)


def film() -> np.ndarray:
    """Bones above and below a joint space of two rows, a quarter of the way down."""
    mask = np.zeros((16, 16), dtype=np.uint8)
    mask[0:4] = 1
    mask[4:6, 4:12] = 2
    mask[6:10] = 3
    return mask


def row(
    case: str, chosen: list[int], grid: tuple[int, ...], *, before: int = 0, subject: str | None = None, **values: Any
) -> dict[str, Any]:
    locations = int(np.prod(grid)) + before if grid else 36
    identity = {"study": "s", "arm": "a", "seed": 1, "cohort": "made", "case_id": case, "subject": subject or case, "view": "pa"}
    described = {"level": "kl", "map": "map-1", "locations": locations, "grid": list(grid), "before": before, "score_map": None}
    return identity | described | {"chosen": chosen, "scores": [0.5] * len(chosen)} | values


def measured(folder: Path, rows: list[dict[str, Any]], masks: dict[str, np.ndarray], anatomy: Anatomy = ANATOMY) -> pd.DataFrame:
    np.save(folder / "masks.npy", np.stack(list(masks.values())))
    judged = {"inside": 1.0, "contrast": 1.0, "cartilage_mm3": 1.0, "cartilage_thickness_mm": 1.0, "flags": [], "usable": True}
    shared = {"cohort": "made", "view": "pa", "shard": 0, "digest": "", "source_digest": ""}
    MASKS.write(folder / "masks.parquet", [shared | judged | {"case_id": case, "row": number} for number, case in enumerate(masks)])
    SELECTIONS.write(folder / "s.parquet", rows)
    measure_selections(
        selections=folder / "s.parquet",
        mask_arrays=[folder / "masks.npy"],
        mask_indices=[folder / "masks.parquet"],
        tissues=TISSUES,
        anatomy=anatomy,
        out=folder / "shares.parquet",
    )
    return SELECTION_SHARES.read(folder / "shares.parquet").set_index(["case_id", "map", "tissue"])


def test_a_location_counts_by_the_part_of_its_cell_on_the_tissue(tmp_path: Path) -> None:
    # Cells of 4 x 4 pixels: 5 and 6 are half joint space, half tibia; 1 is femur; 15 is empty.
    table = measured(tmp_path, [row("one", [5, 6, 1, 15], (4, 4))], {"one": film()})
    joint, bone = table.loc[("one", "map-1", "joint")], table.loc[("one", "map-1", "bone")]
    assert joint["share"] == pytest.approx((0.5 + 0.5 + 0 + 0) / 4)
    assert bone["share"] == pytest.approx((0.5 + 0.5 + 1 + 0) / 4)
    assert joint["chance"] == pytest.approx(16 / 256)
    assert (joint["placed"], joint["chosen"], joint["locations"]) == (4, 4, 16)


def test_all_shifts_together_give_chance_and_few_are_those_of_saliencys_null(tmp_path: Path) -> None:
    table = measured(tmp_path, [row("one", [5, 6, 1, 15], (4, 4))], {"one": film()})
    share = occupancy(film(), [2], (4, 4))
    assert (16 * table["chance"] - table["share"]).to_numpy() / 15 == pytest.approx(table["null_mean"].to_numpy())  # never the identity
    places, shifts = np.array([5, 6, 1, 15]), np.array([3, 7, 12])
    distribution = np.bincount(places, minlength=16).reshape(4, 4) / 4
    hits = shifted_hits(fourier_transform(distribution), fourier_transform(share), (4, 4))
    assert shifted_mean(share, places, shifts) == pytest.approx(hits.ravel()[shifts].mean())


def test_the_shift_null_is_the_same_for_every_arm_and_seed(tmp_path: Path) -> None:
    few = ANATOMY.model_copy(update={"shifts": 3})
    rows = [row("one", [5, 6], (4, 4), map=name) for name in ("map-1", "map-2")]
    table = measured(tmp_path, rows, {"one": film()}, few)
    assert table.loc[("one", "map-1", "joint"), "null_mean"] == table.loc[("one", "map-2", "joint"), "null_mean"]


def test_other_subjects_selections_are_the_second_null(tmp_path: Path) -> None:
    rows = [row("one", [5], (4, 4)), row("two", [1], (4, 4)), row("two-again", [15], (4, 4), subject="one"), row("three", [6], (4, 4))]
    table = measured(tmp_path, rows, {case: film() for case in ("one", "two", "two-again", "three")})
    assert table.loc[("one", "map-1", "joint"), "others_mean"] == pytest.approx((0 + 0.5) / 2)  # two and three, never oneself
    assert table.loc[("three", "map-1", "bone"), "others_mean"] == pytest.approx((0.5 + 1) / 2)


def test_a_class_token_has_no_place_and_others_have_that_of_their_patch(tmp_path: Path) -> None:
    table = measured(tmp_path, [row("one", [0, 6, 7], (4, 4), before=1)], {"one": film()})
    joint = table.loc[("one", "map-1", "joint")]
    assert (joint["placed"], joint["chosen"], joint["locations"]) == (2, 3, 17)
    assert joint["share"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("selection", "mask"),
    [
        (row("one", [0, 3], ()), film()),
        (row("one", [0], (4, 4), before=1), film()),
        (row("one", [5], (4, 4)), np.where(film() == 2, 0, film())),
    ],
    ids=["slices", "only the class token", "no such tissue"],
)
def test_what_has_no_place_or_no_tissue_has_no_value(tmp_path: Path, selection: dict[str, Any], mask: np.ndarray) -> None:
    joint = measured(tmp_path, [selection], {"one": mask.astype(np.uint8)}).loc[("one", "map-1", "joint")]
    assert joint[["share", "chance", "null_mean", "others_mean"]].isna().all()


def test_cases_without_a_mask_and_cohorts_without_tissues_are_left_out(tmp_path: Path) -> None:
    rows = [row("one", [5], (4, 4)), row("two", [5], (4, 4)), row("far", [5], (4, 4), cohort="elsewhere")]
    table = measured(tmp_path, rows, {"one": film()})
    assert set(table.index.get_level_values("case_id")) == {"one"}


def test_a_group_of_unknown_tissues_is_refused(tmp_path: Path) -> None:
    wrong = ANATOMY.model_copy(update={"targets": {"joint": ("meniscus",)}})
    with pytest.raises(KneeoaError, match="names 'meniscus'"):
        measured(tmp_path, [row("one", [5], (4, 4))], {"one": film()}, wrong)


def test_volumes_and_grids_that_divide_nothing(tmp_path: Path) -> None:
    generator = np.random.default_rng(4)
    mask = generator.integers(0, 4, (9, 14, 10), dtype=np.uint8)
    grids = [(5, 7, 5), (3, 4, 3)]
    rows = [
        row("one", generator.permutation(int(np.prod(grid)))[:6].tolist(), grid, map=f"map-{number}") for number, grid in enumerate(grids)
    ]
    table = measured(tmp_path, rows, {"one": mask})
    for number, grid in enumerate(grids):
        share = occupancy(mask, [1, 3], grid)
        assert table.loc[("one", f"map-{number}", "bone"), "share"] == pytest.approx(share.ravel()[rows[number]["chosen"]].mean())
        every = np.mean([np.roll(share, shift, (0, 1, 2)).mean() for shift in np.ndindex(*grid)])
        assert table.loc[("one", f"map-{number}", "bone"), "chance"] == pytest.approx(every)


@pytest.mark.parametrize("grids", [[(12, 12), (6, 6), (3, 3)], [(9, 12), (6, 6), (3, 4)], [(5, 7), (4, 4)]])
def test_shares_on_coarser_grids_are_those_of_the_mask(grids: list[tuple[int, ...]]) -> None:
    mask = np.random.default_rng(1).integers(0, 3, (36, 36), dtype=np.uint8)
    shares = occupancies(mask, {"a": [1], "b": [1, 2]}, grids)
    for grid in grids:
        for name, values in {"a": [1], "b": [1, 2]}.items():
            np.testing.assert_allclose(shares[grid][name], occupancy(mask, values, grid), atol=1e-12)

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kneeoa.anatomy.run_overlap import measure_run
from kneeoa.anatomy.tissue_fields import MaskArrays, group_values, occupancy
from kneeoa.central_crop import Taken
from kneeoa.config.analysis import Anatomy
from kneeoa.errors import KneeoaError
from kneeoa.saliency.storage import pack
from kneeoa.tables.cohort import SPLITS
from kneeoa.tables.saliency import OVERLAP, SALIENCY
from kneeoa.tables.shards import MASKS

CANONICAL, KEPT = (8, 16, 16), (4, 8, 8)
TISSUES: dict[str, tuple[int, ...]] = {"femur": (1,), "cartilage": (2,), "tibia": (3,)}  # stored: cartilage 1, femur 2, tibia 3
TARGETS = {"cartilage": ("cartilage",), "bone": ("femur", "tibia")}


def knee() -> np.ndarray:
    mask = np.zeros(CANONICAL, dtype=np.uint8)
    mask[:, 2:6] = 2
    mask[:, 6:8, 4:12] = 1
    mask[:, 10:14] = 3
    return mask


def write(folder: Path, maps: list[np.ndarray], masks: list[np.ndarray], usable: list[bool] | None = None) -> dict[str, Any]:
    """Cases c0, c1, ... with a map and a mask each; the masks lie in the reverse order of the
    maps.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"c{number}" for number in range(len(maps))]
    packed = [pack(np.stack([one, np.zeros_like(one)])) for one in maps]
    np.save(folder / "maps.npy", np.stack([stored for stored, _ in packed]))
    base = {
        "study": "s",
        "arm": "a",
        "seed": 1,
        "cohort": "made",
        "view": "sag",
        "method": "smoothgrad_input",
        "weights": "trained",
        "target": "oa",
        "score": 0.0,
    }
    index = [base | {"case_id": name, "row": row, "scale": packed[row][1]} for row, name in enumerate(names)]
    SALIENCY.write(folder / "maps.parquet", index)
    np.save(folder / "masks.npy", np.stack(masks[::-1]))
    np.save(folder / "none.npy", np.zeros((0, *CANONICAL), dtype=np.uint8))
    good = usable or [True] * len(masks)
    rows = [
        {
            "cohort": "made",
            "case_id": names[case],
            "view": "sag",
            "shard": 0,
            "row": row,
            "digest": "",
            "source_digest": "",
            "inside": 1.0,
            "contrast": 0.9,
            "cartilage_mm3": 1.0,
            "cartilage_thickness_mm": 1.0,
            "flags": [],
            "usable": good[case],
        }
        for row, case in enumerate(reversed(range(len(masks))))
    ]
    MASKS.write(folder / "masks.parquet", rows)
    MASKS.write(folder / "none.parquet", [])
    split = [{"cohort": "made", "case_id": name, "subject": f"p{name}", "side": "R", "visit": "00m", "split": "test"} for name in names]
    SPLITS.write(folder / "splits.parquet", split)
    return {
        "maps": folder / "maps.npy",
        "index": folder / "maps.parquet",
        "mask_arrays": [folder / "none.npy", folder / "masks.npy"],
        "mask_indices": [folder / "none.parquet", folder / "masks.parquet"],
        "splits": [folder / "splits.parquet"],
        "tissues": {"made": TISSUES},
        "spacing": (2.0, 1.0, 1.0),
        "out": folder / "overlap.parquet",
    }


def run(inputs: dict[str, Any], **options: Any) -> pd.DataFrame:
    anatomy = Anatomy(**({"targets": TARGETS, "shifts": 99} | options))
    measure_run(anatomy=anatomy, **inputs)
    return OVERLAP.read(inputs["out"]).set_index(["case_id", "tissue", "measure"]).sort_index()


def test_planted_maps_have_their_exact_overlap(tmp_path: Path) -> None:
    inside = occupancy(knee(), [1], KEPT)
    measured = run(write(tmp_path, [np.full(KEPT, 3.0), inside], [knee(), knee()]))
    fraction = 2 * 8 / (16 * 16)
    assert measured["subject"].loc[("c0", "bone", "mass")] == "pc0"
    uniform = measured.loc["c0"]
    np.testing.assert_allclose(uniform["value"], uniform["chance"], atol=1e-12)
    beside = uniform[uniform["null_mean"].notna()]
    np.testing.assert_allclose(beside["null_mean"], beside["chance"], atol=1e-12)
    assert (beside["null_p"] == 1).all()
    assert all(name.startswith("region_") for _, name in uniform.index[uniform["null_mean"].isna()])
    np.testing.assert_allclose(uniform["others_mean"].loc[("bone", "mass")], uniform["chance"].loc[("bone", "mass")] * 0, atol=1e-6)
    assert uniform["chance"].loc[("cartilage", "mass")] == pytest.approx(fraction)
    assert uniform["chance"].loc[("bone", "mass")] == pytest.approx(0.5)
    planted = measured.loc["c1"]
    assert planted["value"].loc[("cartilage", "mass")] == pytest.approx(1)
    assert planted["value"].loc[("cartilage", "enrichment")] == pytest.approx(1 / fraction)
    assert planted["value"].loc[("cartilage", "normalised")] == pytest.approx(1)
    assert planted["value"].loc[("bone", "mass")] == 0
    # The knee does not change along its 4 slices: the 3 shifts along them are ties, which count
    # against the map.
    assert planted["null_p"].loc[("cartilage", "mass")] <= 4 / 100
    assert planted["null_p"].loc[("bone", "mass")] == 1
    assert planted["null_mean"].loc[("cartilage", "mass")] == pytest.approx(fraction, abs=0.03)


def test_the_null_equals_moving_the_map_by_hand(tmp_path: Path) -> None:
    saliency = np.random.default_rng(2).uniform(size=KEPT) ** 3
    measured = run(write(tmp_path, [saliency], [knee()]), shifts=10_000).loc["c0"]  # more than there are: every shift but the identity
    share = occupancy(knee(), [1], KEPT)
    stored = pack(saliency)[0].astype(np.float64)
    every = [(np.roll(stored, shift, axis=(0, 1, 2)) * share).sum() / stored.sum() for shift in np.ndindex(KEPT)]
    row = measured.loc[("cartilage", "mass")]
    assert row["value"] == pytest.approx(every[0], abs=1e-12)
    assert row["null_mean"] == pytest.approx(np.mean(every[1:]), abs=1e-12)
    # The mask does not change along the slices, so shifts along them are ties but for rounding, and
    # ties count against the map.
    reached = sum(one >= every[0] - 1e-12 for one in every[1:])
    assert reached >= 3
    assert row["null_p"] == (1 + reached) / len(every)


CROP = (8, 12, 10)
"""In the middle of the canonical grid; four by six by four cells of a map are wholly inside."""
INSIDE = (slice(None), slice(1, 7), slice(2, 6))


def test_of_a_network_with_a_crop_nothing_is_measured_outside_of_it(tmp_path: Path) -> None:
    """A map is zero wherever its network cannot see. As a part of the null it would make a map
    that is even over the rest enriched wherever tissues lie in the middle.
    """
    even = np.zeros(KEPT)
    even[INSIDE] = 2.0
    random = np.random.default_rng(3).uniform(size=KEPT)
    inputs = write(tmp_path, [even, random], [knee(), knee()])
    whole = run(inputs)["value"].loc[("c0", "cartilage", "enrichment")]
    assert whole > 1.5  # of the whole grid
    taken = Taken(CANONICAL, CROP)
    assert taken.cells(KEPT) == (slice(0, 4), *INSIDE[1:])
    measured = run(inputs | {"taken": taken})
    for tissue in ("cartilage", "bone"):
        row = measured.loc[("c0", tissue, "enrichment")]
        assert (row["value"], row["null_mean"], row["null_p"]) == pytest.approx((1, 1, 1))
    share = occupancy(knee(), [1], KEPT)[INSIDE]
    stored = pack(random)[0].astype(np.float64)[INSIDE]
    row = measured.loc[("c1", "cartilage", "mass")]
    assert row["value"] == pytest.approx((stored * share).sum() / stored.sum(), abs=1e-12)
    assert row["chance"] == pytest.approx(share.mean())


def test_a_crop_of_the_whole_image_changes_nothing(tmp_path: Path) -> None:
    inputs = write(tmp_path, [np.random.default_rng(3).uniform(size=KEPT)], [knee()])
    pd.testing.assert_frame_equal(run(inputs), run(inputs | {"taken": Taken(CANONICAL, CANONICAL)}))


def test_a_zero_map_or_an_absent_tissue_has_no_value(tmp_path: Path) -> None:
    boneless = np.where(knee() == 1, 1, 0).astype(np.uint8)
    measured = run(write(tmp_path, [np.zeros(KEPT), np.ones(KEPT)], [knee(), boneless]))
    assert measured.loc["c0", "value"].isna().all()
    assert measured.loc["c0", "null_p"].isna().all()
    assert measured["chance"].loc[("c0", "bone", "mass")] == pytest.approx(0.5)
    assert measured.loc[("c1", "bone"), ["value", "chance", "null_mean", "null_p"]].isna().all(axis=None)
    assert measured["value"].loc[("c1", "cartilage", "mass")] == pytest.approx(1 / 16)


def test_cases_without_a_usable_mask_are_left_out(tmp_path: Path) -> None:
    measured = run(write(tmp_path, [np.ones(KEPT)] * 3, [knee()] * 3, usable=[True, False, True]))
    assert set(measured.index.get_level_values("case_id")) == {"c0", "c2"}
    none = run(write(tmp_path / "none", [np.ones(KEPT)], [knee()], usable=[False]))
    assert none.empty


def test_every_run_meets_the_same_shifts(tmp_path: Path) -> None:
    inputs = write(tmp_path, [np.random.default_rng(0).uniform(size=KEPT)], [knee()])
    first = run(inputs)
    pd.testing.assert_frame_equal(first, run(inputs))
    assert not first["null_mean"].equals(run(inputs, seed=8)["null_mean"])


def test_masks_come_to_the_maps_grid_as_shares() -> None:
    mask = np.zeros((4, 6), dtype=np.uint8)
    mask[0, :3] = 1
    mask[1:, :] = 2
    np.testing.assert_allclose(occupancy(mask, [1], (2, 2)), [[0.5, 0], [0, 0]])
    np.testing.assert_allclose(occupancy(mask, [1, 2], (2, 2)), [[1, 0.5], [1, 1]])
    # Another shape than the canonical grid, over the same field of view: volumes stay.
    for shape in ((3, 5), (8, 9)):
        assert occupancy(mask, [2], shape).mean() == pytest.approx((mask == 2).mean())
    with pytest.raises(KneeoaError, match="number of axes differs"):
        occupancy(mask, [1], (2, 2, 2))


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    assert group_values(TISSUES, TARGETS, "made") == {"cartilage": [1], "bone": [2, 3]}
    with pytest.raises(KneeoaError, match=r"'anatomy.targets.soft' names 'meniscus', but the tissues of cohort 'made'"):
        group_values(TISSUES, {"soft": ("meniscus",)}, "made")
    inputs = write(tmp_path, [np.ones(KEPT)], [knee()])
    with pytest.raises(KneeoaError, match="each array needs its own"):
        MaskArrays(inputs["mask_arrays"], [])
    with pytest.raises(KneeoaError, match=r"holds 1 rows of uint8, but its index .* lists 0 masks"):
        MaskArrays(inputs["mask_arrays"][1:], inputs["mask_indices"][:1])
    np.save(inputs["maps"], np.ones((2, 2, *KEPT), dtype=np.float16))
    with pytest.raises(KneeoaError, match="holds 2 maps of shape"):
        run(inputs)
    np.save(inputs["maps"], np.full((1, 2, *KEPT), np.nan, dtype=np.float16))
    with pytest.raises(KneeoaError, match="negative or not finite"):
        run(inputs)

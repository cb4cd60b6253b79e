"""The quality table: every case a row, worst first; pictures for the flagged ones and some
others.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kneeoa.masks.quality_ranking import rank_quality
from kneeoa.tables.cohort import EXCLUSIONS
from kneeoa.tables.shards import CARTILAGE, MASKS, QUALITY, SHIFTS, VOLUMES


def case(name: str) -> dict[str, Any]:
    return {"cohort": "main", "case_id": f"{name}-R-00m", "view": "sag"}


def volume(name: str, row: int) -> dict[str, Any]:
    shape = {"source_shape": [2, 2, 2], "source_spacing": [1.0] * 3, "source_centre": [0.5] * 3, "affine": [1.0] * 16}
    scale = {"mirrored": False, "low": 0.0, "high": 1.0, "mean": 0.0, "sd": 1.0}
    return {**case(name), "shard": 0, "row": row, "digest": "", "source_digest": "", **shape, **scale}


def mask(name: str, row: int, boundary: float = 0.95, flags: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    usable = not [flag for flag in flags if flag != "mask-repaired"]
    measures = {
        "inside": 1.0,
        "contrast": 0.95,
        "boundary": boundary,
        "offset_mm": 0.2,
        "cartilage_mm3": 2e4 + 150 * row,
        "cartilage_thickness_mm": 2.0,
    }
    return {
        **case(name),
        "shard": 0,
        "row": row,
        "digest": "",
        "source_digest": "",
        **measures,
        "flags": list(flags),
        "usable": usable,
        **more,
    }


def excluded(name: str | None, stage: str, reason: str, view: str | None = "sag") -> dict[str, Any]:
    who = {**case(name or ""), "subject": name} if name else {"cohort": "main", "case_id": None, "subject": None}
    return {**who, "view": view, "stage": stage, "scope": "mask", "reason": reason, "detail": f"{reason}."}


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, list[Path]]:
    names = ["a", "b", "c", "d", "e", "f", "g", "h"]
    VOLUMES.write(tmp_path / "v.parquet", [volume(name, row) for row, name in enumerate(names)])
    masks = [
        mask("a", 0, cartilage_mm3=20_100.0),
        mask("b", 1, 0.30, ("mask-misaligned", "mask-incomplete")),
        mask("c", 2, 0.10, ("mask-misaligned",)),
        mask("d", 3, 0.99, ("mask-repaired",), repair="flip0"),
        mask("e", 4, cartilage_mm3=60_000.0),
        mask("f", 5, 0.9, ("mask-implausible",)),
        mask("h", 6, cartilage_mm3=19_900.0),
    ]
    MASKS.write(tmp_path / "m.parquet", masks)
    regions = [
        ("femoral_cartilage", 30.0),
        ("femoral_cartilage_medial", 20.0),
        ("femoral_cartilage_lateral", 10.0),
        ("tibial_cartilage", 5.0),
    ]
    CARTILAGE.write(tmp_path / "c.parquet", [
        {**case("a"), "region": region, "volume_mm3": 1.0, "thickness_mm": 2.0, "narrowest_mm": None, "area_mm2": 9.0, "denuded_mm2": bare}
        for region, bare in regions
    ])  # fmt: skip
    EXCLUSIONS.write(tmp_path / "e.parquet", [
        excluded("b", "masks", "mask-misaligned"), excluded("c", "masks", "mask-misaligned"), excluded("f", "masks", "mask-implausible"),
        excluded("d", "masks", "mask-repaired"), excluded("g", "masks", "missing-mask"), excluded("z", "volumes", "slice-gap"),
        excluded("y", "volumes", "slice-gap", view="other"), excluded(None, "cohort", "unknown-knee", view=None),
    ])  # fmt: skip
    return {"volumes": [tmp_path / "v.parquet"], "masks": [tmp_path / "m.parquet"], "cartilage": [tmp_path / "c.parquet"],
            "exclusions": [tmp_path / "e.parquet"]}  # fmt: skip


def test_every_case_is_a_row_and_the_worst_come_first(tables: dict[str, list[Path]], tmp_path: Path) -> None:
    result = rank_quality(**tables, view="sag", cases=None)
    QUALITY.write(tmp_path / "q.parquet", result)
    rows = QUALITY.read(tmp_path / "q.parquet").set_index("case_id")
    names = [name[0] for name in rows.index]
    # Misaligned by how little fits, implausible, not read, repaired; then the others: e is far from
    # the median.
    assert names[:6] == ["c", "b", "f", "z", "d", "e"]
    assert set(names) == set("abcdefghz")
    assert rows["rank"].tolist() == list(range(1, 10))
    assert rows["flagged"].tolist() == [True] * 5 + [False] * 4
    assert list(rows.loc["b-R-00m", "flags"]) == ["mask-misaligned", "mask-incomplete"]
    assert rows.loc["d-R-00m", "repair"] == "flip0"
    assert rows.loc["d-R-00m", "mask_usable"]
    assert not rows.loc["c-R-00m", "mask_usable"]
    assert rows.loc["g-R-00m", "detail"] == "missing-mask."
    assert [rows.loc["g-R-00m", name] for name in ("has_image", "has_mask", "flagged")] == [True, False, False]
    assert pd.isna(rows.loc["g-R-00m", "mask_usable"])
    assert not rows.loc["z-R-00m", "has_image"]
    assert rows.loc["a-R-00m", "denuded_mm2"] == 35  # halves are not counted again
    assert rows.loc["e-R-00m", "outlying"] > 10 > rows.loc["a-R-00m", "outlying"]


def test_pictures_go_to_the_flagged_first_and_then_to_others_in_a_fixed_order(tables: dict[str, list[Path]]) -> None:
    def pictured(cases: int | None) -> set[str]:
        result = rank_quality(**tables, view="sag", cases=cases)
        return {name[0] for name in result.loc[result["page"].notna(), "case_id"]}

    assert pictured(None) == set("abcdefgh")
    assert pictured(2) == set("cb")
    assert pictured(4) == set("cbfd")
    five, six = pictured(5), pictured(6)
    assert set("cbfd") < five < six
    assert pictured(5) == five


def test_the_first_picture_is_of_a_case_whose_orientation_is_declared(tables: dict[str, list[Path]], tmp_path: Path) -> None:
    rows = [volume(name, row) | {"orientation": "PIR" if name in "eg" else None} for row, name in enumerate("abcdefgh")]
    VOLUMES.write(tmp_path / "v.parquet", rows)
    result = rank_quality(**tables, view="sag", cases=1)
    QUALITY.write(tmp_path / "q.parquet", result)
    by_case = QUALITY.read(tmp_path / "q.parquet").set_index("case_id")
    assert by_case["orientation"].dropna().to_dict() == {"e-R-00m": "PIR", "g-R-00m": "PIR"}
    assert by_case.index[by_case["page"].notna()].tolist() == ["g-R-00m"]
    # It is the first of the pictures alone: the ranks are what they were.
    VOLUMES.write(tmp_path / "v.parquet", [volume(name, row) for row, name in enumerate("abcdefgh")])
    assert rank_quality(**tables, view="sag", cases=1)["case_id"].tolist() == by_case.index.tolist()


@pytest.mark.parametrize(
    ("shift", "flagged"),
    [
        ((0.1, -0.2, 0.3), False),
        ((0.0, 0.0, 0.49), False),
        ((0.61, 0.0, 0.0), True),
        ((0.0, -0.9, 0.0), True),
        ((None, None, None), False),
    ],
)
def test_a_mask_about_a_voxel_beside_its_edges_is_flagged(
    tables: dict[str, list[Path]], tmp_path: Path, shift: tuple[float | None, ...], flagged: bool
) -> None:
    moved = dict(zip(SHIFTS, shift, strict=True))
    MASKS.write(tmp_path / "m.parquet", [mask("a", 0, **moved), mask("c", 1, 0.1, ("mask-misaligned",), **moved)])
    result = rank_quality(**tables, view="sag", cases=None)
    QUALITY.write(tmp_path / "q.parquet", result)
    rows = QUALITY.read(tmp_path / "q.parquet").set_index("case_id")
    assert rows.loc["a-R-00m", "flagged"] == flagged
    assert list(rows.loc["a-R-00m", "flags"]) == (["mask-shifted"] if flagged else [])
    assert ("voxels) along the" in str(rows.loc["a-R-00m", "detail"])) == flagged
    # One that is not believed has its reason already.
    assert "mask-shifted" not in rows.loc["c-R-00m", "flags"]


def test_one_mask_that_lies_worse_than_the_cohorts_stands_out(tables: dict[str, list[Path]], tmp_path: Path) -> None:
    MASKS.write(tmp_path / "m.parquet", [mask(name, row, offset_mm=0.2 + 0.01 * row) for row, name in enumerate("abcdef")])
    usual = rank_quality(**tables, view="sag", cases=None).set_index("case_id").loc["c-R-00m", "outlying"]
    MASKS.write(
        tmp_path / "m.parquet", [mask(name, row, offset_mm=1.1 if name == "c" else 0.2 + 0.01 * row) for row, name in enumerate("abcdef")]
    )
    assert rank_quality(**tables, view="sag", cases=None).set_index("case_id").loc["c-R-00m", "outlying"] > 10 > usual


def test_a_cohort_without_masks_and_an_empty_one(tables: dict[str, list[Path]], tmp_path: Path) -> None:
    EXCLUSIONS.write(tmp_path / "none.parquet", [])
    alone = rank_quality(tables["volumes"], [], [], [tmp_path / "none.parquet"], "sag", None)
    QUALITY.write(tmp_path / "q.parquet", alone)
    assert alone["has_image"].tolist() == [True] * 8
    assert not alone["flagged"].any()
    VOLUMES.write(tmp_path / "no.parquet", [])
    empty = rank_quality([tmp_path / "no.parquet"], [], [], [tmp_path / "none.parquet"], "sag", None)
    QUALITY.write(tmp_path / "q.parquet", empty)
    assert len(empty) == 0


def test_a_hundred_cases_fill_a_page(tmp_path: Path) -> None:
    VOLUMES.write(tmp_path / "v.parquet", [volume(f"{row:03d}", row) for row in range(205)])
    EXCLUSIONS.write(tmp_path / "none.parquet", [])
    result = rank_quality([tmp_path / "v.parquet"], [], [], [tmp_path / "none.parquet"], "sag", None)
    assert result["page"].value_counts().to_dict() == {1: 100, 2: 100, 3: 5}


def test_the_shift_of_a_radiographs_mask_is_held_against_its_rows_and_columns(tmp_path: Path) -> None:
    flat = {"source_shape": [2, 2], "source_spacing": [0.2, 2.0], "source_centre": [0.5, 0.5]}
    VOLUMES.write(tmp_path / "v.parquet", [volume(name, row) | flat for row, name in enumerate("ab")])
    none = {"cartilage_mm3": None, "cartilage_thickness_mm": None}
    shifts = [dict(zip(SHIFTS, shift, strict=True)) for shift in ((None, 0.9, 0.0), (None, 0.0, 0.9))]
    MASKS.write(tmp_path / "m.parquet", [mask(name, row, **shifts[row], **none) for row, name in enumerate("ab")])
    for table, name in ((CARTILAGE, "c"), (EXCLUSIONS, "e")):
        table.write(tmp_path / f"{name}.parquet", [])
    files = {name: [tmp_path / f"{name[0]}.parquet"] for name in ("volumes", "masks", "cartilage", "exclusions")}
    rows = rank_quality(**files, view="sag", cases=None).set_index("case_id")
    assert rows.loc["a-R-00m", "flags"] == ["mask-shifted"]
    assert "4.5 voxels) along the rows" in rows.loc["a-R-00m", "detail"]
    assert rows.loc["b-R-00m", "flags"] == [], "less than half a pixel of two millimetres"

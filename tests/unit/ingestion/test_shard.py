"""The stages of one shard: a small cohort of every format, broken and sound, from files to
arrays.
"""

import hashlib
import logging
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kneeoa.atomic_io import sha256_file
from kneeoa.config.volumes import MaskChecks, Region, View
from kneeoa.errors import KneeoaError
from kneeoa.ingestion.array_writer import open_rows
from kneeoa.ingestion.ingest import ingest
from kneeoa.ingestion.ingested import Ingested
from kneeoa.ingestion.input_grids import resample_shard
from kneeoa.ingestion.shard import make_volumes
from kneeoa.masks.shard import make_masks
from kneeoa.phantom.radiograph_files import write_png
from kneeoa.tables.cohort import CASES, EXCLUSIONS, IMAGES
from kneeoa.tables.shards import MASKS, VOLUMES
from kneeoa.volumes.resample import stretch
from tests.unit.formats.made import grid, write_itk, write_nifti, write_series
from tests.unit.masks.joint import TISSUES, labels, picture

SHAPE, SPACING = (30, 60, 52), (2.7, 1.5, 1.5)
VIEW = View(shape=SHAPE, spacing=SPACING)


def centred(codes: str, spacing: tuple[float, float, float], shape: tuple[int, int, int], tilt: float = 0.0) -> np.ndarray:
    affine = grid(codes, spacing, tilt=tilt)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


MIRROR = np.diag([-1.0, 1, 1, 1])


def contrast(image: np.ndarray, truth: np.ndarray) -> float:
    """Mean of the image under cartilage minus that under bone."""
    return float(image[(truth == 2) | (truth == 4)].mean() - image[(truth == 1) | (truth == 3)].mean())


class Cohort:
    """Files and tables of a few cases in one shard (0) and one in another (1)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cases: list[dict[str, Any]] = []
        self.images: list[dict[str, Any]] = []

    def add(self, subject: str, side: str, image: str | None, image_format: str, mask: str | None, shard: int = 0) -> None:
        case = {"cohort": "main", "case_id": f"{subject}-{side}-00m", "shard": shard}
        empty = dict.fromkeys(("site", "sex", "age", "given_split"))
        self.cases.append({**case, "subject": subject, "side": side, "visit": "00m", **empty})
        for role, path, format in (("image", image, image_format), ("mask", mask, "meta" if mask and mask.endswith("mha") else "nifti")):
            if path is not None:
                self.images.append(
                    {
                        **case,
                        "view": "sag_dess",
                        "role": role,
                        "path": path,
                        "format": format,
                        "shows": "knee",
                        "centre_row": None,
                        "centre_column": None,
                    }
                )

    def write(self) -> None:
        CASES.write(self.root / "cases.parquet", self.cases)
        IMAGES.write(self.root / "images.parquet", self.images)

    def volumes(self, shard: int = 0, out: str = "v", view: View = VIEW, **declared: Any) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame]:
        array, index, exclusions = (self.root / f"{out}{suffix}" for suffix in (".npy", ".parquet", ".exclusions.parquet"))
        make_volumes(
            images=self.root / "images.parquet", cases=self.root / "cases.parquet", root=self.root, cohort="main", view_name="sag_dess",
            view=view, shard=shard, out_array=array, out_index=index, out_exclusions=exclusions, **declared,
        )  # fmt: skip
        return open_rows(array), VOLUMES.read(index), EXCLUSIONS.read(exclusions)

    def resample(self, out: str, shape: tuple[int, ...]) -> None:
        index, out_index = self.root / "v.parquet", self.root / f"{out}.parquet"
        resample_shard(array=self.root / "v.npy", index=index, shape=shape, out_array=self.root / f"{out}.npy", out_index=out_index)

    def masks(self, shard: int = 0, *, required: bool = False) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame]:
        array, index, exclusions = (self.root / f"m{suffix}" for suffix in (".npy", ".parquet", ".exclusions.parquet"))
        make_masks(
            images=self.root / "images.parquet", root=self.root, cohort="main", view_name="sag_dess", tissues=TISSUES,
            checks=MaskChecks(required=required), volumes_array=self.root / "v.npy", volumes_index=self.root / "v.parquet", shard=shard,
            out_array=array, out_index=index, out_cartilage=self.root / "m.cartilage.parquet", out_exclusions=exclusions,
        )  # fmt: skip
        return open_rows(array), MASKS.read(index), EXCLUSIONS.read(exclusions)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    tmp_path = tmp_path_factory.mktemp("template")
    made = Cohort(tmp_path)
    axes = centred("RIP", SPACING, SHAPE, tilt=5)
    write_series(tmp_path / "dicom", picture(axes, SHAPE), axes)
    made.add("d", "R", "dicom", "dicom", "d.mha")
    # The same joint as a left knee: mirrored in the world, converted to another order of axes.
    other = (52, 60, 30)
    plain = centred("PSL", (1.5, 1.5, 2.7), other)
    write_nifti(tmp_path / "left.nii.gz", picture(plain, other), MIRROR @ plain)
    made.add("c", "L", "left.nii.gz", "nifti", "c.nii.gz")
    mask_shape = (70, 66, 100)
    mask_axes = centred("LPS", (1.1, 1.2, 0.9), mask_shape, tilt=8)
    write_itk(tmp_path / "d.mha", labels(mask_axes, mask_shape), mask_axes)
    write_nifti(tmp_path / "c.nii.gz", labels(mask_axes, mask_shape), MIRROR @ mask_axes)
    # Sound images with masks that are upside down, missing, or damaged; and a damaged image.
    for subject, mask in (("e", "flipped.nii.gz"), ("f", None), ("g", "cut.nii.gz")):
        write_nifti(tmp_path / f"{subject}.nii.gz", picture(axes, SHAPE, seed=ord(subject)), axes)
        made.add(subject, "R", f"{subject}.nii.gz", "nifti", mask)
    write_nifti(tmp_path / "flipped.nii.gz", labels(mask_axes, mask_shape)[:, :, ::-1], mask_axes)
    (tmp_path / "cut.nii.gz").write_bytes((tmp_path / "c.nii.gz").read_bytes()[:500])
    made.add("b", "R", "cut.nii.gz", "nifti", "d.mha")
    write_nifti(tmp_path / "h.nii.gz", picture(axes, SHAPE, seed=9), axes)
    made.add("h", "R", "h.nii.gz", "nifti", None, shard=2)
    made.write()
    return made


@pytest.fixture
def cohort(template: Cohort, tmp_path: Path) -> Cohort:
    made = Cohort(tmp_path / "cohort")
    shutil.copytree(template.root, made.root)
    made.cases, made.images = list(template.cases), list(template.images)
    return made


def test_volumes_of_every_format_come_out_alike(cohort: Cohort) -> None:
    array, index, excluded = cohort.volumes()
    assert array.dtype == np.float16
    assert array.shape == (5, *SHAPE)
    assert index["case_id"].tolist() == ["c-L-00m", "d-R-00m", "e-R-00m", "f-R-00m", "g-R-00m"]
    assert index["row"].tolist() == list(range(5))
    assert index["mirrored"].tolist() == [True, False, False, False, False]
    # The toy joint's labels at the places that each affine tells; the left knee's joint is mirrored
    # in the world.
    for row, mirror in ((0, MIRROR), (1, np.eye(4))):
        image = array[row].astype(np.float32)
        truth = labels(mirror @ np.array(index["affine"][row]).reshape(4, 4), SHAPE)
        assert contrast(image, truth) > 2
        assert contrast(image, truth[::-1]) < contrast(image, truth) - 0.5
        assert abs(image.mean()) < 0.01
    assert [list(row) for row in index["source_shape"]] == [list(SHAPE)] * 5
    np.testing.assert_allclose(np.stack(index["source_spacing"].to_list()), [SPACING] * 5, rtol=1e-5)
    assert excluded[["case_id", "subject", "stage", "scope", "reason"]].to_numpy().tolist() == [
        ["b-R-00m", "b", "volumes", "case", "unreadable"]
    ]
    assert str(cohort.root) not in excluded["detail"].iloc[0]


def test_masks_lie_on_their_volumes_and_bad_ones_are_flagged(cohort: Cohort) -> None:
    volumes, _, _ = cohort.volumes()
    array, index, excluded = cohort.masks()
    assert array.dtype == np.uint8
    assert index["case_id"].tolist() == ["c-L-00m", "d-R-00m", "e-R-00m"]
    assert index["usable"].tolist() == [True, True, False]
    assert [list(flags) for flags in index["flags"]] == [[], [], ["mask-misaligned"]]
    rows = excluded[["case_id", "subject", "stage", "scope", "reason"]].to_numpy().tolist()
    assert rows == [
        ["e-R-00m", "e", "masks", "mask", "mask-misaligned"],
        ["f-R-00m", "f", "masks", "mask", "missing-mask"],
        ["g-R-00m", "g", "masks", "mask", "unreadable"],
    ]
    # Stored values: femoral_cartilage 1, femur 2, tibia 3, tibial_cartilage 4.
    for row in (0, 1):
        assert contrast(volumes[row].astype(np.float32), np.array([0, 2, 1, 3, 4])[array[row]]) > 2
    assert (index["contrast"] > 0.85).tolist() == [True, True, False]
    assert index["cartilage_mm3"].iloc[0] == pytest.approx(index["cartilage_mm3"].iloc[1], rel=1e-6)


def test_what_a_cohort_declares_places_image_and_mask_without_an_orientation(cohort: Cohort) -> None:
    axes = centred("RIP", SPACING, SHAPE)
    bare = np.diag([*SPACING, 1.0])
    write_nifti(cohort.root / "i.nii.gz", picture(axes, SHAPE, seed=3), bare)
    write_nifti(cohort.root / "i-mask.nii.gz", labels(axes, SHAPE), bare)
    write_nifti(cohort.root / "j.nii.gz", picture(axes, SHAPE, seed=4), bare)
    for subject, side, mask in (("i", "R", "i-mask.nii.gz"), ("j", "R", None)):
        cohort.add(subject, side, f"{subject}.nii.gz", "nifti", mask, shard=3)
    cohort.write()
    array, index, excluded = cohort.volumes(shard=3)
    assert len(array) == len(index) == 0
    assert excluded["reason"].tolist() == ["bad-affine"] * 2
    array, index, excluded = cohort.volumes(shard=3, orientation="RIP")
    assert index["orientation"].tolist() == ["RIP", "RIP"]
    assert len(excluded) == 0
    np.testing.assert_allclose(np.reshape(index["affine"][0], (4, 4)), axes, atol=1e-5)
    assert contrast(array[0].astype(np.float32), labels(axes, SHAPE)) > 2
    masks, marked, _ = cohort.masks(shard=3)
    assert marked["usable"].tolist() == [True]
    assert (np.array([0, 2, 1, 3, 4])[masks[0]] == labels(axes, SHAPE)).mean() > 0.999
    # Files that give an orientation of their own keep it.
    plain, declared = cohort.volumes()[1], cohort.volumes(out="w", orientation="PIR")[1]
    assert declared["orientation"].isna().all()
    pd.testing.assert_frame_equal(plain, declared)


def test_an_array_is_placed_by_what_its_cohort_declares(cohort: Cohort) -> None:
    axes = centred("RIP", SPACING, SHAPE)
    write_nifti(cohort.root / "i.nii.gz", picture(axes, SHAPE, seed=3), axes)
    np.save(cohort.root / "j.npy", picture(axes, SHAPE, seed=3))
    for subject, name, format in (("i", "i.nii.gz", "nifti"), ("j", "j.npy", "npy")):
        cohort.add(subject, "L", name, format, None, shard=3)
    cohort.write()
    array, index, excluded = cohort.volumes(shard=3, orientation="RIP", spacing_mm=SPACING)
    assert len(excluded) == 0
    assert index["orientation"].fillna("header").tolist() == ["header", "RIP"]
    np.testing.assert_array_equal(array[0], array[1])
    np.testing.assert_allclose(index["source_spacing"][0], index["source_spacing"][1], rtol=1e-6)
    index, excluded = cohort.volumes(shard=3)[1:]
    assert index["case_id"].tolist() == ["i-L-00m"]
    assert excluded["reason"].tolist() == ["missing-geometry"]


def test_where_masks_are_required_their_cases_leave_the_study(cohort: Cohort) -> None:
    cohort.volumes()
    assert set(cohort.masks(required=True)[2]["scope"]) == {"case"}


def test_an_empty_shard_is_legal(cohort: Cohort) -> None:
    array, index, excluded = cohort.volumes(shard=1)
    assert array.shape == (0, *SHAPE)
    assert len(index) == len(excluded) == 0
    masks, index, excluded = cohort.masks(shard=1)
    assert masks.shape == (0, *SHAPE)
    assert len(index) == len(excluded) == 0
    cohort.resample("g", (8, 8, 8))
    assert open_rows(cohort.root / "g.npy").shape == (0, 8, 8, 8)


def test_a_shard_holds_its_own_cases_alone_and_equal_input_gives_equal_bytes(cohort: Cohort) -> None:
    assert cohort.volumes(shard=2)[1]["case_id"].tolist() == ["h-R-00m"]
    cohort.volumes(out="a")
    cohort.images.reverse()
    cohort.write()
    cohort.volumes(out="b")
    for suffix in (".npy", ".parquet", ".exclusions.parquet"):
        assert sha256_file(cohort.root / f"a{suffix}") == sha256_file(cohort.root / f"b{suffix}")


def test_a_grid_has_the_same_rows_at_another_size(cohort: Cohort) -> None:
    array, _, _ = cohort.volumes()
    cohort.resample("g", (32, 32, 32))
    result = open_rows(cohort.root / "g.npy")
    assert result.shape == (5, 32, 32, 32)
    assert result.dtype == np.float16
    for row in (0, 3):
        np.testing.assert_array_equal(result[row], stretch(array[row], (32, 32, 32)).astype(np.float16))
    grid_index, volumes = VOLUMES.read(cohort.root / "g.parquet"), VOLUMES.read(cohort.root / "v.parquet")
    assert grid_index.drop(columns="digest").equals(volumes.drop(columns="digest"))
    for index, rows in ((grid_index, result), (volumes, array)):
        assert index["digest"].tolist() == [hashlib.sha256(rows[row].tobytes()).hexdigest()[:32] for row in index["row"]]
    with pytest.raises(KneeoaError, match="both need three axes"):
        cohort.resample("g2", (32, 32))


def test_volumes_in_a_view_of_radiographs_are_rows_of_exclusions(cohort: Cohort) -> None:
    array, index, excluded = cohort.volumes(view=View(dimensions=2, shape=(10, 10), spacing=(1, 1)))
    assert (len(array), len(index)) == (0, 0)
    assert excluded["reason"].tolist() == ["wrong-format"] * 6


@pytest.mark.parametrize("name", ["d.png", "d.zip", "d"])
def test_a_mask_that_is_no_volume_costs_the_mask_alone(cohort: Cohort, name: str) -> None:
    path = write_png(cohort.root / "odd" / "d.png", np.eye(40))
    if name == "d.zip":
        with zipfile.ZipFile(cohort.root / "odd" / name, "w") as archive:
            archive.write(path, path.name)
    format = {"d.png": "png", "d.zip": "dicom-archive", "d": "dicom"}[name]
    odd = "odd" if name == "d" else f"odd/{name}"
    masks = [row["case_id"] == "d-R-00m" and row["role"] == "mask" for row in cohort.images]
    cohort.images = [row | {"path": odd, "format": format} if mask else row for row, mask in zip(cohort.images, masks, strict=True)]
    cohort.write()
    cohort.volumes()
    _, index, excluded = cohort.masks()
    assert index["case_id"].tolist() == ["c-L-00m", "e-R-00m"]
    assert excluded.set_index("case_id").loc["d-R-00m", ["scope", "reason"]].tolist() == [
        "mask",
        "wrong-format" if name == "d.png" else "too-few-slices",
    ]


def test_the_index_says_where_the_images_centre_lies(cohort: Cohort) -> None:
    view = View(shape=(20, 40, 40), spacing=SPACING, region=Region(offset=(2 * SPACING[0], -3 * SPACING[1], 4 * SPACING[2])))
    _, plain, _ = cohort.volumes()
    _, moved, _ = cohort.volumes(out="w", view=view)
    for before, after in zip(plain.itertuples(), moved.itertuples(), strict=True):
        assert before.source_centre.tolist() == [(size - 1) / 2 for size in SHAPE]
        np.testing.assert_allclose(after.source_centre, (9.5 - 2, 19.5 + 3, 19.5 - 4), atol=1e-6)
        there = [np.reshape(row.affine, (4, 4)) @ (*row.source_centre, 1) for row in (before, after)]
        np.testing.assert_allclose(*there, atol=1e-9)


def test_a_row_is_the_same_bytes_whatever_else_is_in_its_shard(cohort: Cohort) -> None:
    array, index, _ = cohort.volumes()
    cohort.cases, cohort.images = ([row for row in rows if row["case_id"] == "e-R-00m"] for rows in (cohort.cases, cohort.images))
    cohort.write()
    alone, alone_index, _ = cohort.volumes(out="alone")
    assert alone.shape[0] == 1
    np.testing.assert_array_equal(alone[0], array[2])
    together = index[index["case_id"] == "e-R-00m"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone_index.drop(columns="row"), together.drop(columns="row"), check_exact=True)


def broken(error: Exception) -> Callable[..., Ingested]:
    """An ``ingest`` that fails on the third case with an error that nobody foresaw."""

    def fail(root: Path, file: dict[str, Any], view: View, side: str | None) -> Ingested:
        if file["case_id"] == "d-R-00m":
            raise error
        return ingest(root, file, view, side)

    return fail


@pytest.mark.parametrize(("error", "reason"), [
    (PermissionError(13, "Permission denied"), "unreadable"),
    (OSError("stale"), "unreadable"),
    (ZeroDivisionError("Doe^Jane"), "unexpected-error"),
    (IndexError("Doe^Jane"), "unexpected-error"),
])  # fmt: skip
def test_an_unforeseen_error_costs_its_image_and_not_the_shard(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, reason: str
) -> None:
    sound, _, _ = cohort.volumes()
    monkeypatch.setattr("kneeoa.ingestion.shard.ingest", broken(error))
    with caplog.at_level(logging.INFO):
        array, index, excluded = cohort.volumes(out="x")
    assert index["case_id"].tolist() == ["c-L-00m", "e-R-00m", "f-R-00m", "g-R-00m"]
    np.testing.assert_array_equal(array, sound[[0, 2, 3, 4]])
    row = excluded.set_index("case_id").loc["d-R-00m"]
    assert (row["reason"], row["subject"], row["stage"], row["scope"]) == (reason, "d", "volumes", "case")
    # A decoder's message may quote a header; where in the code it happened is in the log, what it
    # said is nowhere.
    assert "Doe" not in row["detail"] + caplog.text
    assert str(cohort.root) not in row["detail"]
    assert ("in fail" in caplog.text) == (reason == "unexpected-error")


@pytest.mark.parametrize("error", [MemoryError(), ImportError("no codec"), KneeoaError("the view is wrong.")])
def test_what_is_no_images_fault_stops_the_shard_and_leaves_nothing(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("kneeoa.ingestion.shard.ingest", broken(error))
    before = sorted(path.name for path in cohort.root.iterdir())
    with pytest.raises(type(error)):
        cohort.volumes(out="x")
    assert sorted(path.name for path in cohort.root.iterdir()) == before


def test_the_log_tells_how_far_a_shard_is(cohort: Cohort, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("kneeoa.ingestion.shard._PROGRESS_CASES", 2)
    with caplog.at_level(logging.INFO, logger="kneeoa.ingestion.shard"):
        cohort.volumes()
    lines = [record.message for record in caplog.records if "left" in record.message]
    assert [line.split(",")[0] for line in lines] == ["2 of 6 images", "4 of 6 images"]

"""The side that a file speaks for, by its header's words and by its place in the scanner, against
the side that the tables give it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from kneeoa.config.volumes import View
from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.side import header_side
from kneeoa.formats.header_claims import Claims
from kneeoa.formats.side_words import side_of_text
from kneeoa.formats.volume import Volume
from kneeoa.ingestion.ingest import ingest
from kneeoa.ingestion.ingested import Ingested
from kneeoa.ingestion.shard import make_volumes
from kneeoa.masks.quality_ranking import rank_quality
from kneeoa.phantom.radiograph_files import write_radiograph
from kneeoa.tables.cohort import CASES, EXCLUSIONS, IMAGES
from kneeoa.tables.shards import VOLUMES
from kneeoa.volumes.scanner_side import scanner_side
from tests.unit.formats.made import grid, pattern, write_enhanced, write_nifti, write_series

SHAPE, SPACING = (6, 8, 10), (4.0, 3.0, 3.0)
VIEW = View(shape=SHAPE, spacing=SPACING)
FLAT = View(dimensions=2, shape=(24, 20), fit="extent", negatives="keep")
AFFINE = grid("RIP", SPACING, (-10.0, 5.0, 7.0))


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("SAG_3D_DESS_LEFT", "L"),
        ("KNEE LEFT PA", "L"),
        ("Knee Rt", "R"),
        ("LKNEE", "L"),
        ("KneeRight", "R"),
        ("SAG PD L KNEE", "L"),
        ("SAG PD KNEE (R)", "R"),
        ("T2_SAG_R", "R"),
        ("L SAG PD", "L"),
        ("SAG PD FS L 2", "L"),
        ("genou gauche", "L"),
        ("Knie rechts", "R"),
        ("Rodilla izquierda", "L"),
        ("MR Knie li.", "L"),
        ("GENOU G PD", "L"),
        ("PD genou D", "R"),
        ("Rodilla dcha", "R"),
        ("Ginocchio sx", "L"),
        ("joelho E", "L"),
        ("KNEE G PD", None),
        ("DX MRI SAG", None),
        ("Kniegelenk re", "R"),
        ("Knä höger", "R"),
        ("Høyre kne", "R"),
        ("kolano lewe", "L"),
        ("RE SAG PD", None),
        ("MRI LEFT KNEE R/O TEAR", "L"),
        ("SAG PD", None),
        ("MRI KNEE R/O TEAR", None),
        ("T/R KNEE COIL", None),
        ("COR PD R/L", None),
        ("COR PD KNEE R-L", None),
        ("KNEES LEFT AND RIGHT", None),
        ("BILATERAL KNEES L", None),
        ("SAG L2 PD", None),
        ("UPRIGHT KNEE", None),
        ("SAG R COIL PD", None),
        ("", None),
    ],
)
def test_a_description_names_a_side_by_a_word_or_by_a_letter_in_its_place(text: str, side: str | None) -> None:
    assert side_of_text(text) == side


def code(value: str, meaning: str = "") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


def step(description: str) -> Dataset:
    item = Dataset()
    item.ScheduledProcedureStepDescription = description
    return item


def anatomy(modifier: Dataset, meaning: str = "Knee") -> Sequence:
    region = code("72696002", meaning)
    region.AnatomicRegionModifierSequence = Sequence([modifier])
    return Sequence([region])


LEFT: dict[str, dict[str, Any]] = {
    "laterality of the image": {"ImageLaterality": "L"},
    "laterality of the series": {"Laterality": "L"},
    "laterality in a word": {"Laterality": "LEFT"},
    "the series' description": {"SeriesDescription": "SAG_PD_LEFT"},
    "a letter in the series' description": {"SeriesDescription": "SAG PD L KNEE"},
    "the protocol": {"SeriesDescription": "SAG PD", "ProtocolName": "KNEE LEFT"},
    "the study": {"SeriesDescription": "SAG PD", "StudyDescription": "MRI KNEE LEFT"},
    "the body part": {"BodyPartExamined": "LKNEE"},
    "the procedure step": {"PerformedProcedureStepDescription": "MR Knie links"},
    "the requested procedure": {"RequestedProcedureDescription": "MRI LT KNEE W/O CONTRAST"},
    "the procedure's code": {"ProcedureCodeSequence": Sequence([code("x", "MRI Left Knee")])},
    "the scheduled step": {"RequestAttributesSequence": Sequence([step("KNEE LT WO")])},
    "a code's number": {"AnatomicRegionSequence": anatomy(code("7771000"))},
    "a code as it was written before": {"AnatomicRegionSequence": anatomy(code("G-A101"))},
    "a code's meaning": {"AnatomicRegionSequence": anatomy(code("x", "Left"))},
    "the region's name": {"AnatomicRegionSequence": anatomy(code("x"), "Left knee")},
}


def attempt(root: Path, file: str, format: str, view: View, side: str) -> Ingested | str:
    """The volume that is read, or the reason why none is."""
    row = {"path": file, "format": format, "shows": "knee", "centre_row": None, "centre_column": None}
    try:
        return ingest(root, row, view, side)
    except UnusableImage as error:
        return error.reason


@pytest.mark.parametrize("name", LEFT)
def test_whatever_names_the_other_side_contradicts_the_tables(tmp_path: Path, name: str) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE, **LEFT[name])
    assert attempt(tmp_path, "s", "dicom", VIEW, "R") == "wrong-side"
    assert isinstance(attempt(tmp_path, "s", "dicom", VIEW, "L"), Ingested)
    picture = np.linspace(0, 1, 24 * 20).reshape(24, 20)
    write_radiograph(tmp_path / "f.dcm", picture, 0.5, **({"ImageLaterality": None} | LEFT[name]))
    assert attempt(tmp_path, "f.dcm", "dicom-file", FLAT, "R") == "wrong-side"
    assert isinstance(attempt(tmp_path, "f.dcm", "dicom-file", FLAT, "L"), Ingested)


@pytest.mark.parametrize("where", ["shared", "frames"])
def test_the_laterality_of_frames_is_asked(tmp_path: Path, where: str) -> None:
    path = write_enhanced(tmp_path / "e.dcm", [pattern(SHAPE)], AFFINE, [10.0])
    data = pydicom.dcmread(path)
    item = Dataset()
    item.FrameLaterality = "L"
    groups = data.SharedFunctionalGroupsSequence if where == "shared" else data.PerFrameFunctionalGroupsSequence
    for group in groups:
        group.FrameAnatomySequence = Sequence([item])
    data.save_as(path)
    assert attempt(tmp_path, "e.dcm", "dicom-file", VIEW, "R") == "wrong-side"
    assert isinstance(attempt(tmp_path, "e.dcm", "dicom-file", VIEW, "L"), Ingested)


def test_only_the_frames_that_are_read_are_asked(tmp_path: Path) -> None:
    data = pydicom.dcmread(write_enhanced(tmp_path / "e.dcm", [pattern(SHAPE)] * 2, AFFINE, [10.0, 20.0], shuffle=False))
    for number, group in enumerate(data.PerFrameFunctionalGroupsSequence):
        item = Dataset()
        item.FrameLaterality = "LR"[number % 2]
        group.FrameAnatomySequence = Sequence([item])
    assert header_side(data, range(0, 12, 2)) == Claims(near=frozenset("L"))
    assert header_side(data, range(12)).value is None


@pytest.mark.parametrize("side", ["L", "R"])
def test_a_series_whose_own_claims_differ_is_nobodys(tmp_path: Path, side: str) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE, Laterality="R", SeriesDescription="SAG PD LEFT")
    assert attempt(tmp_path, "s", "dicom", VIEW, side) == "wrong-side"


@pytest.mark.parametrize(
    "tags",
    [
        {"StudyDescription": "MRI BOTH KNEES"},
        {"StudyDescription": "MR KNEES LEFT AND RIGHT", "ProtocolName": "KNEE R/L"},
        {"SeriesDescription": "SAG PD R/O TEAR"},
        {"Laterality": "U", "ImageLaterality": ""},
        {"AnatomicRegionSequence": Sequence([])},
    ],
)
@pytest.mark.parametrize("side", ["L", "R"])
def test_a_header_that_names_no_side_alone_contradicts_none(tmp_path: Path, tags: dict[str, Any], side: str) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE, **tags)
    read = attempt(tmp_path, "s", "dicom", VIEW, side)
    assert isinstance(read, Ingested)
    assert read.flags == ()


def test_a_study_named_for_the_other_side_is_flagged_where_its_series_is_right(tmp_path: Path) -> None:
    tags = {"SeriesDescription": "SAG PD RIGHT", "StudyDescription": "MRI KNEE LEFT"}
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE, **tags)
    write_radiograph(tmp_path / "f.dcm", np.linspace(0, 1, 24 * 20).reshape(24, 20), 0.5, ImageLaterality="R", StudyDescription="KNEE L")
    for read in (attempt(tmp_path, "s", "dicom", VIEW, "R"), attempt(tmp_path, "f.dcm", "dicom-file", FLAT, "R")):
        assert isinstance(read, Ingested)
        assert [reason for reason, _ in read.flags] == ["other-side-in-header"]
    assert attempt(tmp_path, "s", "dicom", VIEW, "L") == "wrong-side"


def at(x: float, codes: str = "RIP") -> np.ndarray:
    """A grid whose middle lies ``x`` mm to the patient's right."""
    affine = grid(codes, SPACING, (0.0, 11.0, -23.0))
    affine[0, 3] = x - (affine @ (*(np.array(SHAPE) - 1) / 2, 1.0))[0]
    return affine


@pytest.mark.parametrize("codes", ["RIP", "LIP", "PSL", "ARS"])
def test_a_volume_beside_the_midline_lies_on_a_side(codes: str) -> None:
    for x, place in ((57.0, "R"), (-80.0, "L"), (30.0, "R"), (-30.0, "L")):
        assert scanner_side(Volume(pattern(SHAPE), at(x, codes))) == (place, pytest.approx(abs(x)))
    for x in (0.0, 15.0, -20.0):
        assert scanner_side(Volume(pattern(SHAPE), at(x, codes))) is None


@pytest.mark.parametrize("codes", ["RIP", "LIP", "PSL", "ARS"])
def test_a_volume_whose_place_nobody_wrote_lies_on_none(codes: str) -> None:
    """With its first voxel at the origin, however its axes were turned afterwards."""
    large = np.zeros((60, 60, 60), dtype=np.int16)
    affine = grid(codes, (2.0, 2.0, 2.0))
    assert scanner_side(Volume(large, affine)) is None
    flipped = affine.copy()
    flipped[:3, 0] *= -1
    flipped[:3, 3] = affine[:3, 0] * 59
    assert scanner_side(Volume(large[::-1], flipped)) is None


@pytest.mark.parametrize("side", ["L", "R"])
def test_a_series_on_the_other_side_of_the_scanner_is_flagged_and_read(tmp_path: Path, side: str) -> None:
    for x, place in ((60.0, "R"), (-60.0, "L"), (0.0, None)):
        write_series(tmp_path / f"{x}", pattern(SHAPE), at(x))
        read = attempt(tmp_path, f"{x}", "dicom", VIEW, side)
        assert isinstance(read, Ingested)
        assert [reason for reason, _ in read.flags] == (["other-side-in-scanner"] if place not in (None, side) else [])


def test_what_is_flagged_stays_in_the_study_and_comes_first_in_quality_control(tmp_path: Path) -> None:
    cases, images = [], []
    for subject, x in (("a", 60.0), ("b", -60.0)):
        write_nifti(tmp_path / f"{subject}.nii.gz", pattern(SHAPE), at(x))
        row = {"cohort": "main", "case_id": f"{subject}-R-00m", "shard": 0}
        cases.append({**dict.fromkeys(CASES.schema.names), **row, "subject": subject, "side": "R", "visit": "00m"})
        file = {"view": "sag", "role": "image", "path": f"{subject}.nii.gz", "format": "nifti", "shows": "knee"}
        images.append({**dict.fromkeys(IMAGES.schema.names), **row, **file})
    tables = {name: tmp_path / f"{name}.parquet" for name in ("cases", "images", "index", "exclusions")}
    CASES.write(tables["cases"], cases)
    IMAGES.write(tables["images"], images)
    make_volumes(
        images=tables["images"], cases=tables["cases"], root=tmp_path, cohort="main", view_name="sag", view=VIEW, shard=0,
        out_array=tmp_path / "v.npy", out_index=tables["index"], out_exclusions=tables["exclusions"],
    )  # fmt: skip
    assert VOLUMES.read(tables["index"])["case_id"].tolist() == ["a-R-00m", "b-R-00m"]
    rows = EXCLUSIONS.read(tables["exclusions"])
    assert rows[["case_id", "stage", "scope", "reason"]].to_numpy().tolist() == [["b-R-00m", "volumes", "flag", "other-side-in-scanner"]]
    assert rows["detail"].item() == "b.nii.gz: its middle lies 60 mm to the patient's left, and its side is R; which is right?"
    ranked = rank_quality([tables["index"]], [], [], [tables["exclusions"]], "sag", None)
    assert ranked[["case_id", "flagged", "has_image"]].to_numpy().tolist() == [["b-R-00m", True, True], ["a-R-00m", False, True]]

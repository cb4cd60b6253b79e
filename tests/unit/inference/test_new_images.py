"""Images that a folder or a table names, and whose knees they show."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from kneeoa.config.volumes import View
from kneeoa.errors import KneeoaError
from kneeoa.inference.new_images import list_images
from kneeoa.phantom.radiograph_files import write_radiograph
from tests.unit.formats.made import grid, pattern, write_nifti, write_series

VOLUME = View(shape=(4, 8, 8), spacing=(3, 3, 3))
FRONTAL = View(dimensions=2, shape=(32, 32), fit="extent")
LATERAL = View(dimensions=2, shape=(32, 32), fit="extent", projection="lateral")
AFFINE = grid("LIP", (3.0, 1.0, 1.0))


def scan(images, view=VOLUME, side=None, shows="knee"):
    listed = list_images(images, view, side, shows)
    return {image.case: (image.path, image.format, image.side) for image in listed.images}, {case: why for case, why, _ in listed.unusable}


def test_a_folder_of_files_and_series_is_searched_to_its_ends(tmp_path):
    for name in ("one_R.nii.gz", "deep/er/two_left.nii.gz", "three.nii.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_nifti(tmp_path / name, pattern((4, 8, 8)), AFFINE)
    write_series(tmp_path / "series", pattern((4, 8, 8)), AFFINE, SeriesDescription="SAG_3D_DESS_LEFT")
    write_series(tmp_path / "mute", pattern((4, 8, 8)), AFFINE)
    (tmp_path / "notes.txt").write_text("a visitor")
    (tmp_path / ".hidden.nii").write_text("nobody")
    images, unusable = scan(tmp_path)
    assert images == {
        "one_R": ("one_R.nii.gz", "nifti", "R"),
        "deep/er/two_left": ("deep/er/two_left.nii.gz", "nifti", "L"),
        "series": ("series", "dicom", "L"),
    }
    assert unusable == {"three": "unknown-side", "mute": "unknown-side", "notes.txt": "unknown-file"}
    images, unusable = scan(tmp_path, side="R")
    assert {side for _, _, side in images.values()} == {"R"}
    assert unusable == {"notes.txt": "unknown-file"}


def test_a_folder_above_tells_no_side_unless_it_is_named_for_one(tmp_path):
    for name in ("left_out/p1.nii.gz", "cohort_R/p2.nii.gz", "Site L/p3.nii.gz", "right_hospital/p4.nii.gz", "left/p5.nii.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_nifti(tmp_path / name, pattern((4, 8, 8)), AFFINE)
    images, unusable = scan(tmp_path)
    assert images == {"left/p5": ("left/p5.nii.gz", "nifti", "L")}
    assert unusable == dict.fromkeys(("left_out/p1", "cohort_R/p2", "Site L/p3", "right_hospital/p4"), "unknown-side")


def test_a_series_without_a_telling_name_is_of_the_side_that_its_header_claims(tmp_path):
    claims = {
        "protocol": {"ProtocolName": "KNEE LEFT"},
        "letter": {"SeriesDescription": "SAG PD R KNEE"},
        "body": {"BodyPartExamined": "LKNEE"},
        "torn": {"SeriesDescription": "SAG LEFT", "Laterality": "R"},
    }
    for name, tags in claims.items():
        write_series(tmp_path / "cohort_R" / name, pattern((4, 8, 8)), AFFINE, **tags)
    images, unusable = scan(tmp_path)
    assert {case: side for case, (_, _, side) in images.items()} == {"cohort_R/protocol": "L", "cohort_R/letter": "R", "cohort_R/body": "L"}
    assert unusable == {"cohort_R/torn": "unknown-side"}


def test_a_series_alone_and_a_single_file_are_cases_too(tmp_path):
    write_series(tmp_path / "knee_R", pattern((4, 8, 8)), AFFINE)
    assert scan(tmp_path / "knee_R", side="R")[0] == {"knee_R": (".", "dicom", "R")}
    path = write_nifti(tmp_path / "left.nii.gz", pattern((4, 8, 8)), AFFINE)
    assert scan(path)[0] == {"left": ("left.nii.gz", "nifti", "L")}


def test_slices_without_preamble_and_suffix_are_a_series(tmp_path):
    for path in write_series(tmp_path / "knee_R", pattern((4, 8, 8)), AFFINE):
        path.write_bytes(path.read_bytes()[132:])
    (tmp_path / "notes").write_text("a visitor")
    assert scan(tmp_path) == ({"knee_R": ("knee_R", "dicom", "R")}, {"notes": "unknown-file"})


def test_a_damaged_header_keeps_its_own_reason(tmp_path):
    (tmp_path / "series").mkdir()
    for name in ("1.dcm", "2.dcm"):
        (tmp_path / "series" / name).write_bytes(b"\0" * 128 + b"DICM" + b"damage")
    assert scan(tmp_path)[1] == {"series": "unreadable"}


def test_a_table_says_what_names_do_not(tmp_path):
    (tmp_path / "new.csv").write_text("Path,case,side,row,column\na.nii.gz,17,Left,,\nb/c_L.nii.gz,,r,,\nd_R.nii,18,,4,5.5\n")
    listed = list_images(tmp_path / "new.csv", VOLUME, None, "knee")
    assert [(image.case, image.side, image.centre) for image in listed.images] == [
        ("17", "L", None),
        ("18", "R", (4.0, 5.5)),
        ("b/c_L", "R", None),
    ]
    assert listed.root == tmp_path


def test_bilateral_pictures_are_two_cases_and_lateral_ones_need_no_side(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"")
    assert {case: side for case, (_, _, side) in scan(tmp_path, FRONTAL, shows="both")[0].items()} == {
        "a-L": "L", "a-R": "R", "b-L": "L", "b-R": "R"
    }  # fmt: skip
    assert scan(tmp_path, FRONTAL)[1] == {"a": "unknown-side", "b": "unknown-side"}
    assert scan(tmp_path, LATERAL)[0] == {"a": ("a.png", "png", None), "b": ("b.png", "png", None)}
    assert scan(tmp_path, VOLUME)[1] == {"a": "unknown-file", "b": "unknown-file"}


def test_archives_and_folders_of_a_radiograph_are_cases_of_their_headers_side(tmp_path):
    for name in ("exam/001", "zipped/SE000/001"):
        write_radiograph(tmp_path / name, np.eye(24), 0.5, ImageLaterality="R")
    with zipfile.ZipFile(tmp_path / "film.zip", "w") as archive:
        archive.write(tmp_path / "zipped/SE000/001", "SE000/001")
    (tmp_path / "films.csv").write_text("path\nexam\nfilm.zip\nzipped\n")
    images, unusable = scan(tmp_path / "films.csv", FRONTAL)
    assert images == {
        "exam": ("exam", "dicom", "R"), "film": ("film.zip", "dicom-archive", "R"), "zipped": ("zipped", "dicom", "R")
    }  # fmt: skip
    assert unusable == {}
    assert scan(tmp_path / "film.zip", FRONTAL)[0] == {"film": ("film.zip", "dicom-archive", "R")}


def test_what_cannot_be_listed_is_said_in_a_sentence(tmp_path):
    def attempt(images, expected):
        with pytest.raises(KneeoaError, match=expected):
            list_images(images, VOLUME, "R", "knee")

    attempt(tmp_path / "nowhere", "is not there")
    attempt(tmp_path, "holds no image")
    (tmp_path / "twice.csv").write_text("path,case\na.nii,1\nb.nii,1\n")
    attempt(tmp_path / "twice.csv", "two images are called '1'")
    (tmp_path / "side.csv").write_text("path,side\na.nii,up\n")
    attempt(tmp_path / "side.csv", "line 2: 'side' is 'up'; expected L or R")
    (tmp_path / "shows.csv").write_text("path,shows\na.nii,three\n")
    attempt(tmp_path / "shows.csv", "'shows' is 'three'")
    (tmp_path / "column.csv").write_text("file\na.nii\n")
    attempt(tmp_path / "column.csv", "lacks the column 'path'")

"""Masks of radiographs: turned, cut and mirrored as their picture, judged by its edges."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kneeoa.config.volumes import MaskChecks, View
from kneeoa.errors import UnusableImage
from kneeoa.ingestion.ingest import ingest
from kneeoa.ingestion.shard import _index_columns
from kneeoa.masks.radiograph import PictureMask, align_picture_mask
from kneeoa.phantom.radiograph import Exposure, Scene, label_knee, render
from kneeoa.phantom.radiograph_files import write_png, write_radiograph
from kneeoa.phantom.radiograph_knee import KneeShape
from kneeoa.radiographs.radiograph import DisplayTransform
from kneeoa.radiographs.read import read_radiograph

TISSUES = {"femur": (1,), "joint_space_lateral": (4,), "joint_space_medial": (3,), "tibia": (2,)}
VIEW = View(dimensions=2, shape=(110, 110), spacing=(1.2, 1.2))
SCENE = Scene(
    (300, 440),
    0.9,
    {"R": (4.0, -98.0), "L": (-3.0, 100.0)},
    {"R": KneeShape(gaps=(2.5, 5.0)), "L": KneeShape(width=72.0, osteophytes=(3.0, 1.0, 3.0, 2.0))},
    {"R": 2.0, "L": -1.5},
    1.5,
    Exposure(marker=""),
)
PICTURE = render(SCENE, np.random.default_rng(3)).picture
TURNS = {"as-stored": ["L", "F"], "columns": ["R", "F"], "rows": ["L", "H"], "transposed": ["F", "L"], "transposed-columns": ["F", "R"]}


def stored(shown: NDArray[Any], turn: str) -> NDArray[Any]:
    """A displayed array as a file of that turn stores it."""
    if "rows" in turn:
        shown = shown[::-1]
    if "columns" in turn:
        shown = shown[:, ::-1]
    return np.ascontiguousarray(shown.T if "transposed" in turn else shown)


def aligned(
    folder: Path, side: str, labels: NDArray[Any], turn: str = "as-stored", tissues: dict[str, tuple[int, ...]] = TISSUES, **checks: Any
) -> tuple[PictureMask, NDArray[np.float16]]:
    """The mask on the grid of one knee of the scene, whose file is stored in a turn; and the
    image.
    """
    file = write_radiograph(folder / "a.dcm", stored(PICTURE, turn), SCENE.spacing, PatientOrientation=TURNS[turn])
    row = {"path": file.name, "format": "dicom-file", "shows": "both", "centre_row": None, "centre_column": None}
    image = ingest(folder, row, VIEW, side)
    index = {**_index_columns(image), "mirrored": side == "L"}
    display = read_radiograph(file, "dicom-file", "frontal").turn
    return align_picture_mask(stored(labels, turn), display, image.array, index, tissues, MaskChecks(**checks)), image.array


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("side", ["R", "L"])
def test_a_mask_follows_its_picture_however_the_file_is_stored(tmp_path: Path, side: str, turn: str) -> None:
    mask, image = aligned(tmp_path, side, label_knee(SCENE, side), turn)
    assert mask.doubts == []
    assert mask.alignment is not None
    assert mask.alignment.boundary > 0.95
    assert mask.inside == 1.0
    bone = np.isin(mask.array, [1, 4])
    assert image[bone].mean() > image[~bone].mean() + 0.5
    # Of every knee the lateral side is on the picture's left.
    assert np.nonzero(mask.array == 2)[1].mean() < np.nonzero(mask.array == 3)[1].mean()
    widths = {region.name: region.thickness for region in mask.regions}
    gaps = dict(zip(("joint_space_medial", "joint_space_lateral"), SCENE.knees[side].gaps, strict=True))
    assert all(widths[name] == pytest.approx(gap, abs=1.0) for name, gap in gaps.items())


def test_every_turn_gives_the_same_mask(tmp_path: Path) -> None:
    masks = [aligned(tmp_path, "L", label_knee(SCENE, "L"), turn)[0].array for turn in TURNS]
    assert all((mask != masks[0]).mean() < 0.01 for mask in masks)


def shifted(labels: NDArray[Any]) -> NDArray[Any]:
    return np.roll(labels, 12, axis=0)


@pytest.mark.parametrize(
    ("labels", "reason", "words"),
    [
        (label_knee(SCENE, "L"), "mask-misaligned", "the other knee's"),
        (label_knee(SCENE, "R")[::-1], "mask-misaligned", "upside down"),
        (label_knee(SCENE, "R")[:, ::-1], "mask-misaligned", "the other knee's"),
        (shifted(label_knee(SCENE, "R")), "mask-misaligned", "stands out"),
        (np.array([0, 1, 2, 4, 3], dtype=np.uint8)[label_knee(SCENE, "R")], "mask-misaligned", "exchanged"),
        (np.zeros_like(label_knee(SCENE, "R")), "mask-empty", "no label"),
    ],
    ids=["other knee", "flipped", "mirrored", "shifted", "sides exchanged", "empty"],
)
def test_a_wrong_mask_is_doubted(tmp_path: Path, labels: NDArray[Any], reason: str, words: str) -> None:
    doubts = aligned(tmp_path, "R", labels)[0].doubts
    assert doubts[0][0] == reason
    assert any(words in sentence for _, sentence in doubts), doubts


@pytest.mark.parametrize(("axis", "by"), [(0, 3), (1, -3)])
def test_a_mask_a_little_beside_its_knee_says_how_far(tmp_path: Path, axis: int, by: int) -> None:
    mask = aligned(tmp_path, "R", np.roll(label_knee(SCENE, "R"), by, axis=axis))[0]
    assert mask.alignment is not None
    assert mask.alignment.shift is not None
    assert mask.alignment.shift[1 + axis] == pytest.approx(-by * SCENE.spacing, abs=1.0)
    assert abs(mask.alignment.shift[2 - axis]) < 0.6


def test_a_mask_of_other_pixels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableImage) as caught:
        aligned(tmp_path, "R", label_knee(SCENE, "R")[:, :-1])
    assert caught.value.reason == "wrong-dimensions"
    assert "300 x 439 pixels and its radiograph 300 x 440" in caught.value.detail


def test_a_mask_of_the_joint_space_alone_is_judged_by_it(tmp_path: Path) -> None:
    alone = {"joint_space": (3, 4)}
    good, moved = (
        aligned(tmp_path, "R", np.where(np.isin(labels, [3, 4]), labels, 0), tissues=alone)[0]
        for labels in (label_knee(SCENE, "R"), shifted(label_knee(SCENE, "R")))
    )
    assert good.alignment is not None
    assert moved.alignment is not None
    assert good.alignment.boundary > moved.alignment.boundary + 0.3


def test_a_mask_of_neither_bone_nor_joint_is_not_judged_by_edges(tmp_path: Path) -> None:
    mask = aligned(tmp_path, "R", label_knee(SCENE, "R"), tissues={"effusion": (3,)})[0]
    assert mask.alignment is None
    assert (mask.doubts, mask.regions) == ([], [])
    assert set(np.unique(mask.array)) == {0, 1}


def test_nearest_and_linear_differ_at_borders_alone(tmp_path: Path) -> None:
    linear, nearest = (aligned(tmp_path, "R", label_knee(SCENE, "R"), interpolation=kind)[0].array for kind in ("linear", "nearest"))
    assert 0 < (linear != nearest).mean() < 0.02


def test_a_picture_without_a_pixel_size_is_judged_and_not_measured(tmp_path: Path) -> None:
    row, column = (round(value) for value in SCENE.place("L"))
    piece = (slice(row - 75, row + 75), slice(column - 75, column + 75))
    write_png(tmp_path / "a.png", PICTURE[piece])
    file = {"path": "a.png", "format": "png", "shows": "knee", "centre_row": None, "centre_column": None}
    image = ingest(tmp_path, file, View(dimensions=2, shape=(100, 100), fit="extent"), "L")
    index = {**_index_columns(image), "mirrored": True}
    mask = align_picture_mask(label_knee(SCENE, "L")[piece], DisplayTransform(), image.array, index, TISSUES, MaskChecks())
    assert (mask.doubts, mask.regions, mask.measured) == ([], [], False)
    assert mask.alignment is not None
    assert mask.alignment.boundary > 0.9

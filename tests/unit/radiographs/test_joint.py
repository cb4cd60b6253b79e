"""Localise the joints: bilateral phantoms of every exposure, and pictures on which no joint must be
believed.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kneeoa.config.volumes import View
from kneeoa.errors import UnusableImage
from kneeoa.ingestion.ingest import ingest
from kneeoa.ingestion.ingested import Ingested
from kneeoa.phantom.radiograph import Drawn, Exposure, Scene, random_scene, render
from kneeoa.phantom.radiograph_files import write_png, write_radiograph
from kneeoa.phantom.radiograph_knee import knee_of_severity
from kneeoa.radiographs.exposed_field import exposed_field

SPACING = 1.25
SHAPE = (280, 344)
VIEW = View(dimensions=2, shape=(56, 56), spacing=(2.5, 2.5))
PADDED = View(dimensions=2, shape=(56, 56), fit="pad")


def scene(seed: int) -> Drawn:
    rng = np.random.default_rng(seed)
    return render(random_scene(rng, SHAPE, SPACING), rng)


def both(
    folder: Path, picture: np.ndarray, side: str | None, view: View = VIEW, place: tuple[float, float] | None = None, **tags: Any
) -> Ingested:
    path = write_radiograph(folder / "a.dcm", picture, **{"spacing": SPACING, **tags})
    row, column = place or (None, None)
    file = {"path": path.name, "format": "dicom-file", "shows": "both", "centre_row": row, "centre_column": column}
    return ingest(folder, file, view, side)


def off(piece: Ingested, drawn: Drawn, side: str) -> float:
    """Millimetres between the joint that was found and the true one."""
    assert piece.joint is not None
    return SPACING * float(np.hypot(*(one - other for one, other in zip(piece.joint, drawn.centres[side], strict=True))))


@pytest.mark.parametrize("seed", range(6))
def test_both_joints_are_found_to_millimetres(tmp_path: Path, seed: int) -> None:
    drawn = scene(seed)
    for side in "RL":
        piece = both(tmp_path, drawn.picture, side, bits=(8, 10, 12, 14, 16)[seed % 5], inverted=bool(seed % 2))
        assert off(piece, drawn, side) < 5
        assert piece.joint_fit is not None
        assert piece.joint_fit > 0.45
        assert piece.negative is False


def test_without_millimetres_the_piece_follows_the_knee(tmp_path: Path) -> None:
    drawn = scene(0)
    for side in "RL":
        piece = both(tmp_path, drawn.picture, side, PADDED, spacing=None)
        assert off(piece, drawn, side) < 6
        assert np.isnan(piece.source_spacing).all()
        # One and a half widths of a plateau of 66 to 90 mm, in pixels of the file.
        assert 85 < 56 * np.linalg.norm(piece.affine[:3, 1]) * SPACING < 160


def test_the_patients_right_is_on_the_left_and_a_mirrored_header_turns_it(tmp_path: Path) -> None:
    drawn = scene(1)
    right, left = (both(tmp_path, drawn.picture, side).joint for side in "RL")
    assert right is not None
    assert left is not None
    assert right[1] < left[1]
    turned = both(tmp_path, drawn.picture[:, ::-1], "R", PatientOrientation=["R", "F"])
    assert turned.joint == pytest.approx(right)


def test_a_negative_is_turned_excluded_or_kept_as_the_view_says(tmp_path: Path) -> None:
    drawn = scene(2)
    usual = both(tmp_path, drawn.picture, "R")
    negative = both(tmp_path, 1 - drawn.picture, "R")
    assert negative.negative is True
    assert negative.joint == pytest.approx(usual.joint, abs=0.1)
    assert np.abs(negative.array.astype(float) - usual.array).max() < 0.02
    with pytest.raises(UnusableImage) as caught:
        both(tmp_path, 1 - drawn.picture, "R", VIEW.model_copy(update={"negatives": "exclude"}))
    assert caught.value.reason == "negative-picture"
    with pytest.raises(UnusableImage) as caught:
        both(tmp_path, 1 - drawn.picture, "R", VIEW.model_copy(update={"negatives": "keep"}))
    assert caught.value.reason == "joint-not-found"


def no_joint() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(9)
    knees = {"R": knee_of_severity(76.0, 0.2), "L": knee_of_severity(76.0, 0.2)}
    plain = Scene(SHAPE, SPACING, knees=knees)
    picture = render(plain, rng).picture
    alone = render(replace(plain, centres={"R": (0.0, -100.0)}), rng).picture
    cut_off = render(replace(plain, centres={"R": (0.0, -100.0), "L": (0.0, 210.0)}), rng).picture
    return {
        "one leg": alone,
        "the other knee outside": cut_off,
        "only thighs": render(replace(plain, centres={"R": (320.0, -100.0), "L": (320.0, 100.0)}), rng).picture,
        "feet up": picture[::-1],
        "on its side": np.ascontiguousarray(picture.T),
        "noise": rng.random(SHAPE).astype(np.float32),
        "a step": np.repeat(np.linspace(0, 1, SHAPE[0]) > 0.5, SHAPE[1]).reshape(SHAPE).astype(np.float32),
        "knees at the edge": render(replace(plain, centres={"R": (150.0, -100.0), "L": (150.0, 100.0)}), rng).picture,
    }


@pytest.mark.parametrize("name", no_joint())
def test_no_joint_is_believed_where_there_is_no_pair(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnusableImage) as caught:
        both(tmp_path, no_joint()[name], "R")
    assert caught.value.reason == "joint-not-found"
    assert "give the joints' centres" in caught.value.detail


def test_a_landmark_is_believed_without_a_search(tmp_path: Path) -> None:
    picture = no_joint()["noise"]
    piece = both(tmp_path, picture, "L", place=(100.0, 250.0))
    assert piece.joint == (100.0, 250.0)
    with pytest.raises(UnusableImage, match="width could be measured"):
        both(tmp_path, picture, "L", PADDED, place=(100.0, 250.0))
    with pytest.raises(UnusableImage, match="outside the picture"):
        both(tmp_path, picture, "L", place=(100.0, 999.0))


def test_a_landmark_on_a_knee_gives_the_width_of_the_piece(tmp_path: Path) -> None:
    drawn = scene(3)
    by_hand = both(tmp_path, drawn.picture, "L", PADDED, place=drawn.centres["L"])
    piece = both(tmp_path, drawn.picture, "L", PADDED)
    assert np.linalg.norm(by_hand.affine[:3, 1]) == pytest.approx(np.linalg.norm(piece.affine[:3, 1]), rel=0.15)


@pytest.mark.parametrize(
    ("shows", "laterality", "side", "reason"),
    [
        ("both", "L", "L", "wrong-side"),
        ("both", "B", None, "unknown-side"),
        ("knee", "L", "R", "wrong-side"),
        ("knee", "B", "R", "wrong-side"),
    ],
)
def test_contradictions_about_the_side_are_said(tmp_path: Path, shows: str, laterality: str, side: str | None, reason: str) -> None:
    write_radiograph(tmp_path / "a.dcm", scene(0).picture, SPACING, ImageLaterality=laterality)
    with pytest.raises(UnusableImage) as caught:
        ingest(tmp_path, {"path": "a.dcm", "format": "dicom-file", "shows": shows}, VIEW, side)
    assert caught.value.reason == reason


def test_a_negative_png_of_one_knee_is_seen(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    one = Scene((120, 120), 0.8, {"R": (0.0, 0.0)}, {"R": knee_of_severity(76.0, 0.4)}, {"R": 0.0}, exposure=Exposure(marker=""))
    picture = render(one, rng).picture
    view = View(dimensions=2, shape=(60, 60), fit="extent")
    file = {"path": "a.png", "format": "png", "shows": "knee", "centre_row": float("nan"), "centre_column": float("nan")}
    pieces = {}
    for name, shown in (("usual", picture), ("negative", 1 - picture)):
        write_png(tmp_path / "a.png", shown)
        pieces[name] = ingest(tmp_path, file, view, "R")
    assert [piece.negative for piece in pieces.values()] == [False, True]
    assert np.abs(pieces["negative"].array.astype(float) - pieces["usual"].array).max() < 0.05
    write_png(tmp_path / "a.png", 1 - picture)
    kept = ingest(tmp_path, file, view.model_copy(update={"negatives": "keep"}), "R")
    assert kept.negative is False
    assert np.corrcoef(kept.array.ravel(), pieces["usual"].array.ravel().astype(float))[0, 1] < -0.95


def test_borders_are_stripped_and_anatomy_is_not() -> None:
    rng = np.random.default_rng(0)
    picture = rng.random((60, 80)).astype(np.float32)
    framed = np.pad(picture, ((5, 7), (9, 0)), constant_values=1.0)
    field = exposed_field(framed)
    assert (field.rows, field.columns) == (slice(5, 65), slice(9, 89))
    whole = exposed_field(picture)
    assert (whole.rows, whole.columns) == (slice(0, 60), slice(0, 80))
    blank = exposed_field(np.zeros((60, 80)))
    assert (blank.rows, blank.columns) == (slice(0, 60), slice(0, 80))


@pytest.mark.slow
def test_over_many_pictures_the_error_is_small_and_no_wrong_joint_is_believed(tmp_path: Path) -> None:
    errors, refused = [], 0
    for seed in range(100, 130):
        drawn = scene(seed)
        for side in "RL":
            try:
                errors.append(
                    off(both(tmp_path, drawn.picture, side, bits=(8, 10, 12, 14, 16)[seed % 5], inverted=bool(seed % 2)), drawn, side)
                )
            except UnusableImage:
                refused += 1
    assert np.median(errors) < 1.5
    assert np.percentile(errors, 95) < 3
    assert max(errors) < 10
    assert refused <= 4  # replaced knees, mostly


@pytest.mark.slow
def test_a_knee_that_is_half_outside_the_picture_is_not_believed(tmp_path: Path) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        whole = random_scene(rng, SHAPE, SPACING)
        cut_off = replace(whole, centres={"R": whole.centres["R"], "L": (whole.centres["L"][0], float(rng.uniform(200, 240)))})
        with pytest.raises(UnusableImage) as caught:
            both(tmp_path, render(cut_off, rng).picture, "R")
        assert caught.value.reason == "joint-not-found"

"""Phantom radiographs look as radiographs must: two legs, dark joint spaces, wear that narrows
them, files that keep their depth.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from kneeoa.phantom.radiograph import Exposure, Scene, random_scene, render
from kneeoa.phantom.radiograph_files import write_png, write_radiograph
from kneeoa.phantom.radiograph_knee import bone_thickness, knee_of_severity, leg_thickness

PLAIN = Scene(shape=(180, 320), centres={"R": (0.0, -80.0), "L": (0.0, 80.0)}, exposure=Exposure(marker="", heel=0.0))


def drawn(scene: Scene = PLAIN, seed: int = 0) -> tuple[np.ndarray, dict[str, tuple[float, float]]]:
    radiograph = render(scene, np.random.default_rng(seed))
    return radiograph.picture, radiograph.centres


def test_bone_is_bright_the_joint_space_less_and_air_dark() -> None:
    picture, centres = drawn()
    row, column = (int(value) for value in centres["R"])
    space = picture[row, column + 18 : column + 28].mean()
    tibia = picture[row + 12 : row + 20, column - 8 : column + 8].mean()
    assert tibia > space + 0.05 > picture[row, 158:162].mean() + 0.2


def test_the_knees_mirror_each_other_and_the_fibula_is_lateral() -> None:
    picture, _ = drawn(replace(PLAIN, exposure=replace(PLAIN.exposure, quanta=1e9)))
    np.testing.assert_allclose(picture, picture[:, ::-1], atol=0.15)
    y, x = np.meshgrid(np.arange(20.0, 40.0), np.arange(-60.0, 61.0), indexing="ij")
    bone = bone_thickness(x, y, knee_of_severity(76.0, 0.0), 1.0)
    assert bone[:, x[0] < -36].sum() > 0
    assert bone[:, x[0] > 36].sum() == 0


def test_wear_narrows_the_medial_space() -> None:
    y, x = np.meshgrid(np.arange(-10.0, 10.0, 0.25), np.arange(15.0, 30.0), indexing="ij")
    spaces = [(bone_thickness(x, y, knee_of_severity(76.0, severity), 0.25) == 0).mean() for severity in (0.0, 0.5, 1.0)]
    assert spaces[0] > spaces[1] > spaces[2]
    assert leg_thickness(np.array([0.0]), np.array([0.0]), knee_of_severity(76.0, 0.0))[0] > 80


def test_turning_the_patient_turns_the_centres() -> None:
    _, centres = drawn(replace(PLAIN, turn=5.0))
    slope = (centres["L"][0] - centres["R"][0]) / (centres["L"][1] - centres["R"][1])
    assert abs(np.degrees(np.arctan(slope))) == pytest.approx(5.0, abs=0.01)


def test_a_collimated_border_has_one_grey() -> None:
    picture, _ = drawn(replace(PLAIN, exposure=replace(PLAIN.exposure, collimation=(20, 0, 0, 30), border=1.0)))
    assert (picture[:20] == 1).all()
    assert (picture[:, :30] == 1).all()
    assert picture[60:, 60:].min() < 0.2


def test_the_same_seed_draws_the_same_picture() -> None:
    first, second, other = (render(random_scene(rng, (120, 150), 3.0), rng).picture for rng in map(np.random.default_rng, (4, 4, 5)))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("inverted", [False, True])
def test_files_keep_depth_and_polarity(tmp_path: Path, bits: int, inverted: bool) -> None:
    picture, _ = drawn()
    path = write_radiograph(tmp_path / "a.dcm", picture, 0.5, bits=bits, inverted=inverted)
    data = pydicom.dcmread(path)
    top = (1 << bits) - 1
    stored = data.pixel_array.astype(float)
    assert data.PhotometricInterpretation == ("MONOCHROME1" if inverted else "MONOCHROME2")
    np.testing.assert_allclose((top - stored if inverted else stored) / top, picture, atol=1 / top)
    assert path.read_bytes() == write_radiograph(tmp_path / "b" / "a.dcm", picture, 0.5, bits=bits, inverted=inverted).read_bytes()


def test_png_files(tmp_path: Path) -> None:
    picture, _ = drawn()
    for bits in (8, 16):
        with Image.open(write_png(tmp_path / f"{bits}.png", picture, bits=bits)) as image:
            np.testing.assert_allclose(np.asarray(image, dtype=float) / ((1 << bits) - 1), picture, atol=2.0**-bits)

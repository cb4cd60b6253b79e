"""From a displayed radiograph to its canonical grid: window, mirror, affine, proportions,
borders.
"""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from kneeoa.config.volumes import View
from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.ingestion.array_writer import open_rows, row_writer
from kneeoa.ingestion.ingest import ingest
from kneeoa.ingestion.input_grids import resample_shard
from kneeoa.phantom.radiograph_files import write_png, write_radiograph
from kneeoa.radiographs.crop import crop, window
from kneeoa.radiographs.exposed_field import exposed_field
from kneeoa.radiographs.radiograph import Radiograph
from kneeoa.tables.shards import VOLUMES

FRONTAL = View(dimensions=2, shape=(20, 24), spacing=(1.0, 1.0))


def gradient(shape: tuple[int, int] = (80, 90)) -> np.ndarray:
    """Grey that tells its place: 1000 x row + column."""
    return np.add.outer(1000.0 * np.arange(shape[0]), np.arange(shape[1])).astype(np.float32)


def canonical(picture: Radiograph, view: View, side: str | None, centre: tuple[float, float] | None = None, width: float | None = None):
    return crop(picture, exposed_field(picture.pixels), window(picture, view, centre, width), view, side)


def test_the_window_is_physical_and_centred_on_the_joint() -> None:
    result = canonical(Radiograph(gradient(), (0.5, 0.5)), FRONTAL, "R", (40.0, 50.0))
    assert result.array.shape == (20, 24)
    rows, columns = result.array // 1000, result.array % 1000
    np.testing.assert_allclose(rows[:, 5], 40 + 2 * (np.arange(20) - 9.5), atol=0.51)
    np.testing.assert_allclose(columns[5], 50 + 2 * (np.arange(24) - 11.5), atol=0.01)
    assert result.source_spacing == (0.5, 0.5)


@pytest.mark.parametrize("side", ["R", "L"])
def test_the_affine_tells_the_place_of_every_pixel_in_the_picture(side: str) -> None:
    picture = Radiograph(gradient((80, 200)), (0.5, 0.25))
    result = canonical(picture, FRONTAL, side, (40.0, 98.0))
    for i, j in ((0, 0), (3, 20), (19, 23)):
        x, y, z, _ = result.affine @ (i, j, 0, 1)
        assert y == 0
        row, column = -z / 0.5, -x / 0.25  # rows run to the foot, columns to the patient's left
        assert float(result.array[i, j]) == pytest.approx(1000 * row + column, abs=1e-2 * 1000)
    middle = np.asarray(result.source_centre)
    np.testing.assert_allclose(result.affine @ (*middle, 0, 1), (-99.5 * 0.25, 0, -39.5 * 0.5, 1), atol=1e-9)


def test_left_knees_are_mirrored_in_frontal_views_only() -> None:
    picture = Radiograph(gradient(), (1.0, 1.0))
    lateral = FRONTAL.model_copy(update={"projection": "lateral"})
    place = (40.0, 44.5)
    right, left = (canonical(picture, FRONTAL, side, place) for side in "RL")
    np.testing.assert_allclose(left.array, right.array[:, ::-1], rtol=1e-6)
    np.testing.assert_array_equal(canonical(picture, lateral, "L", place).array, canonical(picture, lateral, "R", place).array)
    # Columns of a lateral picture run to the back.
    assert canonical(picture, lateral, "L", place).affine[1, 1] == -1
    assert (FRONTAL.mirrors, lateral.mirrors) == (True, False)


def test_fine_stripes_are_averaged_and_not_aliased() -> None:
    stripes = Radiograph(np.tile([0.0, 100.0], (96, 48)).astype(np.float32), (0.25, 0.25))
    on_bright = (47.0, 49.0)  # every fourth pixel from it is as bright
    view = View(dimensions=2, shape=(20, 21), spacing=(1.0, 1.0))
    np.testing.assert_allclose(canonical(stripes, view, "R", on_bright).array, 50, atol=4)
    plain = canonical(stripes, view.model_copy(update={"antialias": False}), "R", on_bright)
    np.testing.assert_array_equal(plain.array, 100)


def test_pictures_without_millimetres_are_stretched_or_padded() -> None:
    wide = Radiograph(gradient((40, 80)))
    stretched = canonical(wide, View(dimensions=2, shape=(20, 20), fit="extent"), "R")
    assert stretched.inside == (slice(0, 20), slice(0, 20))
    np.testing.assert_allclose(np.linalg.norm(stretched.affine[:3, :2], axis=0), (2, 4))
    padded = canonical(wide, View(dimensions=2, shape=(20, 20), fit="pad"), "R")
    assert padded.inside == (slice(5, 15), slice(0, 20))
    np.testing.assert_allclose(np.linalg.norm(padded.affine[:3, :2], axis=0), (4, 4))
    assert np.isnan(padded.source_spacing).all()
    with pytest.raises(UnusableImage) as caught:
        canonical(wide, FRONTAL, "R")
    assert caught.value.reason == "unknown-spacing"


def test_pixels_that_are_not_square_keep_the_proportions_of_the_leg() -> None:
    result = canonical(Radiograph(gradient((40, 80)), (0.4, 0.2)), View(dimensions=2, shape=(20, 20), fit="pad"), "R")
    np.testing.assert_allclose(np.linalg.norm(result.affine[:3, :2], axis=0), (0.8, 0.8))
    assert result.inside == (slice(0, 20), slice(0, 20))


def test_a_piece_of_a_bilateral_picture_is_as_wide_as_the_view_says() -> None:
    view = View(dimensions=2, shape=(20, 30), fit="pad", field=2.0)
    result = canonical(Radiograph(gradient()), view, "R", (40.0, 45.0), 15.0)
    np.testing.assert_allclose(np.linalg.norm(result.affine[:3, :2], axis=0), (1, 1))
    with pytest.raises(UnusableImage) as caught:
        canonical(Radiograph(gradient(), (1.0, 1.0)), FRONTAL, "R", (40.0, 400.0))
    assert caught.value.reason == "outside-region"


def test_borders_and_padding_do_not_count_in_the_z_score(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    core = rng.normal(0.5, 0.05, (60, 60))
    framed = np.pad(core, 10, constant_values=1.0)
    arrays = []
    for picture in (core, framed):
        write_radiograph(tmp_path / "a.dcm", picture, 1.0, bits=16, ImageLaterality="R")
        view = View(dimensions=2, shape=(90, 90), spacing=(1.0, 1.0))
        arrays.append(ingest(tmp_path, {"path": "a.dcm", "format": "dicom-file", "shows": "knee"}, view, "R"))
    np.testing.assert_array_equal(arrays[0].array, arrays[1].array)
    inner = arrays[0].array[15:75, 15:75].astype(float)
    assert inner.mean() == pytest.approx(0, abs=0.01)
    assert inner.std() == pytest.approx(1, abs=0.01)
    assert (arrays[0].array[:15] == arrays[0].array.min()).all()


def test_a_constant_picture_and_a_strange_projection_are_excluded(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", np.full((40, 40), 0.5))
    file = {"path": "a.png", "format": "png", "shows": "knee"}
    with pytest.raises(UnusableImage) as caught:
        ingest(tmp_path, file, View(dimensions=2, shape=(20, 20), fit="extent"), "L")
    assert caught.value.reason == "constant-image"
    with pytest.raises(UnusableImage) as caught:
        ingest(tmp_path, {**file, "shows": "both"}, View(dimensions=2, shape=(20, 20), fit="extent", projection="lateral"), "L")
    assert caught.value.reason == "wrong-projection"


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"dimensions": 2, "shape": (20, 20)}, "'spacing' needs 2 numbers"),
        ({"dimensions": 2, "shape": (20, 20, 20), "fit": "pad"}, "'shape' needs 2 numbers"),
        ({"dimensions": 2, "shape": (20, 20), "fit": "pad", "spacing": (1, 1)}, "leave 'spacing'"),
        ({"dimensions": 2, "shape": (20, 20), "fit": "pad", "intensity": {"n4": True}}, "'n4', 'region' and 'echo' are for volumes"),
        ({"dimensions": 3, "shape": (20, 20, 20), "fit": "pad"}, "are for radiographs"),
        ({"dimensions": 3, "shape": (20, 20, 20), "spacing": (1, 1, 1), "projection": "lateral"}, "are for radiographs"),
    ],
)
def test_views_that_contradict_themselves_are_refused(keys: dict, word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        View.model_validate(keys)


def test_a_grid_of_two_axes_resamples_pictures_over_their_extent(tmp_path: Path) -> None:
    with row_writer(tmp_path / "a.npy", (20, 30), np.float16) as writer:
        writer.append(np.tile(np.arange(30, dtype=np.float16), (20, 1)))
    row = {"cohort": "c", "case_id": "a-R-00m", "view": "pa", "shard": 0, "row": 0, "digest": "", "source_digest": "", "mirrored": False}
    place = {"source_shape": [20, 30], "source_spacing": [1.0, 1.0], "source_centre": [9.5, 14.5], "affine": np.eye(4).ravel().tolist()}
    VOLUMES.write(tmp_path / "a.parquet", [row | place | dict.fromkeys(("low", "high", "mean", "sd"), 0.0)])
    shard = {"array": tmp_path / "a.npy", "index": tmp_path / "a.parquet"}
    resample_shard(**shard, shape=(10, 15), out_array=tmp_path / "b.npy", out_index=tmp_path / "b.parquet")
    result = open_rows(tmp_path / "b.npy")
    assert result.shape == (1, 10, 15)
    np.testing.assert_allclose(result[0, 5, 2:-2], 0.5 + 2 * np.arange(2, 13), atol=0.01)
    with pytest.raises(KneeoaError, match="three axes, or two for radiographs"):
        resample_shard(**shard, shape=(10, 15, 4), out_array=tmp_path / "c.npy", out_index=tmp_path / "c.parquet")

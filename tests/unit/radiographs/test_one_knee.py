"""Pictures called one knee's: films of both and turned ones are refused, sound ones are read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kneeoa.config.volumes import View
from kneeoa.errors import UnusableImage
from kneeoa.ingestion.ingest import ingest
from kneeoa.ingestion.ingested import Ingested
from kneeoa.phantom.radiograph import Exposure, Scene, random_scene, render
from kneeoa.phantom.radiograph_files import write_png, write_radiograph
from kneeoa.phantom.radiograph_knee import knee_of_severity

SPACING, SHAPE = 1.25, (280, 344)
PADDED = View(dimensions=2, shape=(56, 56), fit="pad")
MEASURED = View(dimensions=2, shape=(56, 56), spacing=(2.5, 2.5))


def film(seed: int) -> np.ndarray:
    """Both knees, from the front."""
    rng = np.random.default_rng(seed)
    return render(random_scene(rng, SHAPE, SPACING), rng).picture


def one(seed: int) -> np.ndarray:
    """One right knee, from the front."""
    rng = np.random.default_rng(seed)
    knee = knee_of_severity(float(rng.uniform(70, 84)), float(rng.uniform(0, 0.9)))
    scene = Scene((120, 120), 0.9, {"R": (0.0, 0.0)}, {"R": knee}, {"R": 0.0}, exposure=Exposure(marker=""))
    return render(replace(scene, turn=float(rng.uniform(-5, 5))), rng).picture


def as_one(
    folder: Path, picture: np.ndarray, view: View = PADDED, spacing: float | None = SPACING, *, png: bool = False, **place: float
) -> Ingested | str:
    """Read a picture that is called one right knee's; returns the reason where it is refused."""
    if png:
        write_png(folder / "a.png", picture)
    else:
        write_radiograph(folder / "a.dcm", picture, spacing, ImageLaterality="R", PatientOrientation=None)
    row: dict[str, Any] = {"path": "a.png" if png else "a.dcm", "format": "png" if png else "dicom-file", "shows": "knee"}
    row |= {"centre_row": place.get("row"), "centre_column": place.get("column")}
    try:
        return ingest(folder, row, view, "R")
    except UnusableImage as error:
        return error.reason


SEEDS = (0, pytest.param(1, marks=pytest.mark.slow))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("png", [False, True])
def test_a_film_of_both_knees_is_not_squeezed_into_one(tmp_path: Path, seed: int, png: bool) -> None:
    assert as_one(tmp_path, film(seed), png=png) == "two-knees"
    assert as_one(tmp_path, 1 - film(seed), png=png) == "two-knees"
    if not png:
        assert as_one(tmp_path, film(seed), MEASURED) == "two-knees"
        assert as_one(tmp_path, film(seed), spacing=None) == "two-knees"


def test_a_landmark_cuts_one_knee_out_of_a_film_where_the_piece_has_a_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    drawn = render(random_scene(rng, SHAPE, SPACING), rng)
    row, column = drawn.centres["R"]
    assert isinstance(as_one(tmp_path, drawn.picture, MEASURED, row=row, column=column), Ingested)
    assert as_one(tmp_path, drawn.picture, PADDED, row=row, column=column) == "two-knees"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("png", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_turned_film_is_refused_whatever_it_is_called(tmp_path: Path, seed: int, quarters: int, png: bool) -> None:
    assert as_one(tmp_path, np.rot90(film(seed), quarters), png=png) in {"turned-picture", "two-knees"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("png", [False, True])
def test_a_turned_picture_of_one_knee_is_refused(tmp_path: Path, seed: int, quarters: int, png: bool) -> None:
    assert as_one(tmp_path, np.rot90(one(seed), quarters), spacing=0.9, png=png) == "turned-picture"


@pytest.mark.parametrize("seed", [*SEEDS, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("png", [False, True])
def test_one_upright_knee_is_read(tmp_path: Path, seed: int, png: bool) -> None:
    for picture in (one(seed), 1 - one(seed)):
        read = as_one(tmp_path, picture, spacing=0.9, png=png)
        assert isinstance(read, Ingested)
        assert read.flags == ()


def test_pictures_without_a_knee_are_not_judged(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    step = np.repeat(np.linspace(0, 1, 120) > 0.5, 120).reshape(120, 120).astype(np.float32)
    for picture in (rng.random((120, 120)), step, np.outer(np.linspace(0, 1, 120), np.ones(120))):
        assert isinstance(as_one(tmp_path, picture), Ingested)


def test_where_joints_are_no_knees_nobody_looks(tmp_path: Path) -> None:
    keep = PADDED.model_copy(update={"negatives": "keep"})
    assert isinstance(as_one(tmp_path, film(0), keep), Ingested)
    assert isinstance(as_one(tmp_path, np.rot90(one(0)), keep, 0.9), Ingested)

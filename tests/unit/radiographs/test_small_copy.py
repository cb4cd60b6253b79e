"""A small copy of a picture called one knee's: plain where it shows one, upright; never where it is
turned or shows two.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kneeoa.config.volumes import View
from kneeoa.errors import UnusableImage
from kneeoa.ingestion.ingest import ingest
from kneeoa.phantom.radiograph import Exposure, Scene, random_scene, render
from kneeoa.phantom.radiograph_files import write_png
from kneeoa.phantom.radiograph_knee import knee_of_severity
from kneeoa.radiographs import joint
from kneeoa.radiographs.exposed_field import Field, exposed_field
from kneeoa.radiographs.knee_localiser import Knee, survey
from kneeoa.radiographs.one_knee import refuse_turned
from kneeoa.radiographs.small_copy import Evidence, weigh

ONES, FILMS = range(300, 340), range(400, 410)


def one_knee(seed: int) -> np.ndarray:
    """One knee of any severity and exposure, off the middle by millimetres."""
    rng = np.random.default_rng(seed)
    exposure = Exposure(
        quanta=float(10 ** rng.uniform(3, 4.7)),
        scatter=float(rng.uniform(0.02, 0.3)),
        heel=float(rng.uniform(-0.3, 0.3)),
        window=(float(rng.uniform(0, 0.1)), float(rng.uniform(0.95, 1))),
        gamma=float(rng.uniform(0.6, 1.7)),
        marker="",
    )
    knee = knee_of_severity(float(rng.uniform(70, 84)), float(rng.uniform(0, 0.9)), float(rng.uniform(22, 40)))
    place = (float(rng.normal(0, 4)), float(rng.normal(0, 4)))
    turn = float(rng.uniform(-5, 5))
    return render(Scene((120, 120), float(rng.uniform(0.8, 1.4)), {"R": place}, {"R": knee}, {"R": 0.0}, turn, exposure), rng).picture


def two_knees(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return render(random_scene(rng, (280, 344), 1.25), rng).picture


def evidence(picture: np.ndarray) -> Evidence:
    pixels = np.round(255 * picture).astype(np.float32)
    return weigh(pixels, exposed_field(pixels))


@pytest.fixture(scope="module")
def ones() -> list[np.ndarray]:
    return [one_knee(seed) for seed in ONES]


@pytest.fixture(scope="module")
def films() -> list[np.ndarray]:
    return [two_knees(seed) for seed in FILMS]


def test_one_upright_knee_is_plain_of_either_polarity(ones: list[np.ndarray]) -> None:
    bright, dark = [evidence(one) for one in ones], [evidence(1 - one) for one in ones]
    assert not any(each.negative for each in bright)
    assert all(each.negative for each in dark)
    assert sum(not each.doubts() for each in bright) >= 0.9 * len(bright)
    assert sum(not each.doubts() for each in dark) >= 0.8 * len(dark)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_knee_is_never_plain(ones: list[np.ndarray], quarters: int) -> None:
    question = "upside-down" if quarters == 2 else "quarter"
    for one in ones:
        for picture in (one, 1 - one):
            assert question in evidence(np.rot90(picture, quarters)).doubts()


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_two_knees_are_never_plain(films: list[np.ndarray], ones: list[np.ndarray], quarters: int) -> None:
    for picture in (*films, *(np.hstack([one, one[:, ::-1]]) for one in ones)):
        turned = np.rot90(picture, quarters)
        assert evidence(turned).doubts()
        assert evidence(1 - turned).doubts()


def refusal(picture: np.ndarray) -> str | None:
    try:
        refuse_turned(evidence(picture))
    except UnusableImage as error:
        return error.reason
    return None


def test_what_is_clearly_turned_is_refused_and_nothing_upright_is(ones: list[np.ndarray], films: list[np.ndarray]) -> None:
    for one in ones:
        assert refusal(one) is None
        assert refusal(1 - one) is None
    for quarters, least in ((1, 0.9), (2, 0.4), (3, 0.9)):
        reasons = [refusal(np.rot90(one, quarters)) for one in ones]
        assert set(reasons) <= {"turned-picture", None}
        assert np.mean([reason is not None for reason in reasons]) >= least
    for both in (*films, *(np.hstack([one, one[:, ::-1]]) for one in ones)):
        assert refusal(both) in {"two-knees", None}


def test_what_is_no_knee_is_not_plain() -> None:
    rng = np.random.default_rng(5)
    step = np.repeat(np.linspace(0, 1, 120) > 0.5, 120).reshape(120, 120).astype(np.float32)
    for picture in (rng.random((120, 120)), step, step.T, np.outer(np.linspace(0, 1, 120), np.ones(120)), np.zeros((16, 16))):
        assert evidence(picture).doubts()


def test_the_size_of_the_picture_does_not_matter(ones: list[np.ndarray]) -> None:
    for one in ones[:5]:
        small, large = evidence(one), evidence(np.kron(one, np.ones((3, 3))))
        assert large.fit == pytest.approx(small.fit, abs=0.03)
        assert large.doubts() == small.doubts()


def test_a_plain_picture_is_not_searched_finely_and_a_doubtful_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ones: list[np.ndarray]
) -> None:
    surveys = []

    def counted(picture: np.ndarray, field: Field, spacing: tuple[float, float] | None, both: bool) -> list[Knee]:
        surveys.append(picture.shape)
        return survey(picture, field, spacing, both)

    monkeypatch.setattr(joint, "survey", counted)
    view = View(dimensions=2, shape=(60, 60), fit="extent")
    row = {"path": "a.png", "format": "png", "shows": "knee"}
    write_png(tmp_path / "a.png", ones[0])
    piece = ingest(tmp_path, row, view, "R")
    assert len(surveys) == 0
    assert piece.joint_fit == pytest.approx(evidence(ones[0]).fit, abs=0.01)
    # Beside its place a landmark tells nothing of the picture, which is searched.
    ingest(tmp_path, row | {"centre_row": 60.0, "centre_column": 60.0}, view, "R")
    assert len(surveys) == 1
    write_png(tmp_path / "a.png", np.random.default_rng(5).random((120, 120)))
    ingest(tmp_path, row, view, "R")
    assert len(surveys) == 2
    ingest(tmp_path, row, view.model_copy(update={"negatives": "keep"}), "R")
    assert len(surveys) == 2

"""Phantom radiographs: who is on them, what a scanner changes, and that label maps are the shapes
that were projected.
"""

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydantic import ValidationError
from scipy import ndimage

from kneeoa.config.cohorts import Cohort
from kneeoa.config.phantom import Film, Phantom
from kneeoa.phantom.film import detector, draw_film, film_scene, write_film
from kneeoa.phantom.film_plan import PlannedFilm, plan_films
from kneeoa.phantom.film_release import write_films
from kneeoa.phantom.plan import plan_cohort, releases, subjects
from kneeoa.phantom.radiograph import Scene, label_knee
from kneeoa.phantom.radiograph_knee import KneeShape, joint_space_width, knee_labels

COARSE = {"shape": (230, 360), "spacing": 1.0}


def films(**keys: object) -> Phantom:
    return Phantom(**{"images": "radiographs", "subjects": 3, "parts": 1, "faults": False, "film": COARSE} | keys)


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def write(root: Path, phantom: Phantom) -> dict[str, bytes]:
    for release in releases(phantom):
        write_films(phantom, "demo", release, root / "00m" / release, root / "masks" / release)
    return files(root)


def test_the_people_of_a_seed_are_those_of_its_volumes() -> None:
    volumes = {knee.case_id: knee for knee in plan_cohort(Phantom(subjects=40, faults=False), "demo")}
    knees = {knee.case_id: knee for film in plan_films(films(subjects=40), "demo") for knee in film.knees.values()}
    assert volumes.keys() < knees.keys()
    assert len(knees) == 80
    for case, knee in volumes.items():
        assert (knee.severity, knee.read_grade, knee.findings, knee.age) == (
            knees[case].severity,
            knees[case].read_grade,
            knees[case].findings,
            knees[case].age,
        )


def test_people_of_another_population_are_others_whatever_the_seed() -> None:
    first, second = (plan_cohort(Phantom(subjects=50, population=number), "demo") for number in (0, 1))
    assert {knee.subject for knee in first}.isdisjoint(knee.subject for knee in second)
    assert {knee.severity for knee in first}.isdisjoint(knee.severity for knee in second)
    assert all(len(knee.subject) == 7 and knee.subject.startswith("19") for knee in second)
    assert len({knee.subject for knee in second}) == 50 + 11
    for phantom in (Phantom(subjects=50), Phantom(subjects=50, population=3), films(faults=True), films(form="knees", faults=True)):
        assert subjects(phantom) == {knee.subject for knee in plan_cohort(phantom, "demo")}


@pytest.mark.parametrize("prevalence", [0.2, 0.7])
def test_the_prevalence_is_that_of_the_true_grade(prevalence: float) -> None:
    knees = plan_cohort(Phantom(subjects=3000, prevalence=prevalence, both_knees=0.0, faults=False), "demo")
    assert np.mean([knee.true_grade >= 2 for knee in knees]) == pytest.approx(prevalence, abs=0.025)


def test_keys_of_other_images_and_of_small_films_are_refused() -> None:
    with pytest.raises(ValidationError, match="'nifti' is no key of a phantom whose 'images' are radiographs"):
        films(nifti=0.2)
    with pytest.raises(ValidationError, match="'form' is no key of a phantom whose 'images' are mri"):
        Phantom(form="archives")
    with pytest.raises(ValidationError, match=r"a film of 100 x 120 mm; both knees need 220 x 340 at least"):
        Film(shape=(100, 120), spacing=1.0)
    with pytest.raises(ValidationError, match="has the view pa alone"):
        Cohort(reader="oai", phantom=films())
    with pytest.raises(ValidationError, match="'reader' must be 'manifest'"):
        Cohort(reader="oai", views=("pa",), phantom=films(form="knees"))


def test_a_phantom_of_volumes_keeps_its_settings_as_they_were() -> None:
    new = {"images", "form", "film", "population", "prevalence"}
    assert not new & Phantom().model_dump(mode="json").keys()
    assert Phantom.model_validate(films().model_dump(mode="json")) == films()


def test_equal_settings_give_equal_bytes_and_names_of_the_plan(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, films()) for name in "ab")
    assert first == second
    planned = [path for film in plan_films(films(), "demo") for path in (film.images["R"], *film.masks.values())]
    assert sorted(first) == sorted(planned)


def test_archives_hold_the_films_and_pictures_of_knees_are_cut_out_of_them(tmp_path: Path) -> None:
    as_films, packed = write(tmp_path / "films", films()), write(tmp_path / "archives", films(form="archives"))
    write(tmp_path / "knees", films(form="knees"))
    for film, archive, knees in zip(*(plan_films(films(form=form), "demo") for form in ("films", "archives", "knees")), strict=True):
        with tarfile.open(tmp_path / "archives" / archive.images["R"]) as tar:
            (member,) = tar.getmembers()
            stored = tar.extractfile(member)
            assert stored is not None
            assert stored.read() == as_films[film.images["R"]]
        assert packed[archive.masks["L"]] == as_films[film.masks["L"]]
        shown = draw_film(film, films())[0].picture
        for side in "RL":
            with Image.open(tmp_path / "knees" / knees.images[side]) as picture, Image.open(tmp_path / "knees" / knees.masks[side]) as mask:
                assert picture.size == mask.size == (140, 140)
                piece = np.asarray(picture, dtype=float) / 255
                labels = np.asarray(mask)
            row, column = (round(value) for value in film_scene(film, films()).place(side))
            beside = [
                np.abs(shown[r : r + 140, c : c + 140] - piece).max()
                for r in range(max(0, row - 77), min(row - 62, 91))
                for c in range(column - 77, column - 62)
            ]
            assert min(beside) < 0.01
            assert set(np.unique(labels)) == {0, 1, 2, 3, 4}


def test_a_scanner_may_store_its_films_mirrored_and_their_masks_are_stored_so(tmp_path: Path) -> None:
    phantom = films(subjects=12)
    film = next(film for film in plan_films(phantom, "demo") if detector(phantom, film.right.scanner).mirrored)
    write_film(film, phantom, "demo", dict.fromkeys("RL", tmp_path / "001"), {side: tmp_path / f"{side}.png" for side in "RL"})
    drawn, scene = draw_film(film, phantom)
    header = pydicom.dcmread(tmp_path / "001")
    assert list(header.PatientOrientation) == ["R", "F"]
    np.testing.assert_allclose(header.pixel_array[:, ::-1] / 4095, drawn.picture, atol=1 / 4095)
    with Image.open(tmp_path / "R.png") as mask:
        np.testing.assert_array_equal(np.asarray(mask)[:, ::-1], label_knee(scene, "R"))


def test_label_maps_are_the_shapes_that_were_projected() -> None:
    """The joint space of the map is as wide as the shape's; bone is brighter than what lies beside
    it.
    """
    phantom = films(film={"shape": (920, 1440), "spacing": 0.25})
    film = plan_films(phantom, "demo")[0]
    drawn, scene = draw_film(film, phantom)
    for side, medial_first in (("R", False), ("L", True)):
        labels, knee = label_knee(scene, side), scene.knees[side]
        bone = (labels == 1) | (labels == 2)
        near = ndimage.binary_dilation(bone, iterations=8) & ~ndimage.binary_dilation(bone, iterations=2) & (labels == 0)
        assert drawn.picture[bone].mean() > drawn.picture[near].mean() + 0.1
        places = [np.nonzero(labels == label)[1].mean() for label in (3, 4)]
        assert (places[0] < places[1]) == medial_first, "medial is towards the other leg"
    straight = replace(scene, turn=0.0, angles={"R": 0.0, "L": 0.0})
    for side in "RL":
        labels, knee = label_knee(straight, side), scene.knees[side]
        column = round(straight.place(side)[1] + (1 if side == "R" else -1) * 22 / 0.25)
        heights = [(labels[:, column] == 3).sum() * 0.25, joint_space_width(22.0, knee, medial=True)]
        assert heights[0] == pytest.approx(heights[1], abs=0.26)


def test_wear_narrows_the_labelled_space_of_its_compartment() -> None:
    y, x = np.meshgrid(np.arange(-10, 10, 0.1), np.arange(-40, 40, 0.1), indexing="ij")
    sound, worn = (knee_labels(x, y, KneeShape(gaps=(gap, 5.0))) for gap in (4.5, 1.0))
    assert (worn == 3).sum() < 0.4 * (sound == 3).sum()
    assert (worn == 4).sum() == pytest.approx((sound == 4).sum(), rel=0.02)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [({"noise": 20.0}, "noisier"), ({"blur": 1.5}, "softer"), ({"gain": 1.8}, "saturated"), ({"collimation": 1.0}, "bordered")],
)
def test_another_scanner_makes_other_pictures_of_the_same_person(change: dict[str, float], wanted: str) -> None:
    plain, other = (films(film=COARSE | {"collimation": 0.0, "noise": 0.3} | settings) for settings in ({}, change))
    pictures = [draw_film(plan_films(phantom, "demo")[0], phantom)[0].picture for phantom in (plain, other)]
    grain = [float(np.std(ndimage.laplace(picture[60:170, 100:260]))) for picture in pictures]
    clipped = [float(((picture == 0) | (picture == 1)).mean()) for picture in pictures]
    assert {
        "noisier": grain[1] > 1.5 * grain[0],
        "softer": grain[1] < grain[0],
        "saturated": clipped[1] > clipped[0] + 0.02,
        "bordered": bool((pictures[1][0] == 0).all() and (pictures[0][0] > 0).any()),
    }[wanted]


def test_a_coarser_drawing_of_the_anatomy_leaves_it_where_it_was() -> None:
    """Films of fine pixels are drawn on pixels twice as large; joints stay where they are."""
    coarse, fine = (film_scene(plan_films(films(film=film), "demo")[0], films(film=film)) for film in (COARSE, _fine()))
    places = [np.array(scene.place("R")) for scene in (coarse, fine)]
    np.testing.assert_allclose((places[1] + 0.5) / 4 - 0.5, places[0], atol=0.01)
    phantom = films(film=_fine() | {"noise": 0.0, "collimation": 0.0})
    film = plan_films(phantom, "demo")[0]
    picture, labels = draw_film(film, phantom)[0].picture, label_knee(film_scene(film, phantom), "R")
    edges = ndimage.gaussian_gradient_magnitude(picture, 2)
    outline = ndimage.binary_dilation(labels == 2) & (labels == 0)
    assert edges[outline].mean() > 3 * np.median(edges)


def _fine() -> dict[str, object]:
    return {"shape": (920, 1440), "spacing": 0.25}


def test_faults_are_of_both_knees_and_of_the_form() -> None:
    of_films, of_knees = ({film.fault for film in plan_films(films(form=form, faults=True), "demo")} for form in ("films", "knees"))
    assert of_films - of_knees == {"blank-film", "lateral-film"}
    assert all(isinstance(film, PlannedFilm) and film.left.fault == film.fault for film in plan_films(films(faults=True), "demo"))


def test_a_scene_is_where_the_scene_says() -> None:
    scene = Scene(turn=5.0)
    assert label_knee(scene, "R")[tuple(round(value) for value in scene.place("R"))] in (0, 2)

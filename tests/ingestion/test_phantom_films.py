"""Phantom radiographs through the stages: what is sound is read, its masks lie on their knees, and
what is broken ends where the truth says.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from kneeoa.anatomy.run_overlap import measure_run
from kneeoa.cohorts.build import build_cohort
from kneeoa.config.analysis import Anatomy
from kneeoa.config.cohorts import Cohort
from kneeoa.config.phantom import Phantom
from kneeoa.config.volumes import MaskChecks, View
from kneeoa.ingestion.array_writer import open_rows
from kneeoa.ingestion.shard import make_volumes
from kneeoa.masks.shard import make_masks
from kneeoa.phantom.film import detector, film_scene
from kneeoa.phantom.film_plan import PlannedFilm, plan_films
from kneeoa.phantom.film_release import write_films
from kneeoa.phantom.plan import releases
from kneeoa.phantom.radiograph import Scene
from kneeoa.phantom.radiograph_knee import joint_space_width, knee_labels
from kneeoa.phantom.release import write_manifest, write_tables, write_truth
from kneeoa.saliency.storage import pack
from kneeoa.tables.cohort import EXCLUSIONS, LABELS, SPLITS, TRUTH
from kneeoa.tables.saliency import OVERLAP, SALIENCY
from kneeoa.tables.shards import CARTILAGE, MASKS, VOLUMES
from tests.ingestion.stages import LEVELS, Tables

TISSUES = {"femur": (1,), "joint_space": (3, 4), "tibia": (2,)}  # stored as 1, 2, 3
VIEW = View(dimensions=2, shape=(120, 120), spacing=(1.0, 1.0))
WHOLE = View(dimensions=2, shape=(120, 120), fit="extent")
MANIFEST = {"table": "knees.csv", "subject": "subject", "side": "side", "path": "image", "mask": "mask", "project": "project"}


def phantom(form: str = "films", **keys: object) -> Phantom:
    film = {"shape": (460, 720), "spacing": 0.5}
    return Phantom(**{"images": "radiographs", "form": form, "subjects": 3, "parts": 1, "film": film} | keys)


@dataclass
class Read:
    """A phantom cohort that went through the stages of ingestion."""

    made: Phantom
    view: View
    truth: pd.DataFrame
    labels: pd.DataFrame
    volumes: pd.DataFrame
    images: NDArray[np.float16]
    masks: pd.DataFrame
    labelled: NDArray[np.uint8]
    measures: pd.DataFrame
    excluded: pd.DataFrame
    tables: Tables

    def knees(self) -> list[tuple[PlannedFilm, str, str]]:
        """Film, side and case of every knee that has a usable mask."""
        usable = set(self.masks.index[self.masks["usable"]])
        every = ((film, side, knee.case_id) for film in plan_films(self.made, "main") for side, knee in film.knees.items())
        return [knee for knee in every if knee[2] in usable]


def read(folder: Path, made: Phantom) -> Read:
    """Write a phantom cohort and read it as the workflow does."""
    root, tables = folder / "raw", Tables(folder / "out")
    for release in releases(made):
        write_films(made, "main", release, root / "00m" / release, root / "masks" / release)
    (write_manifest if made.form == "knees" else write_tables)(made, "main", root)
    write_truth(made, "main", folder / "truth.parquet")
    options = {"reader": "manifest", "manifest": MANIFEST, "labels": {"kl": "kl"}} if made.form == "knees" else {"reader": "oai"}
    view = WHOLE if made.form == "knees" else VIEW
    cohort = Cohort(**options, phantom=made, views=("pa",), tissues=TISSUES, shards=1, reading_project=15)
    paths, volumes, masks = tables.of_cohort(), tables.of_shard("volumes", 0), tables.of_shard("masks", 0)
    build_cohort(cohort, "main", root, LEVELS, **paths)
    shared = {"images": paths["images"], "root": root, "cohort": "main", "view_name": "pa", "shard": 0}
    make_volumes(cases=paths["cases"], view=view, **shared, **volumes)
    measures = masks["out_index"].with_suffix(".cartilage.parquet")
    stored = {"volumes_array": volumes["out_array"], "volumes_index": volumes["out_index"], "out_cartilage": measures}
    make_masks(tissues=TISSUES, checks=MaskChecks(), **shared, **stored, **masks)
    excluded = [paths["exclusions"], volumes["out_exclusions"], masks["out_exclusions"]]
    return Read(
        made,
        view,
        TRUTH.read(folder / "truth.parquet"),
        LABELS.read(paths["labels"]),
        VOLUMES.read(volumes["out_index"]).set_index("case_id"),
        np.array(open_rows(volumes["out_array"])),
        MASKS.read(masks["out_index"]).set_index("case_id"),
        np.array(open_rows(masks["out_array"])),
        CARTILAGE.read(measures).set_index(["case_id", "region"]),
        pd.concat([EXCLUSIONS.read(path) for path in excluded]),
        tables,
    )


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read(tmp_path_factory.mktemp("films"), phantom())


@pytest.fixture(scope="module")
def knees(tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read(tmp_path_factory.mktemp("knees"), phantom("knees"))


@pytest.fixture(scope="module", params=["films", "knees"])
def either(request: pytest.FixtureRequest) -> Read:
    cohort: Read = request.getfixturevalue(request.param)
    return cohort


def test_every_knee_ends_where_the_truth_says(either: Read) -> None:
    rows = either.excluded[either.excluded["scope"] != "repair"]
    reasons = {row["case_id"]: (row["stage"], row["scope"], row["reason"]) for row in rows.to_dict("records")}
    for row in either.truth.to_dict("records"):
        expected = None if pd.isna(row["expected_reason"]) else (row["expected_stage"], row["expected_scope"], row["expected_reason"])
        if row["fault"] == "flipped-mask" or row["fault"] == "foreign-mask":
            assert reasons[row["case_id"]][2] == "mask-misaligned", row
        assert reasons.pop(row["case_id"], None) == expected, row
    assert reasons == {}


def test_grades_are_the_preferred_readings(either: Read) -> None:
    read_grades = {row["case_id"]: row["value"][0] for row in either.labels[either.labels["level"] == "kl"].to_dict("records")}
    for row in either.truth.to_dict("records"):
        if row["fault"] != "unread-grade":
            assert read_grades[row["case_id"]] == row["read_grade"], row
    doubted = either.labels[either.labels["disagreement"]]["case_id"]
    assert set(doubted) == set(either.truth.loc[either.truth["fault"] == "disagreeing-readings", "case_id"])


def test_a_negative_film_is_turned_bright(films: Read) -> None:
    negative = films.truth.loc[films.truth["fault"] == "negative-film", "case_id"]
    assert len(negative) == 2
    assert set(films.volumes.index[films.volumes["negative"] == True]) == set(negative)  # noqa: E712


def test_archives_are_read_as_the_films_are(films: Read, tmp_path: Path) -> None:
    packed = read(tmp_path, phantom("archives", faults=False))
    sound = packed.volumes.index
    assert len(sound) == 6
    assert packed.volumes["source_digest"].to_dict() == films.volumes.loc[sound, "source_digest"].to_dict()
    assert packed.masks["digest"].to_dict() == films.masks.loc[sound, "digest"].to_dict()


def known_labels(scene: Scene, side: str, row: pd.Series, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The shape that was projected, at the canonical pixels: from the place of the crop in the
    film, without a mask.
    """
    down, across = np.meshgrid(*(np.arange(size) - (size - 1) / 2 for size in shape), indexing="ij")
    across = -across if side == "L" else across  # left knees are mirrored
    step = VIEW.spacing
    joint = scene.place(side)
    y = down * step[0] + (row["joint_row"] - joint[0]) * scene.spacing
    x = across * step[1] + (row["joint_column"] - joint[1]) * scene.spacing
    angle = np.radians(scene.turn + scene.angles[side])
    turned_y, turned_x = np.cos(angle) * y - np.sin(angle) * x, np.cos(angle) * x + np.sin(angle) * y
    labels = knee_labels(turned_x if side == "R" else -turned_x, turned_y, scene.knees[side])
    return np.array([0, 1, 3, 2, 2], dtype=np.uint8)[labels]  # as TISSUES are stored


def test_masks_lie_on_their_knees_after_cutting_out_and_mirroring(films: Read) -> None:
    sides_and_headers = set()
    for film, side, case in films.knees():
        row = films.volumes.loc[case]
        mask = films.labelled[films.masks.loc[case, "row"]]
        expected = known_labels(film_scene(film, films.made), side, row, mask.shape)
        for value in (1, 2, 3):
            both = (mask == value).sum() + (expected == value).sum()
            assert 2 * ((mask == value) & (expected == value)).sum() / both > (0.85 if value == 2 else 0.98), (case, value)
        assert row["mirrored"] == (side == "L")
        sides_and_headers.add((side, detector(films.made, film.right.scanner).mirrored))
        picture = films.images[row["row"]].astype(float)
        bone = (mask == 1) | (mask == 3)
        assert picture[bone].mean() > picture[~bone].mean() + 0.5
    assert len(sides_and_headers) == 4, "each side of a film that is stored as it is displayed, and of a mirrored one"


def test_masks_lie_on_edges_and_wrong_ones_do_not(either: Read) -> None:
    good, wrong = either.masks[either.masks["usable"]], either.masks[~either.masks["usable"]]
    assert (good["boundary"] > 0.9).all()
    assert (good["inside"] > 0.95).all()
    assert len(wrong) == 4
    assert (wrong["boundary"].fillna(0) < 0.6).all()
    measured = good["offset_mm"].dropna()
    assert len(measured) == (0 if either.made.form == "knees" else len(good))
    assert (measured < 0.6).all()


def test_joint_space_is_measured_in_millimetres(films: Read) -> None:
    for film, side, case in films.knees():
        shape = film_scene(film, films.made).knees[side]
        for compartment in ("medial", "lateral"):
            row = films.measures.loc[(case, f"joint_space_{compartment}")]
            widths = [joint_space_width(away * shape.scale, shape, compartment == "medial") for away in np.linspace(16.5, 32.5, 33)]
            assert row["thickness_mm"] == pytest.approx(np.mean(widths), abs=0.35)
            # Without the outer sixths; smoothed over 2 mm.
            assert row["narrowest_mm"] == pytest.approx(min(widths[5:-5]), abs=0.45)
        whole, halves = films.measures.loc[(case, "joint_space")], films.measures.loc[case].drop("joint_space")
        assert whole["area_mm2"] == pytest.approx(halves["area_mm2"].sum())


def test_pictures_without_a_pixel_size_have_no_millimetres(knees: Read) -> None:
    assert len(knees.measures) == 0
    assert knees.masks["shift_rows_mm"].isna().all()


def test_a_map_planted_on_the_known_joint_lies_on_the_joint_space(films: Read, tmp_path: Path) -> None:
    """The joint is that of the scene, at the place where the film shows it; the overlap knows the
    mask alone.
    """
    chosen = films.knees()
    maps, index, splits = [], [], []
    for number, (film, side, case) in enumerate(chosen):
        row, scene = films.volumes.loc[case], film_scene(film, films.made)
        expected = known_labels(scene, side, row, VIEW.shape)
        planted = np.zeros(VIEW.shape)
        if number % 2 == 0:  # on the known joint space
            planted[expected == 2] = 1.0
        else:  # on the shaft of the femur, away from the joint
            planted[:20][expected[:20] == 1] = 1.0
        stored, scale = pack(np.stack([planted, np.zeros_like(planted)]))
        maps.append(stored)
        keys = {"study": "s", "arm": "a", "seed": 1, "cohort": "main", "view": "pa", "method": "smoothgrad_input", "weights": "trained"}
        index.append(keys | {"case_id": case, "row": number, "scale": scale, "target": "oa", "score": 0.0})
        splits.append({"cohort": "main", "case_id": case, "subject": case[:7], "side": side, "visit": "00m", "split": "test"})
    np.save(tmp_path / "maps.npy", np.stack(maps))
    SALIENCY.write(tmp_path / "maps.parquet", index)
    SPLITS.write(tmp_path / "splits.parquet", splits)
    stage = films.tables.of_shard("masks", 0)
    measure_run(
        maps=tmp_path / "maps.npy",
        index=tmp_path / "maps.parquet",
        mask_arrays=[stage["out_array"]],
        mask_indices=[stage["out_index"]],
        splits=[tmp_path / "splits.parquet"],
        tissues={"main": TISSUES},
        spacing=VIEW.spacing,
        anatomy=Anatomy(targets={"joint": ("joint_space",), "bone": ("femur", "tibia")}, shifts=99),
        out=tmp_path / "overlap.parquet",
    )
    measured = OVERLAP.read(tmp_path / "overlap.parquet").set_index(["case_id", "tissue", "measure"]).sort_index()
    for number, (_, _, case) in enumerate(chosen):
        joint, bone = measured.loc[(case, "joint")], measured.loc[(case, "bone")]
        if number % 2 == 0:
            assert joint.loc["mass", "value"] > 0.8
            assert joint.loc["enrichment", "value"] > 20
            assert joint.loc["mass", "null_p"] <= 0.02
            assert joint.loc["pointing", "value"] == pytest.approx(1)
        else:
            assert joint.loc["mass", "value"] == 0
            assert joint.loc["mass", "null_p"] > 0.2
            assert bone.loc["mass", "value"] > 0.98

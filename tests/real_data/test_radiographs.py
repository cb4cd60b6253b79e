"""The 600 real radiographs through the library: folder of grades to canonical pictures."""

import csv
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kneeoa.cohorts.build import build_cohort
from kneeoa.config.cohorts import Cohort
from kneeoa.config.hierarchy import Level
from kneeoa.config.volumes import View
from kneeoa.errors import UnusableImage
from kneeoa.ingestion.array_writer import open_rows
from kneeoa.ingestion.ingest import ingest
from kneeoa.ingestion.shard import make_volumes
from kneeoa.radiographs.exposed_field import exposed_field
from kneeoa.radiographs.one_knee import refuse_turned
from kneeoa.radiographs.read import read_radiograph
from kneeoa.radiographs.small_copy import weigh
from kneeoa.tables.cohort import EXCLUSIONS, IMAGES, LABELS
from kneeoa.tables.shards import VOLUMES

ROOT = os.environ.get("KNEEOA_REAL_DATA")
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(ROOT is None, reason="KNEEOA_REAL_DATA is not set")]

KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"))
VIEW = View(dimensions=2, shape=(224, 224), fit="extent")
NEGATIVES = 6
"""Pictures whose bone is dark, by the eye."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    folder, root = tmp_path_factory.mktemp("radiographs"), Path(ROOT or "") / "xray_kl"
    cohort = Cohort(reader="grades_folder", root=str(root), views=("pa",), shards=1)
    tables = {name: folder / f"{name}.parquet" for name in ("cases", "images", "labels", "exclusions")}
    build_cohort(cohort, "oai", root, (KL,), **tables)
    make_volumes(
        images=tables["images"],
        cases=tables["cases"],
        root=root,
        cohort="oai",
        view_name="pa",
        view=VIEW,
        shard=0,
        out_array=folder / "pa.npy",
        out_index=folder / "pa.parquet",
        out_exclusions=folder / "pa.exclusions.parquet",
    )
    return folder, VOLUMES.read(folder / "pa.parquet").set_index("case_id")


def test_all_are_ingested_and_none_excluded(made: tuple[Path, pd.DataFrame]) -> None:
    folder, index = made
    array = open_rows(folder / "pa.npy")
    assert array.shape == (600, 224, 224)
    assert array.dtype == np.float16
    assert len(index) == 600
    assert EXCLUSIONS.read(folder / "exclusions.parquet").empty
    assert EXCLUSIONS.read(folder / "pa.exclusions.parquet").empty
    counts = LABELS.read(folder / "labels.parquet")["value"].map(lambda value: int(value[0])).value_counts()
    assert counts.to_dict() == dict.fromkeys(range(5), 120)
    for picture in array:
        assert abs(float(picture.mean(dtype=np.float64))) < 0.5
        assert 0.5 < float(picture.std(dtype=np.float64)) < 1.5


def test_left_knees_are_mirrored(made: tuple[Path, pd.DataFrame]) -> None:
    folder, index = made
    array = open_rows(folder / "pa.npy")
    left = index.index.str.contains("-L-")
    assert (index["mirrored"] == left).all()
    means = [array[index.loc[chosen, "row"].to_numpy()].mean(axis=0, dtype=np.float64) for chosen in (left, ~left)]
    alike, mirrored = (np.corrcoef(means[0].ravel(), other.ravel())[0, 1] for other in (means[1], means[1][:, ::-1]))
    assert alike > 0.98
    assert alike > mirrored + 0.01
    # The fibula's head, lateral to the tibia and below the joint, is on the picture's left in the
    # mean of either side.
    for mean in means:
        assert mean[185:, 5:30].mean() > mean[185:, -30:-5].mean()


def test_negatives_are_found_and_turned(made: tuple[Path, pd.DataFrame]) -> None:
    folder, index = made
    negatives = index.index[index["negative"].astype(bool)]
    assert len(negatives) == NEGATIVES
    array = open_rows(folder / "pa.npy")
    usual = array.mean(axis=0, dtype=np.float64)
    files = IMAGES.read(folder / "images.parquet").set_index("case_id")["path"]
    for case in negatives:
        stored = read_radiograph(Path(ROOT or "") / "xray_kl" / files[case], "png", "frontal").pixels
        stored = stored[:, ::-1] if index.loc[case, "mirrored"] else stored
        # The joint space and the plate below it, between the picture's borders.
        likeness = [
            np.corrcoef(one[90:160, 40:185].ravel().astype(float), usual[90:160, 40:185].ravel())[0, 1]
            for one in (stored, array[index.loc[case, "row"]])
        ]
        assert likeness[0] < 0 < likeness[1]


def test_the_middle_of_a_picture_looks_like_a_knee(made: tuple[Path, pd.DataFrame]) -> None:
    _, index = made
    assert (index["joint_fit"].quantile([0.01, 0.05, 0.5]).to_numpy() > (0.36, 0.4, 0.5)).all()


@pytest.fixture(scope="module")
def knees(made: tuple[Path, pd.DataFrame]) -> dict[str, list[np.ndarray]]:
    """Every third picture of either side as it is stored, none of them a negative."""
    folder, index = made
    files = IMAGES.read(folder / "images.parquet").set_index("case_id")["path"]
    sound = index.index[~index["negative"].astype(bool)]
    return {
        side: [
            np.asarray(read_radiograph(Path(ROOT or "") / "xray_kl" / files[case], "png", "frontal").pixels)
            for case in sound[sound.str.contains(f"-{side}-")][::3]
        ]
        for side in "RL"
    }


def judged(picture: np.ndarray) -> str:
    """The reason for which a small copy refuses a picture, "plain" where it leaves no doubt, or
    "doubt".
    """
    pixels = picture.astype(np.float32)
    evidence = weigh(pixels, exposed_field(pixels))
    if not evidence.doubts():
        return "plain"
    try:
        refuse_turned(evidence)
    except UnusableImage as error:
        return error.reason
    return "doubt"


def shares(pictures: Iterable[np.ndarray]) -> pd.Series:
    """Share of pictures by how they are judged."""
    return pd.Series([judged(picture) for picture in pictures]).value_counts(normalize=True)


def test_a_small_copy_settles_nearly_all_upright_pictures(knees: dict[str, list[np.ndarray]]) -> None:
    pictures = [*knees["R"], *knees["L"]]
    for dark, most in ((False, 0.05), (True, 0.25)):
        result = shares(255 - picture if dark else picture for picture in pictures)
        assert set(result.index) <= {"plain", "doubt"}
        assert result.get("doubt", 0.0) < most


@pytest.mark.parametrize(("quarters", "least"), [(1, 0.85), (2, 0.75), (3, 0.85)])
def test_a_small_copy_settles_no_turned_picture_and_refuses_most(knees: dict[str, list[np.ndarray]], quarters: int, least: float) -> None:
    for dark in (False, True):
        result = shares(np.rot90(255 - picture if dark else picture, quarters) for picture in (*knees["R"], *knees["L"]))
        assert "plain" not in result.index
        assert result["turned-picture"] > least


@pytest.mark.parametrize(("quarters", "least"), [(0, 0.6), (1, 0.0), (2, 0.6), (3, 0.0)])
def test_a_small_copy_settles_no_two_knees_side_by_side(knees: dict[str, list[np.ndarray]], quarters: int, least: float) -> None:
    films = [np.hstack(pair) for pair in zip(knees["R"], knees["L"], strict=False)]
    for dark in (False, True):
        result = shares(np.rot90(255 - film if dark else film, quarters) for film in films)
        assert "plain" not in result.index
        assert result.get("two-knees", 0.0) >= least


def test_a_picture_comes_back_from_its_index(made: tuple[Path, pd.DataFrame]) -> None:
    folder, index = made
    root = Path(ROOT or "") / "xray_kl"
    with open(root / "labels.csv", newline="", encoding="utf-8") as stream:
        chosen = list(csv.DictReader(stream))[::97]
    for row in chosen:
        file = {"path": row["relpath"], "format": "png", "shows": "knee", "centre_row": None, "centre_column": None}
        ingested = ingest(root, file, VIEW, row["side"])
        np.testing.assert_array_equal(ingested.array, open_rows(folder / "pa.npy")[index.loc[f"{row['oai_id']}-{row['side']}-00m", "row"]])

"""A study of eight volumes, seven of them not what their table says, through the command that reads
them: one image is used, the one that is meant, and seven rows of exclusions say why the others are
not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest
import yaml

from kneeoa.ingestion.array_writer import open_rows
from kneeoa.tables.cohort import EXCLUSIONS, SPLITS
from kneeoa.tables.shards import VOLUMES
from tests.dag import ROOT, snakemake
from tests.ingestion.faults.dicom_series import datasets, save, set_all
from tests.ingestion.faults.knees import SHAPE, SPACING, Knee, knee
from tests.unit.formats.made import write_nifti

pytestmark = pytest.mark.slow

Plant = Callable[[Path, Knee], str]
"""Writes what the table calls one knee below a root; returns the path that the table gives."""


def add(folder: Path, name: str, sound: Knee, codes: str = "", echo: float = 4.7, **tags: Any) -> None:
    """Add a picture's slices to a folder, in one series unless the tags say otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    slices = datasets(sound, codes, echo=echo)
    set_all(**tags)(slices, sound)
    for number, data in enumerate(slices):
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.{sum(name.encode())}.{number + 1}"
    save(folder, slices, [f"{name}{number:03d}" for number in range(len(slices))])


def another(sound: Knee, seed: int) -> Knee:
    """Another picture in the same place."""
    return replace(sound, array=knee(seed).array)


def magnitude_behind_its_maps(root: Path, sound: Knee) -> str:
    """Two echoes, and before them, by echo time and by name, a T2 map and a phase picture."""
    add(root / "sound", "d", sound, echo=4.7, EchoNumbers=1, ImageType=["ORIGINAL", "PRIMARY", "M", "FFE"])
    add(root / "sound", "c", another(sound, 101), echo=14.7, EchoNumbers=2, ImageType=["ORIGINAL", "PRIMARY", "M", "FFE"])
    add(root / "sound", "b", another(sound, 102), echo=0, ImageType=["DERIVED", "PRIMARY", "T2 MAP", "T2", "UNSPECIFIED"])
    add(root / "sound", "a", another(sound, 103), echo=0, ImageType=["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"])
    return "sound"


def water_and_fat(root: Path, sound: Knee) -> str:
    add(root / "dixon", "a", sound, ImageType=["DERIVED", "PRIMARY", "DIXON", "FAT"])
    add(root / "dixon", "b", another(sound, 104), ImageType=["DERIVED", "PRIMARY", "DIXON", "WATER"])
    return "dixon"


def two_sequences(root: Path, sound: Knee) -> str:
    """A T1 beside a fat-saturated PD."""
    add(root / "sequences", "a", sound, echo=30)
    add(root / "sequences", "b", another(sound, 105), echo=11, SeriesInstanceUID="1.2.3.105", SeriesNumber=2)
    return "sequences"


def two_people(root: Path, sound: Knee) -> str:
    add(root / "people", "a", sound, echo=4.72, PatientID="A")
    series = {"StudyInstanceUID": "1.2.3.1", "SeriesInstanceUID": "1.2.3.2", "FrameOfReferenceUID": "1.2.3.3"}
    add(root / "people", "b", another(sound, 106), echo=4.70, PatientID="B", **series)
    return "people"


def other_planes(root: Path, sound: Knee) -> str:
    """A flat folder of a coronal and an axial series."""
    add(root / "planes", "a", sound, codes="PIR")
    add(root / "planes", "b", sound, codes="IPR", SeriesInstanceUID="1.2.3.107", SeriesNumber=2)
    return "planes"


def map_alone(root: Path, sound: Knee) -> str:
    add(root / "map", "a", sound, echo=0, ImageType=["DERIVED", "PRIMARY", "T2 MAP", "T2", "UNSPECIFIED"])
    return "map"


def second_echo_converted(root: Path, sound: Knee) -> str:
    write_nifti(root / "knee_echo-2.nii.gz", *sound.stored("RAS"))
    return "knee_echo-2.nii.gz"


def sizes_alone(root: Path, sound: Knee) -> str:
    nibabel.save(nibabel.Nifti1Image(sound.array, np.diag([*SPACING, 1.0])), root / "sizes.nii.gz")
    return "sizes.nii.gz"


PLANTED: dict[str, tuple[Plant, str]] = {
    "P0": (magnitude_behind_its_maps, ""),
    "P1": (water_and_fat, "ambiguous-series"),
    "P2": (two_sequences, "ambiguous-series"),
    "P3": (two_people, "ambiguous-series"),
    "P4": (other_planes, "wrong-plane"),
    "P5": (map_alone, "missing-image-type"),
    "P6": (second_echo_converted, "missing-echo"),
    "P7": (sizes_alone, "bad-affine"),
}
STUDY = {
    "study": "eight",
    "levels": [{"name": "oa", "kind": "binary", "classes": ["no OA", "OA"]}],
    "cohorts": {
        "archive": {
            "reader": "manifest",
            "views": ["knee"],
            "shards": 1,
            "labels": {"oa": "oa"},
            "manifest": {"table": "knees.csv", "subject": "person", "side": "side", "path": "path"},
        }
    },
    "views": {"knee": {"shape": list(SHAPE), "spacing": list(SPACING), "echo": 1}},
    "backbones": {"small": {"kind": "resnet3d", "options": {"width": 4}}},
    "modes": {"one": {"kind": "single", "levels": ["oa"]}},
    "arms": [{"backbone": "small", "mode": "one", "view": "knee"}],
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eight")
    rows = ["person,side,oa,path"]
    for number, (person, (plant, _)) in enumerate(PLANTED.items()):
        (folder / "raw").mkdir(exist_ok=True)
        rows.append(f"{person},R,{number % 2},{plant(folder / 'raw', knee(2 * number))}")
    (folder / "raw" / "knees.csv").write_text("\n".join(rows) + "\n")
    STUDY["cohorts"]["archive"]["root"] = str(folder / "raw")  # type: ignore[index]
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    arguments = ("-s", str(ROOT / "Snakefile"), "--configfile", "study.yaml", "--cores", "1", "--forceall", "volumes")
    run = snakemake(folder, *arguments)
    assert run.returncode == 0, (run.stdout + run.stderr)[-6000:]
    return folder / "results" / "eight"


def test_one_image_is_used_and_it_is_the_one_that_is_meant(results: Path) -> None:
    stem = results / "volumes" / "archive" / "knee" / "shard-0"
    index, array = VOLUMES.read(stem.with_suffix(".parquet")), open_rows(stem.with_suffix(".npy"))
    assert index["case_id"].tolist() == ["P0-R-00m"]
    assert len(array) == 1
    assert np.abs(array[0].astype(np.float64) - knee(0).scaled()).max() < 0.03


def test_each_of_the_others_is_a_row_with_its_reason(results: Path) -> None:
    excluded: pd.DataFrame = EXCLUSIONS.read(results / "splits" / "archive.exclusions.parquet")
    expected = {f"{person}-R-00m": reason for person, (_, reason) in PLANTED.items() if reason}
    assert len(excluded) == len(expected) == 7
    assert dict(zip(excluded["case_id"], excluded["reason"], strict=True)) == expected
    assert (excluded["detail"].str.len() > 20).all()
    assert SPLITS.read(results / "splits" / "archive.parquet")["case_id"].tolist() == ["P0-R-00m"]

"""Cohort readers on the real folders: pre-cropped radiographs by grade, and masks with a table."""

import csv
import os
from pathlib import Path

import pytest

from kneeoa.cohorts import grades_folder, manifest
from kneeoa.config.cohorts import Cohort

pytestmark = pytest.mark.real
_REAL = os.environ.get("KNEEOA_REAL_DATA")


@pytest.fixture
def real() -> Path:
    if not _REAL:
        pytest.skip("KNEEOA_REAL_DATA is not set")
    return Path(_REAL)


def labels(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_six_hundred_radiographs_by_their_folders_and_by_their_table_are_the_same(real: Path) -> None:
    root = real / "xray_kl"
    by_folder = grades_folder.read(Cohort(reader="grades_folder", root=str(root), views=("pa",)), root)
    section = {"table": "labels.csv", "subject": "oai_id", "side": "side", "path": "relpath", "split": "split"}
    given = {"reader": "manifest", "root": str(root), "views": ["pa"], "labels": {"kl": "kl"}, "manifest": section}
    by_table = manifest.read(Cohort.model_validate(given), root)
    assert by_folder.loose == by_table.loose == []
    assert len(by_folder.knees) == len(labels(root / "labels.csv")) == 600
    assert by_folder.knees.keys() == by_table.knees.keys()
    for case, knee in by_folder.knees.items():
        other = by_table.knees[case]
        assert (knee.files, knee.given_split, knee.reasons) == (other.files, other.given_split, other.reasons)
        assert knee.readings["kl"].value == other.readings["kl"].value


def test_the_masks_table_is_a_manifest(real: Path) -> None:
    root = real / "oai_masks"
    section = {"table": "labels.csv", "subject": "subject", "side": "side", "visit": "visit", "mask": "file"}
    section |= {"values": {"visit": {"V00": "00m"}}}
    given = {"reader": "manifest", "root": str(root), "labels": {"kl": "kl"}, "manifest": section, "tissues": {"femoral_cartilage": [2]}}
    source = manifest.read(Cohort.model_validate(given), root)
    rows = labels(root / "labels.csv")
    assert {case: knee.readings["kl"].value for case, knee in source.knees.items()} == {
        f"{row['subject']}-{row['side']}-00m": (int(row["kl"]),) for row in rows
    }
    assert all([(file.role, file.format) for file in knee.files] == [("mask", "nifti")] for knee in source.knees.values())

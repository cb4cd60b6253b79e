"""Volumes of files without a header that names a side, on either side of the scanner: the ones on
the other side are flagged and stay in the study.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from kneeoa.config.volumes import View
from kneeoa.ingestion.shard import make_volumes
from kneeoa.tables.cohort import CASES, EXCLUSIONS, IMAGES
from kneeoa.tables.shards import VOLUMES
from tests.unit.formats.made import grid, pattern, write_itk, write_nifti

SHAPE, SPACING = (8, 9, 10), (4.0, 4.0, 4.0)
VIEW = View(shape=SHAPE, spacing=SPACING)
SUFFIXES = {"nifti": ".nii.gz", "meta": ".mha", "nrrd": ".nrrd"}


class Made(NamedTuple):
    """A volume whose middle lies ``x`` mm to the patient's right; None: it begins at exactly 0."""

    side: str
    x: float | None
    codes: str = "RIP"
    format: str = "nifti"

    def affine(self) -> np.ndarray:
        affine = grid(self.codes, SPACING, (0.0, 11.0, -23.0) if self.x is not None else (0.0, 0.0, 0.0))
        if self.x is not None:
            affine[0, 3] = self.x - affine[0, :3] @ (np.array(SHAPE) - 1) / 2
        return affine


def flags_of(root: Path, volumes: Sequence[Made], orientation: str | None = None) -> list[list[str]]:
    """The reasons for which each is flagged; all of them stay in the study."""
    cases, images = [], []
    for number, made in enumerate(volumes):
        row = {"cohort": "main", "case_id": f"{number:03d}", "shard": 0}
        name = f"{number:03d}{SUFFIXES[made.format]}"
        (write_nifti if made.format == "nifti" else write_itk)(root / name, pattern(SHAPE), made.affine())
        cases.append({**dict.fromkeys(CASES.schema.names), **row, "subject": row["case_id"], "side": made.side, "visit": "00m"})
        file = {"view": "sag", "role": "image", "path": name, "format": made.format, "shows": "knee"}
        images.append({**dict.fromkeys(IMAGES.schema.names), **row, **file})
    paths = {name: root / f"{name}.parquet" for name in ("cases", "images", "index", "exclusions")}
    CASES.write(paths["cases"], cases)
    IMAGES.write(paths["images"], images)
    make_volumes(
        images=paths["images"], cases=paths["cases"], root=root, cohort="main", view_name="sag", view=VIEW, shard=0,
        out_array=root / "v.npy", out_index=paths["index"], out_exclusions=paths["exclusions"], orientation=orientation,
    )  # fmt: skip
    assert len(VOLUMES.read(paths["index"])) == len(volumes)
    rows = EXCLUSIONS.read(paths["exclusions"])
    assert set(rows["scope"]) <= {"flag"}
    return [rows.loc[rows["case_id"] == f"{number:03d}", "reason"].tolist() for number in range(len(volumes))]


def test_the_other_side_of_the_scanner_is_flagged_and_stays(tmp_path: Path) -> None:
    places = (-110.0, -60.0, -26.0, -20.0, 0.0, 20.0, 26.0, 60.0, 110.0)
    volumes = [Made(*each) for each in itertools.product("LR", places, ("RIP", "LIP", "PIR", "RAS", "LPI", "ASL"))]
    volumes += [Made(*each) for each in itertools.product("LR", places, ("RIP", "PIR"), ("meta", "nrrd"))]
    for made, flags in zip(volumes, flags_of(tmp_path, volumes), strict=True):
        assert made.x is not None
        other = abs(made.x) > 25 and (made.x > 0) is (made.side == "L")
        assert flags == (["other-side-in-scanner"] if other else []), made


@pytest.mark.parametrize("orientation", ["RIP", "LAS"])
def test_a_volume_of_a_declared_orientation_has_no_place_in_the_scanner(tmp_path: Path, orientation: str) -> None:
    volumes = [Made(side, None, "RAS", format) for side in "LR" for format in SUFFIXES]
    assert flags_of(tmp_path, volumes, orientation) == [[]] * len(volumes)

"""Bend and plant a DICOM series: shared by the lists of cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset

from tests.ingestion.faults.dicom_series import Change, datasets, save
from tests.ingestion.faults.knees import Knee
from tests.ingestion.faults.planted import Plant, Planted, bad, either, legal

MIDDLE = 9
"""A slice in the middle of the twenty."""


def series(*changes: Change, codes: str = "", names: Callable[[int], list[str]] | None = None) -> Plant:
    """A series of its own folder: the knee's slices, bent by ``changes``, then written."""

    def plant(folder: Path, planted: Knee) -> None:
        slices = datasets(planted, codes)
        for change in changes:
            change(slices, planted)
        save(folder, slices, names(len(slices)) if names else None)

    return plant


def per_slice(edit: Callable[[int, FileDataset], object]) -> Change:
    """Bend each slice by its number."""

    def change(slices: list[FileDataset], _: Knee) -> None:
        for number, data in enumerate(slices):
            edit(number, data)

    return change


def move(data: FileDataset, along: int, by: float) -> None:
    """Move a slice by millimetres along its normal (``along`` 0) or its columns (1)."""
    position = [float(value) for value in data.ImagePositionPatient]
    step = np.cross(*np.reshape([float(value) for value in data.ImageOrientationPatient], (2, 3))) if along == 0 else None
    direction = step if step is not None else np.array([float(value) for value in data.ImageOrientationPatient[3:]])
    data.ImagePositionPatient = [f"{value:.6f}" for value in position + by * direction]


def case(family: str, name: str, plant: Plant, *, reads: bool = False) -> Planted:
    """A broken series; ``reads``: one that may be read as well."""
    return (either if reads else bad)(family, name, "dicom", plant)


def sound(family: str, name: str, plant: Plant, side: str = "RIGHT") -> Planted:
    """A series that looks odd and must be read."""
    return legal(family, name, "dicom", plant, side=side)

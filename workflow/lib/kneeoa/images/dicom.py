"""DICOM series: a folder of single-slice files, sorted by where each slice lies, never by name.

Only geometry and voxels are decoded; names, dates and numbers of people are not even parsed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError

from kneeoa.errors import UnusableImage
from kneeoa.images.volume import LPS_TO_RAS, Volume

_TAGS = [
    "SeriesInstanceUID", "EchoTime", "ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "RescaleSlope",
    "RescaleIntercept", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData",
]  # fmt: skip
# A step between slices may differ from the usual one by this share before it counts as a gap; real series differ by about 0.0001.
_STEP_TOLERANCE = 0.1
_LEAST_SLICES = 3
# Files that lie beside slices and are not damaged ones.
_FOREIGN = {".txt", ".csv", ".json", ".xml", ".db", ".htm", ".html", ".pdf", ".jpg", ".png", ".ini", ".md5"}


@dataclass(frozen=True)
class _Slice:
    name: str
    dataset: pydicom.Dataset
    position: NDArray[np.float64]
    orientation: NDArray[np.float64]
    spacing: tuple[float, float]

    @property
    def kind(self) -> tuple[object, ...]:
        """What slices of one stack share."""
        data = self.dataset
        uid, echo = str(data.get("SeriesInstanceUID", "")), float(data.get("EchoTime") or 0)
        turned = tuple(np.round(self.orientation, 3) + 0.0)
        return uid, echo, int(data.Rows), int(data.Columns), turned, tuple(round(value, 4) for value in self.spacing)


def read_series(folder: Path) -> Volume:
    """Read the dominant stack of a folder: the most slices of one series, echo, orientation and size (then the earliest echo).

    Array axes are (slice, row, column); slope and intercept are applied (then float32).

    Raises:
        UnusableImage: a file is damaged or lacks its geometry (``unreadable``, ``missing-geometry``), the stack has too few slices
            (``too-few-slices``), two at one place (``duplicate-slice``) or a hole (``slice-gap``).
    """
    stacks: dict[tuple[object, ...], list[_Slice]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith(".") and path.name != "DICOMDIR":
            found = _read(path)
            if found is not None:
                stacks[found.kind].append(found)
    stack = min(stacks.items(), key=lambda item: (-len(item[1]), item[0][1], item[0][0]))[1] if stacks else []
    if len(stack) < _LEAST_SLICES:
        raise UnusableImage("too-few-slices", f"{folder.name}: the largest stack has {len(stack)} slices; expected a volume.")
    return _assemble(folder.name, stack)


def _read(path: Path) -> _Slice | None:
    try:
        dataset = pydicom.dcmread(path, specific_tags=list(_TAGS))
    except (InvalidDicomError, EOFError) as error:
        if path.suffix.lower() in _FOREIGN:
            return None
        raise UnusableImage("unreadable", f"{path.parent.name}/{path.name}: is not a DICOM file; is it damaged or empty?") from error
    if "PixelData" not in dataset:
        raise UnusableImage("unreadable", f"{path.parent.name}/{path.name}: holds no voxels; is it cut?")
    if int(dataset.get("NumberOfFrames") or 1) > 1 or int(dataset.get("SamplesPerPixel", 1)) > 1:
        raise UnusableImage(
            "unsupported-dicom", f"{path.parent.name}/{path.name}: holds several frames or colours; expected one slice a file."
        )
    values = [dataset.get(tag) for tag in ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing")]
    if any(value is None or len(value) != size for value, size in zip(values, (6, 3, 2), strict=True)):
        raise UnusableImage("missing-geometry", f"{path.parent.name}/{path.name}: lacks its orientation, position or spacing.")
    orientation, position, spacing = (np.array([float(number) for number in value]) for value in values)
    if not all(np.isfinite(value).all() for value in (orientation, position, spacing)):
        raise UnusableImage("missing-geometry", f"{path.parent.name}/{path.name}: its orientation, position or spacing is not a number.")
    return _Slice(path.name, dataset, position, orientation, (float(spacing[0]), float(spacing[1])))


def _assemble(name: str, stack: list[_Slice]) -> Volume:
    along_columns, along_rows = stack[0].orientation[:3], stack[0].orientation[3:]
    normal = np.cross(along_columns, along_rows)
    if np.linalg.norm(normal) < 0.5:
        raise UnusableImage("missing-geometry", f"{name}: the rows and columns of its slices are parallel.")
    depths = np.array([float(found.position @ normal) for found in stack])
    order = np.argsort(depths, kind="stable")
    steps = np.diff(depths[order])
    usual = float(np.median(steps))
    same = np.flatnonzero(steps <= max(_STEP_TOLERANCE * usual, 1e-3))
    if same.size:
        pair = [stack[order[same[0] + offset]].name for offset in (0, 1)]
        raise UnusableImage("duplicate-slice", f"{name}: the files {pair[0]} and {pair[1]} lie at one place ({same.size} such pairs).")
    gaps = np.flatnonzero(np.abs(steps - usual) > _STEP_TOLERANCE * usual)
    if gaps.size:
        before = stack[order[gaps[0]]].name
        raise UnusableImage(
            "slice-gap", f"{name}: after the file {before} the next slice lies {steps[gaps[0]]:.2f} mm on, not {usual:.2f} mm."
        )
    ordered = [stack[index] for index in order]
    affine = np.eye(4)
    affine[:3, 0] = (ordered[-1].position - ordered[0].position) / (len(ordered) - 1)
    affine[:3, 1] = along_rows * ordered[0].spacing[0]
    affine[:3, 2] = along_columns * ordered[0].spacing[1]
    affine[:3, 3] = ordered[0].position
    return Volume(np.stack([_voxels(name, found) for found in ordered]), LPS_TO_RAS @ affine)


def _voxels(name: str, found: _Slice) -> NDArray[np.number]:
    data = found.dataset
    try:
        voxels: NDArray[np.number] = data.pixel_array
    except Exception as error:  # a cut file, a codec that is not installed, a header that contradicts its voxels
        raise UnusableImage("unreadable", f"{name}/{found.name}: its voxels cannot be decoded ({type(error).__name__}).") from error
    slope, intercept = float(data.get("RescaleSlope") or 1), float(data.get("RescaleIntercept") or 0)
    return voxels if (slope, intercept) == (1.0, 0.0) else voxels * np.float32(slope) + np.float32(intercept)

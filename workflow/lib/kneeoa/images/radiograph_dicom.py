"""Radiographs as single-frame DICOM files: polarity, pixel size, side and display by the header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray

from kneeoa.errors import UnusableImage
from kneeoa.images.dicom_file import open_file, rescale, voxels
from kneeoa.images.dicom_pixels import PixelFormat, pixel_format
from kneeoa.images.dicom_quiet import quiet
from kneeoa.images.dicom_side import SIDE_TAGS, header_side
from kneeoa.images.header_claims import Claims
from kneeoa.images.plausible import require_spacing
from kneeoa.images.radiograph import Projection, Radiograph, Turn
from kneeoa.images.radiograph_projection import PROJECTION_TAGS, header_projection

_TAGS = (
    "ImagerPixelSpacing", "PixelSpacingCalibrationType", "EstimatedRadiographicMagnificationFactor", "PatientOrientation",
    "PixelIntensityRelationshipSign", "PresentationIntentType", *dict.fromkeys((*SIDE_TAGS, *PROJECTION_TAGS)),
)  # fmt: skip
_CALIBRATED = ("GEOMETRY", "FIDUCIAL")


def read_dicom_radiograph(path: Path, projection: Projection) -> Radiograph:
    """Read one file and bring it to the display convention of :mod:`kneeoa.images.radiograph`.

    Raises:
        UnusableImage: damaged, coloured or of several frames (as
            :func:`kneeoa.images.dicom_file.voxels`), of another projection (``wrong-projection``),
            with an impossible pixel size (``absurd-spacing``) or orientation (``bad-orientation``).
    """
    dataset = open_file(path, path.name, _TAGS)
    form = _polarity(dataset, pixel_format(dataset, path.name))
    if form.frames != 1:
        raise UnusableImage("unsupported-dicom", f"{path.name}: holds {form.frames} frames; a radiograph has one.")
    try:
        with quiet():
            slope, intercept = float(dataset.get("RescaleSlope") or 1), float(dataset.get("RescaleIntercept") or 0)
            spacing = _spacing(dataset)
            codes = _words(dataset.get("PatientOrientation"))
            side = (_words(dataset.get("ImageLaterality")) or _words(dataset.get("Laterality")) or [""])[0]
            sides, projections = header_side(dataset), header_projection(dataset)
    except (TypeError, ValueError, OverflowError):
        raise UnusableImage("unreadable", f"{path.name}: its header holds words where numbers belong; is it damaged?") from None
    if spacing is not None:
        require_spacing(spacing, path.name)
    flags = _projection_flags(projections, projection, path.name)
    turn = _turn(codes, projection, path.name)
    stored: NDArray[np.number] = rescale(form.monochrome2(voxels(dataset, path.name, 0)), slope, intercept)
    if turn.transposed and spacing is not None:
        spacing = (spacing[1], spacing[0])
    return Radiograph(turn.pixels(stored), spacing, side if side in ("L", "R", "B") else None, turn, sides, flags)


def _projection_flags(claims: Claims, projection: Projection, name: str) -> tuple[tuple[str, str], ...]:
    """A flag where only a description names another projection than the view's.

    Raises:
        UnusableImage: the header says that it is another one (``wrong-projection``).
    """
    other = claims.against(projection)
    if other is not None:
        raise UnusableImage("wrong-projection", f"{name}: its header calls the radiograph {other}; the view is of {projection} ones.")
    other = claims.doubt(projection)
    detail = f"{name}: its header calls the radiograph {projection}, and its description {other}; which is right?"
    return () if other is None else (("other-projection-in-header", detail),)


def _polarity(dataset: pydicom.Dataset, form: PixelFormat) -> PixelFormat:
    """Which end of the scale is bone: what is to be displayed bright, or for raw detector data what
    let fewer X-rays through.

    PixelIntensityRelationshipSign (PS3.3 C.8.11.3.1.2) is 1 where lower values mean fewer X-rays.
    Pictures meant for display are right by their photometric interpretation, and often carry the
    sign of the data that they were made from.
    """
    raw = str(dataset.get("PresentationIntentType") or "").strip().upper() == "FOR PROCESSING"
    sign = str(dataset.get("PixelIntensityRelationshipSign") or "").strip()
    return replace(form, inverted=sign == "1") if raw and sign in ("1", "-1") else form


def _spacing(dataset: pydicom.Dataset) -> tuple[float, float] | None:
    """Millimetres of a pixel: PixelSpacing where it is calibrated to the patient, else the
    detector's divided by the magnification.
    """
    pixel, imager = (_pair(dataset.get(tag)) for tag in ("PixelSpacing", "ImagerPixelSpacing"))
    calibrated = str(dataset.get("PixelSpacingCalibrationType") or "").strip().upper() in _CALIBRATED
    if pixel is not None and (calibrated or imager is None or pixel != imager):
        return pixel
    if imager is None:
        return None
    magnification = float(dataset.get("EstimatedRadiographicMagnificationFactor") or 1)
    return imager[0] / magnification, imager[1] / magnification


def _pair(value: object) -> tuple[float, float] | None:
    if value is None or isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
        return None
    return float(value[0]), float(value[1])


def _words(value: object) -> list[str]:
    """The words of a header's entry of one or several, in capitals."""
    if value is None:
        return []
    parts = str(value).split("\\") if isinstance(value, str) or not isinstance(value, Sequence) else [str(part) for part in value]
    return [part.strip().upper() for part in parts if part.strip()]


def _turn(codes: list[str], projection: Projection, name: str) -> Turn:
    """From PatientOrientation (where columns increase to, where rows do) to the display; as stored
    where it is not given.

    Raises:
        UnusableImage: another projection's (``wrong-projection``), or not two directions of a
            patient (``bad-orientation``).
    """
    if not codes:
        return Turn()
    across, back = ("L", "R"), ("P", "A")
    wanted, foreign = (across, back) if projection == "frontal" else (back, across)
    letters = [code[0] for code in codes]
    if len(letters) == 2 and any(letter in foreign for letter in letters):
        raise UnusableImage("wrong-projection", f"{name}: its header's orientation is not that of a {projection} radiograph.")
    transposed = len(letters) == 2 and letters[0] in "FH"
    columns, rows = letters[::-1] if transposed else (letters[0], letters[-1])
    if len(letters) != 2 or columns not in wanted or rows not in ("F", "H"):
        raise UnusableImage("bad-orientation", f"{name}: its header's patient orientation is not two directions of a patient.")
    return Turn(transposed, rows == "H", columns == wanted[1])

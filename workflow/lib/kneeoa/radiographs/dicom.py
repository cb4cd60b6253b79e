"""Read radiographs from single-frame DICOM files: polarity, pixel size, side and display by the
header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray

from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.colour import COLOUR_TAGS, is_colour, read_grey
from kneeoa.formats.dicom.file import modality_values, open_file, read_voxels
from kneeoa.formats.dicom.pixels import PixelFormat, darken_padding, pixel_format
from kneeoa.formats.dicom.side import SIDE_TAGS, header_side
from kneeoa.formats.dicom.silence import silenced
from kneeoa.formats.dicom.source import DicomSource
from kneeoa.formats.header_claims import Claims
from kneeoa.formats.limits import require_spacing
from kneeoa.radiographs.projection import PROJECTION_TAGS, header_projection
from kneeoa.radiographs.radiograph import DisplayTransform, Projection, Radiograph

_TAGS = (
    "ImagerPixelSpacing", "PixelSpacingCalibrationType", "EstimatedRadiographicMagnificationFactor", "PatientOrientation",
    "PixelIntensityRelationshipSign", "PresentationIntentType", "NominalScannedPixelSpacing", *COLOUR_TAGS,
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", *dict.fromkeys((*SIDE_TAGS, *PROJECTION_TAGS)),
)  # fmt: skip
_CALIBRATED = ("GEOMETRY", "FIDUCIAL")
# Storage classes of slices: CT, MRI, PET.
_SLICES = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.(2|4|128|130)(\.\d+)*")


def read_dicom_radiograph(path: Path | DicomSource, projection: Projection) -> Radiograph:
    """Read one file, or one of an archive, and bring it to the display convention of
    :mod:`kneeoa.radiographs.read`.

    Raises:
        UnusableImage: damaged, coloured or of several frames (as
            :func:`kneeoa.formats.dicom.file.read_voxels` and
            :func:`kneeoa.formats.dicom.colour.read_grey`), a slice of a volume (``wrong-format``),
            of another projection (``wrong-projection``), with an impossible pixel size
            (``absurd-spacing``) or orientation (``bad-orientation``).
    """
    dataset = open_file(path if isinstance(path, Path) else path.open(), path.name, _TAGS)
    if _SLICES.fullmatch(str(dataset.get("SOPClassUID") or "")):
        raise UnusableImage("wrong-format", f"{path.name}: is a slice of a CT, MRI or PET scan; expected a radiograph.")
    form = None if is_colour(dataset) else _polarity(dataset, pixel_format(dataset, path.name))
    if form is not None and form.frames != 1:
        raise UnusableImage("unsupported-dicom", f"{path.name}: holds {form.frames} frames; a radiograph has one.")
    try:
        with silenced():
            slope, intercept = float(dataset.get("RescaleSlope") or 1), float(dataset.get("RescaleIntercept") or 0)
            spacing = _spacing(dataset)
            codes = _words(dataset.get("PatientOrientation"))
            side = (_words(dataset.get("ImageLaterality")) or _words(dataset.get("Laterality")) or [""])[0]
            sides, projections = header_side(dataset, [0]), header_projection(dataset)
    except (TypeError, ValueError, OverflowError):
        raise UnusableImage("unreadable", f"{path.name}: its header holds words where numbers belong; is it damaged?") from None
    if spacing is not None:
        require_spacing(spacing, path.name)
    flags = _projection_flags(projections, projection, path.name)
    turn = _turn(codes, projection, path.name)
    stored = read_grey(dataset, path.name) if form is None else _values(dataset, form, path.name, slope, intercept)
    if turn.transposed and spacing is not None:
        spacing = (spacing[1], spacing[0])
    return Radiograph(turn.pixels(stored), spacing, side if side in ("L", "R", "B") else None, turn, sides, flags)


def _projection_flags(claims: Claims, projection: Projection, name: str) -> tuple[tuple[str, str], ...]:
    """A flag where only a description names a projection other than the view's.

    Raises:
        UnusableImage: the header says that it is another one (``wrong-projection``).
    """
    other = claims.contradiction(projection)
    if other is not None:
        raise UnusableImage("wrong-projection", f"{name}: its header calls the radiograph {other}; the view is of {projection} ones.")
    other = claims.far_contradiction(projection)
    detail = f"{name}: its header calls the radiograph {projection}, and its description {other}; which is right?"
    return () if other is None else (("other-projection-in-header", detail),)


def _values(dataset: pydicom.Dataset, form: PixelFormat, name: str, slope: float, intercept: float) -> NDArray[np.number]:
    """The picture's values, bone bright; padding is as dark as the darkest of the others."""
    cells = read_voxels(dataset, name, 0)
    blank = form.take_padding(cells)
    values = modality_values(form, cells, slope if np.isfinite(slope) else 1.0, intercept if np.isfinite(intercept) else 0.0)
    darken_padding(values, blank)
    return values


def _polarity(dataset: pydicom.Dataset, form: PixelFormat) -> PixelFormat:
    """The pixel format with bone bright: as it is to be displayed, or for raw detector data, by
    which end of the scale let fewer X-rays through.

    PixelIntensityRelationshipSign (PS3.3 C.8.11.3.1.2) is 1 where lower values mean fewer X-rays.
    Pictures meant for display are right by their photometric interpretation, and often carry the
    sign of the data that they were made from.
    """
    raw = str(dataset.get("PresentationIntentType") or "").strip().upper() == "FOR PROCESSING"
    sign = str(dataset.get("PixelIntensityRelationshipSign") or "").strip()
    return replace(form, inverted=sign == "1") if raw and sign in ("1", "-1") else form


def _spacing(dataset: pydicom.Dataset) -> tuple[float, float] | None:
    """Millimetres of a pixel: PixelSpacing where it is calibrated to the patient, else the
    detector's (or the scanned film's) divided by the magnification.

    Zeros, and ones beside the detector's, are placeholders of writers that do not know the size.
    """
    pixel, imager, film = (_pair(dataset.get(tag)) for tag in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"))
    calibrated = str(dataset.get("PixelSpacingCalibrationType") or "").strip().upper() in _CALIBRATED
    if pixel == (0, 0):
        pixel = None
    if film == (0, 0) or imager not in (None, (0, 0)):
        film = None
    detector = film or imager
    if pixel == (1, 1) and not calibrated and detector not in (None, (0, 0)):
        pixel = None
    if pixel is not None and (calibrated or detector is None or pixel != detector):
        return pixel
    if detector is None:
        return None
    magnification = float(dataset.get("EstimatedRadiographicMagnificationFactor") or 1)
    return detector[0] / magnification, detector[1] / magnification


def _pair(value: object) -> tuple[float, float] | None:
    if value is None or isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
        return None
    return float(value[0]), float(value[1])


def _words(value: object) -> list[str]:
    """The words of a header element of one value or several, in capitals."""
    if value is None:
        return []
    parts = str(value).split("\\") if isinstance(value, str) or not isinstance(value, Sequence) else [str(part) for part in value]
    return [part.strip().upper() for part in parts if part.strip()]


def _turn(codes: list[str], projection: Projection, name: str) -> DisplayTransform:
    """The transform from PatientOrientation (directions in which columns and rows increase) to the
    display; no change where it is not given.

    Raises:
        UnusableImage: the orientation is another projection's (``wrong-projection``), or not two
            directions of a patient (``bad-orientation``).
    """
    if not codes:
        return DisplayTransform()
    across, back = ("L", "R"), ("P", "A")
    wanted, foreign = (across, back) if projection == "frontal" else (back, across)
    letters = [code[0] for code in codes]
    if len(letters) == 2 and any(letter in foreign for letter in letters):
        raise UnusableImage("wrong-projection", f"{name}: its header's orientation is not that of a {projection} radiograph.")
    transposed = len(letters) == 2 and letters[0] in "FH"
    columns, rows = letters[::-1] if transposed else (letters[0], letters[-1])
    if len(letters) != 2 or columns not in wanted or rows not in ("F", "H"):
        raise UnusableImage("bad-orientation", f"{name}: its header's patient orientation is not two directions of a patient.")
    return DisplayTransform(transposed, rows == "H", columns == wanted[1])

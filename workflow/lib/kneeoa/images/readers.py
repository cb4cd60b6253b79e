"""One door to all image formats: whatever is wrong with a file becomes :class:`UnusableImage`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.images.volume import Volume

_LOG = logging.getLogger(__name__)


def read_image(path: Path, format: str) -> Volume:
    """Read an image: ``dicom`` (a folder), ``nifti``, ``meta`` (.mha, .mhd) or ``nrrd``.

    Raises:
        UnusableImage: the file is missing (``missing-file``), damaged (``unreadable``) or not a three-dimensional greyscale image.
        KneeoaError: the format is unknown.
    """
    read = _reader(format)
    if not path.exists():
        raise UnusableImage("missing-file", f"{path.name}: is not there any more.")
    try:
        volume = read(path)
    except (KneeoaError, MemoryError):
        raise
    except Exception as error:  # decoders of damaged bytes raise anything at all
        _LOG.info("%s: %s: %s", path, type(error).__name__, error)
        raise UnusableImage("unreadable", f"{path.name}: cannot be decoded ({type(error).__name__}); is it damaged or cut?") from error
    if volume.array.dtype.kind == "f" and not np.isfinite(volume.array).all():
        raise UnusableImage("non-finite", f"{path.name}: has voxels that are not numbers.")
    return volume


def _reader(format: str) -> Callable[[Path], Volume]:
    if format == "dicom":
        from kneeoa.images.dicom import read_series

        return read_series
    if format == "nifti":
        from kneeoa.images.nifti import read_nifti

        return read_nifti
    if format in ("meta", "nrrd"):
        from kneeoa.images.itk import read_itk

        return read_itk
    raise KneeoaError(f"image format '{format}' is unknown; it must be dicom, nifti, meta or nrrd.")

"""Read a radiograph from whatever file it is in."""

from __future__ import annotations

from pathlib import Path

from kneeoa.errors import UnusableImage
from kneeoa.formats.file_names import PICTURES
from kneeoa.radiographs.dicom import read_dicom_radiograph
from kneeoa.radiographs.folder import read_only_radiograph
from kneeoa.radiographs.picture import read_picture
from kneeoa.radiographs.radiograph import Projection, Radiograph


def read_radiograph(path: Path, format: str, projection: Projection) -> Radiograph:
    """Read a radiograph: one of :data:`kneeoa.formats.file_names.PICTURES` or ``dicom-file`` (one
    frame), or the only one of a folder (``dicom``) or an archive (``dicom-archive``).

    Raises:
        UnusableImage: the file is missing (``missing-file``), damaged (``unreadable``), of a format
            that holds no radiograph (``wrong-format``) or not a greyscale picture of that
            projection; and what :func:`kneeoa.radiographs.folder.read_only_radiograph` adds.
    """
    if format not in (*PICTURES, "dicom-file", "dicom", "dicom-archive"):
        raise UnusableImage("wrong-format", f"{path.name}: is of the format '{format}'; a radiograph is a picture or a DICOM file.")
    if not path.exists():
        raise UnusableImage("missing-file", f"{path.name}: is not there any more.")
    if format in ("dicom", "dicom-archive"):
        return read_only_radiograph(path, projection)
    if format in PICTURES:
        return Radiograph(read_picture(path, format))
    return read_dicom_radiograph(path, projection)

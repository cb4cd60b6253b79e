"""Read a volume of any format; failures become :class:`UnusableImage`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from kneeoa.config.volumes import ImageType, Plane
from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.formats.bare_header import lacks_orientation, with_declared_orientation
from kneeoa.formats.file_names import VOLUMES, companions, format_of, lies_beside
from kneeoa.formats.limits import require_spacing, require_square_axes
from kneeoa.formats.os_errors import unreadable
from kneeoa.formats.outside_field import replace_nan_outside_field
from kneeoa.formats.volume import Volume

FORMATS = ("dicom", "dicom-archive", "dicom-file", "nifti", "meta", "nrrd", "npy")
"""Formats of a volume: a folder of slices, an archive of them, one multi-frame file, ``.nii(.gz)``,
``.mha``/``.mhd``, ``.nrrd``, NumPy's ``.npy``.
"""


def read_volume(
    path: Path,
    format: str,
    echo: int | None = None,
    plane: Plane = "any",
    image_type: ImageType | None = None,
    orientation: str | None = None,
    spacing: Sequence[float] | None = None,
) -> Volume:
    """Read a volume, one of :data:`FORMATS`.

    Args:
        path: the file, or the folder of a series or of one converted volume.
        format: the ``format`` of the images table.
        echo: which echo of a DICOM source, from the shortest echo time; None for the shortest. Of
            other formats, which volume of a fourth axis, or which echo the file must be.
        plane: of a DICOM source's slices; other formats do not say.
        image_type: the picture to read of a DICOM source that holds several.
        orientation: where the header gives none, the side that the index of each axis (as the
            header counts them) increases to: ``PIR``. None: the header's affine, whatever it is.
        spacing: mm of a voxel along each axis of a ``.npy``, which has no header to say it.

    Raises:
        UnusableImage: the file is missing (``missing-file``), damaged (``unreadable``), not a
            three-dimensional greyscale image (``not-3d``, ``not-greyscale``), has voxels that are
            not numbers (``non-finite``) or an impossible size (``absurd-spacing``,
            ``sheared-stack``, ``too-large``), or no volume by its format (``wrong-format``); and
            what the modules of each format add.
        OSError: the machine, not the file, is at fault (out of memory or handles, a network disk
            away).
    """
    if not _exists(path):
        raise UnusableImage("missing-file", f"{path.name}: is not there any more.")
    if format not in FORMATS:
        raise UnusableImage("wrong-format", f"{path.name}: is of the format '{format}'; a volume is one of {', '.join(FORMATS)}.")
    path, format = _resolve_folder(path) if format == "dicom" else (path, format)
    read = _decoder(format, echo, plane, image_type, orientation, spacing)
    try:
        volume = read(path)
    except (KneeoaError, MemoryError):
        raise
    except OSError as error:
        raise unreadable(error, path.name) from None
    except Exception as error:  # decoders of damaged bytes raise anything at all; their words may quote a header, so they are not kept
        what = type(error).__name__
        raise UnusableImage("unreadable", f"{path.name}: cannot be decoded ({what}); is it damaged or cut?") from None
    require_spacing([float(value) for value in volume.spacing], path.name)
    require_square_axes(volume.affine, path.name)
    if orientation is not None and format != "npy" and lacks_orientation(volume.array.shape, volume.affine):
        volume = with_declared_orientation(volume, orientation, reversed_axes=format != "nifti")
    return replace_nan_outside_field(volume, path.name)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a loop of links, a folder that may not be entered
        return False


def _resolve_folder(path: Path) -> tuple[Path, str]:
    """The one volume file of a folder that holds no slices, and its format; else the folder itself,
    which may be a series.

    Raises:
        UnusableImage: it holds several (``ambiguous-series``), or cannot be listed
            (``unreadable``).
    """
    from kneeoa.formats.dicom.source import list_sources

    try:
        files = [file.content for file in list_sources(path) if isinstance(file.content, Path)]
    except OSError as error:
        raise unreadable(error, path.name) from None
    volumes = [file for file in files if format_of(file.name) in VOLUMES]
    data = {other for file in volumes for other in companions(str(file))}
    if not volumes or any(file not in volumes and str(file) not in data and not lies_beside(file.name) for file in files):
        return path, "dicom"
    if len(volumes) > 1:
        names = ", ".join(file.name for file in volumes[:4])
        raise UnusableImage("ambiguous-series", f"{path.name}: holds {len(volumes)} volumes ({names}); name the right one.")
    return volumes[0], str(format_of(volumes[0].name))


def _decoder(
    format: str,
    echo: int | None,
    plane: Plane,
    image_type: ImageType | None,
    orientation: str | None,
    spacing: Sequence[float] | None,
) -> Callable[[Path], Volume]:
    bare = orientation is not None
    if format in ("dicom", "dicom-archive", "dicom-file"):
        from kneeoa.formats.dicom.volume import read_dicom

        return lambda path: read_dicom(path, echo, plane, image_type)
    if format == "nifti":
        from kneeoa.formats.nifti import read_nifti

        return lambda path: read_nifti(path, echo, bare=bare)
    if format == "meta":
        from kneeoa.formats.metaimage import read_metaimage

        return lambda path: read_metaimage(path, echo)
    if format == "nrrd":
        from kneeoa.formats.nrrd import read_nrrd

        return lambda path: read_nrrd(path, echo, bare=bare)
    from kneeoa.formats.numpy_array import read_array

    return lambda path: read_array(path, orientation, spacing)

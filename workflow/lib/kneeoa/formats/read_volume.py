"""Read a volume of any format; failures become :class:`UnusableImage`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.volumes import ImageType, Plane
from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.formats.bare_header import lacks_orientation, with_declared_orientation
from kneeoa.formats.file_names import format_of
from kneeoa.formats.limits import require_spacing, require_square_axes
from kneeoa.formats.os_errors import unreadable
from kneeoa.formats.outside_field import replace_nan_outside_field
from kneeoa.formats.volume import Volume

if TYPE_CHECKING:
    from kneeoa.formats.dicom.source import DicomSource

FORMATS = ("dicom", "dicom-archive", "dicom-file", "nifti", "meta", "nrrd", "npy")
"""Formats of a volume: a folder of slices or of one converted volume, an archive of the same, one
multi-frame file, ``.nii(.gz)``, ``.mha``/``.mhd``, ``.nrrd``, NumPy's ``.npy``.
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
        path: the file, or the folder or archive of a series or of one converted volume.
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
    with _resolve(path, format) as (file, kind, sources):
        volume = _decode(file, _decoder(kind, echo, plane, image_type, orientation, spacing, sources))
    require_spacing([float(value) for value in volume.spacing], file.name)
    require_square_axes(volume.affine, file.name)
    if orientation is not None and kind != "npy" and lacks_orientation(volume.array.shape, volume.affine):
        volume = with_declared_orientation(volume, orientation, reversed_axes=kind != "nifti")
    return replace_nan_outside_field(volume, file.name)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a loop of links, a folder that may not be entered
        return False


@contextmanager
def _resolve(path: Path, format: str) -> Iterator[tuple[Path, str, Iterable[DicomSource] | None]]:
    """The one converted volume of a folder or an archive that holds no slices, and its format; else
    the path itself, and of a folder or an archive the files, which may be a series.

    Raises:
        UnusableImage: several volumes (``ambiguous-series``), or it cannot be listed or unpacked
            (``unreadable``).
    """
    if format not in ("dicom", "dicom-archive"):
        yield path, format, None
        return
    from kneeoa.formats.converted_volume import find_converted_volume
    from kneeoa.formats.dicom.source import list_sources

    sources = list_sources(path)
    try:
        converted, first = find_converted_volume(sources, path.name)
    except OSError as error:
        raise unreadable(error, path.name) from None
    if converted is None:
        yield path, format, chain(first, sources)
    else:
        with converted.on_disk() as file:
            yield file, str(format_of(file.name)), None


def _decode(path: Path, read: Callable[[Path], Volume]) -> Volume:
    try:
        return read(path)
    except (KneeoaError, MemoryError):
        raise
    except OSError as error:
        raise unreadable(error, path.name) from None
    except Exception as error:  # decoders of damaged bytes raise anything at all; their words may quote a header, so they are not kept
        what = type(error).__name__
        raise UnusableImage("unreadable", f"{path.name}: cannot be decoded ({what}); is it damaged or cut?") from None


def _decoder(
    format: str,
    echo: int | None,
    plane: Plane,
    image_type: ImageType | None,
    orientation: str | None,
    spacing: Sequence[float] | None,
    sources: Iterable[DicomSource] | None,
) -> Callable[[Path], Volume]:
    bare = orientation is not None
    if format in ("dicom", "dicom-archive", "dicom-file"):
        from kneeoa.formats.dicom.volume import read_dicom

        return lambda path: read_dicom(path, echo, plane, image_type, sources)
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

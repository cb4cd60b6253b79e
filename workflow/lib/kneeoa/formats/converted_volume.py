"""Find the one converted volume (NIfTI, MetaImage, NRRD) of a folder or an archive that holds no
slices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.silence import silenced
from kneeoa.formats.dicom.source import DicomSource, read_header
from kneeoa.formats.file_names import VOLUMES, companions, format_of, lies_beside

_LISTED = 4  # volumes that a message names
_MAX_NAME = 60
"""Letters of a name that are kept on the disk, the last ones: a file system takes 255 bytes."""


@dataclass(frozen=True)
class ConvertedVolume:
    """A volume's file, with what lies beside it.

    Attributes:
        source: the file itself.
        beside: further files of its folder or archive: its voxels, its description, documents.
    """

    source: DicomSource
    beside: tuple[DicomSource, ...]

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """The file as a path: where it lies in a folder, or unpacked into a temporary folder with
        what lies beside it, as its readers read files.
        """
        if isinstance(self.source.content, Path):
            yield self.source.content
            return
        # Voxels may stay mapped after the file is deleted; some network disks then keep its folder.
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            for source in (*self.beside, self.source):
                if isinstance(source.content, bytes):
                    (Path(folder) / _base_name(source)[-_MAX_NAME:]).write_bytes(source.content)
            yield Path(folder) / _base_name(self.source)[-_MAX_NAME:]


def find_converted_volume(sources: Iterable[DicomSource], name: str) -> tuple[ConvertedVolume | None, list[DicomSource]]:
    """The one volume among files of which none is a slice, or None; and the files that were looked
    at, as an archive is unpacked once. The search ends at the first slice.

    DICOM objects without an image are passed over, as are files that lie beside volumes by their
    names. Any other file may have been a slice: then there is no volume, and reading the series
    says what is wrong.

    Args:
        sources: the files, in their order.
        name: the folder's or the archive's name in errors.

    Raises:
        UnusableImage: there are several volumes (``ambiguous-series``).
    """
    passed: list[DicomSource] = []
    volumes: list[DicomSource] = []
    doubtful: set[str] = set()
    for source in sources:
        passed.append(source)
        if format_of(source.name) in VOLUMES:
            volumes.append(source)
        elif not lies_beside(_base_name(source)):
            try:
                with silenced():
                    if read_header(source) is not None:
                        return None, passed
            except (MemoryError, OSError):
                raise
            except Exception:  # a damaged header makes pydicom raise anything; reading the series says what is wrong
                doubtful.add(source.name)
    data = {other for source in volumes for other in companions(source.name)}
    if not volumes or doubtful - data:
        return None, passed
    if len(volumes) > 1:
        names = ", ".join(_base_name(source) for source in volumes[:_LISTED])
        raise UnusableImage("ambiguous-series", f"{name}: holds {len(volumes)} volumes ({names}); name the right one.")
    return ConvertedVolume(volumes[0], tuple(source for source in passed if source is not volumes[0])), passed


def _base_name(source: DicomSource) -> str:
    return source.name.rpartition("/")[2]

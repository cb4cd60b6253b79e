"""List new images from a table or a folder: each one's case and side, and why some cannot be
used.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from kneeoa.cohorts import cells
from kneeoa.cohorts.table_files import read_table
from kneeoa.config.volumes import View
from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.formats.file_names import PICTURES, companions, format_of
from kneeoa.formats.read_volume import FORMATS
from kneeoa.formats.side_from_path import side_from_path
from kneeoa.formats.walk import files_below

TABLES = (".csv", ".tsv", ".tab", ".txt", ".xlsx", ".parquet", ".sas7bdat")
_PICTURES = (*PICTURES, "dicom-file", "dicom", "dicom-archive")
_COLUMNS = ("case", "side", "shows", "row", "column")

Shows = Literal["knee", "both"]


@dataclass(frozen=True)
class NewImage:
    """One image of one case."""

    case: str
    path: str
    """Relative to the listing's root, or absolute; a folder for a DICOM series."""
    format: str
    side: str | None
    shows: str = "knee"
    centre: tuple[float, float] | None = None


@dataclass(frozen=True)
class ImageList:
    """The images below ``root``, by case, and those that cannot be used: (case, reason,
    sentence).
    """

    root: Path
    images: list[NewImage] = field(default_factory=list)
    unusable: list[tuple[str, str, str]] = field(default_factory=list)


def list_images(images: Path, view: View, side: str | None, shows: Shows) -> ImageList:
    """List the images that ``images`` names: a table of them, a folder, or one file.

    A folder is searched with its subfolders. Each NIfTI, MetaImage, NRRD or PNG file and each
    archive is a case, called by its path without the suffix; for volumes a folder of DICOM files is
    one, called by its own path. A table has the column ``path`` (relative to the table's folder)
    and may have ``case``, ``side``, ``shows`` (knee or both), ``row`` and ``column`` (the joint's
    centre in pixels).

    The side of a case is taken from its table, else from ``side``, else from its name
    (:func:`kneeoa.formats.side_from_path.side_from_path`), else from its DICOM header. An image
    of both knees (frontal radiographs) becomes two cases, one a side.

    Args:
        images: the table, folder or file.
        view: the form that the network takes; decides which formats fit and whether sides matter.
        side: of all images for which a table gives none.
        shows: what each image shows where no table says so.

    Raises:
        KneeoaError: nothing is there, the table cannot be read, or two cases have the same name.
    """
    if not images.exists():
        raise KneeoaError(f"{images}: is not there; name a folder, an image or a table of images.")
    if images.is_file() and images.suffix.lower() in TABLES:
        result = ImageList(images.parent)
        candidates = list(_images_of_table(images, side, shows))
    elif images.is_file():
        result = ImageList(images.parent)
        candidates = [NewImage(_stem(images.name), images.name, _guess_format(images) or "", side, shows)]
    else:
        result = ImageList(images)
        candidates = [replace(image, side=side, shows=shows) for image in _images_of_folder(images, view)]
    if not candidates:
        raise KneeoaError(f"{images}: holds no image.")
    for image in sorted(candidates, key=lambda each: each.case):
        try:
            result.images.extend(_resolve_sides(image, result.root, view))
        except UnusableImage as error:
            result.unusable.append((image.case, error.reason, error.detail))
    repeated = [case for case, count in Counter(image.case for image in result.images).items() if count > 1]
    if repeated:
        raise KneeoaError(f"{images}: two images are called '{repeated[0]}'; name them apart in the column 'case' of a table of images.")
    return result


def _images_of_table(path: Path, side: str | None, shows: str) -> Iterator[NewImage]:
    table = read_table(path)
    given = [name for name in _COLUMNS if table.has(name)]
    for line, (where, *rest) in table.select(["path", *given]):
        values = {name: text for name, text in zip(given, rest, strict=True) if not cells.is_missing(text)}
        here = f"{path}, line {line}"
        if not where:
            raise KneeoaError(f"{here}: 'path' is empty; every row names an image.")
        image_side = cells.side(values["side"]) if "side" in values else side
        if "side" in values and image_side is None:
            raise KneeoaError(f"{here}: 'side' is '{values['side']}'; expected L or R.")
        shown = values.get("shows", shows)
        if shown not in ("knee", "both"):
            raise KneeoaError(f"{here}: 'shows' is '{shown}'; expected knee or both.")
        row, column = (cells.number(values.get(name), f"{here}: '{name}'") for name in ("row", "column"))
        centre = None if row is None or column is None else (row, column)
        yield NewImage(values.get("case") or _stem(where), where, _guess_format(path.parent / where) or "", image_side, shown, centre)


def _images_of_folder(root: Path, view: View) -> Iterator[NewImage]:
    slices: dict[str, list[str]] = defaultdict(list)
    files = list(files_below(root))
    data = {companion for path, _ in files for companion in companions(path)}
    for path, name in files:
        kind = _guess_format(root / path)
        if kind == "dicom-file" and view.dimensions == 3:
            slices[path.removesuffix(name).rstrip("/")].append(path)
        elif path not in data and name.upper() != "DICOMDIR":
            yield NewImage(_stem(path), path, kind or "", None)
    for folder, series in slices.items():
        if len(series) == 1:  # an enhanced file, or a picture
            yield NewImage(_stem(series[0]), series[0], "dicom-file", None)
        else:
            yield NewImage(folder or root.resolve().name, folder or ".", "dicom", None)


def _guess_format(path: Path) -> str | None:
    """The format of a file by its suffix, else by the first bytes of a DICOM file; a folder is a
    DICOM series.
    """
    if path.is_dir():
        return "dicom"
    by_suffix = format_of(path.name)
    if by_suffix is not None or not path.is_file():
        return by_suffix
    from kneeoa.formats.dicom.file import is_dicom

    try:
        with path.open("rb") as stream:
            return "dicom-file" if is_dicom(stream.read(132)) else None
    except OSError:
        return None


def _stem(path: str) -> str:
    """Strip the suffix of an image file from a path; other dots belong to the name."""
    folder, _, name = path.rpartition("/")
    suffix = re.search(r"\.(nii|tar|dcm|dicom|ima)\.gz$|\.[A-Za-z]\w{1,5}$", name, re.IGNORECASE)
    stem = name[: suffix.start()] if suffix and suffix.start() and format_of(name) else name
    return f"{folder}/{stem}" if folder else stem


def _resolve_sides(image: NewImage, root: Path, view: View) -> list[NewImage]:
    """Find the image's side; one entry for each knee that it shows.

    Raises:
        UnusableImage: its format does not fit the view, or its side is not known and matters.
    """
    _require_utf8(image.case)
    if image.format not in (_PICTURES if view.dimensions == 2 else FORMATS):
        wanted = "PNG, JPEG, TIFF or DICOM pictures" if view.dimensions == 2 else "volumes (DICOM, NIfTI, MetaImage or NRRD)"
        raise UnusableImage("unknown-file", f"{Path(image.path).name}: is not an image that this network takes; expected {wanted}.")
    if image.shows == "both":
        return [replace(image, case=f"{image.case}-{side}", side=side) for side in ("L", "R")]
    if image.side is not None or not view.mirrors:
        return [image]
    side = side_from_path(image.path) or _header_side(root / image.path, image.format)
    if side is None:
        raise UnusableImage(
            "unknown-side",
            f"{Path(image.path).name}: neither its name nor its header gives left or right, and left knees are mirrored; "
            "give a table with the column 'side', or one side for all.",
        )
    return [replace(image, side=side)]


def _require_utf8(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UnusableImage("unreadable", f"{name}: its name is not UTF-8; rename the file.") from None


def _header_side(path: Path, format: str) -> str | None:
    """The side that the first DICOM header claims.

    Raises:
        UnusableImage: no header can be read.
    """
    if not format.startswith("dicom"):
        return None
    from kneeoa.formats.dicom.side import header_side
    from kneeoa.formats.dicom.silence import silenced
    from kneeoa.formats.dicom.source import NotASlice, list_sources, read_header

    with silenced():
        for source in list_sources(path):
            try:
                header = read_header(source)
            except NotASlice:  # a page in colours beside the slices
                continue
            if header is not None:
                return header_side(header.dataset, range(header.form.frames)).value
    return None

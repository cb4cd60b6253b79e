"""Find the images of knees through OAI's image indexes: ``contents.csv`` of the releases,
``image03.txt`` of the archive.
"""

from __future__ import annotations

import logging
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kneeoa.cohorts.cells import identifier
from kneeoa.cohorts.oai_paths import INDEXES, SERIES, below_release, index_files, is_participant, visit_of
from kneeoa.cohorts.source import File, Knee, Reason, Source
from kneeoa.cohorts.table_files import read_table
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from kneeoa.formats.file_names import ARCHIVES, PICTURES, VOLUMES, format_of, lies_beside
from kneeoa.formats.walk import files_below

_LOG = logging.getLogger(__name__)

_PREFIXES = ("", "{visit}/", "image03/", "image03/{visit}/", "results/", "results/{visit}/")


@dataclass(frozen=True)
class IndexLine:
    """A line of an image index."""

    table: str
    line: int
    subject: str
    folder: str
    """The folder in the index, without the archive's suffix and with forward slashes."""
    description: str


def series_patterns(cohort: Cohort) -> dict[str, re.Pattern[str]]:
    """The compiled series description of each of the cohort's views.

    Raises:
        KneeoaError: a view is neither OAI's nor given in ``series``.
    """
    series = SERIES | cohort.series
    for view in cohort.views:
        if view not in series:
            raise KneeoaError(f"'views' names '{view}'; reader '{cohort.reader}' offers {sorted(series)}, and others through 'series'.")
    return {view: re.compile(series[view], re.IGNORECASE) for view in cohort.views}


def read_image_indexes(root: Path) -> list[IndexLine]:
    """Every line of every image index below ``root``.

    Raises:
        KneeoaError: there is none, or one is malformed.
    """
    files = index_files(root)
    if not files:
        raise KneeoaError(f"{root}: has no {' and no '.join(INDEXES)} (nor one in its folders, two deep); is it OAI's image tree?")
    return [row for path in files for row in (_contents_lines(path) if path.name == INDEXES[0] else _archive_lines(path))]


def _contents_lines(path: Path) -> Iterator[IndexLine]:
    for line, (folder, subject, description) in read_table(path).select(("Folder", "ParticipantID", "SeriesDescription")):
        yield IndexLine(path.name, line, _subject(subject), folder.replace("\\", "/").strip("/"), description)


def _archive_lines(path: Path) -> Iterator[IndexLine]:
    table = read_table(path, delimiter="\t")
    for line, (subject, description, file) in table.select(("src_subject_id", "image_description", "image_file")):
        if line == table.rows[0][0] and not is_participant(_subject(subject)):
            continue  # the archive's second line describes the columns
        place = file.replace("\\", "/").split("://", 1)[-1].strip("/")
        for suffix in ARCHIVES:
            place = place.removesuffix(suffix)
        yield IndexLine(path.name, line, _subject(subject), below_release(place) or place, description)


def _subject(cell: str) -> str:
    try:
        return identifier(cell) or ""
    except ValueError:
        return cell


def add_images(source: Source, cohort: Cohort, root: Path, rows: Iterable[IndexLine], *, sides: str = "LR") -> None:
    """Add each listed series of the cohort's views; a knee with two different ones, or none that is
    there, gets its reason.

    Raises:
        KneeoaError: a view is not OAI's.
    """
    wanted = series_patterns(cohort)
    folders: dict[tuple[str, str], set[str]] = defaultdict(set)
    shows: dict[str, str] = {view: "knee" if "side" in pattern.groupindex else "both" for view, pattern in wanted.items()}
    for row in rows:
        for view, pattern in wanted.items():
            match = pattern.fullmatch(row.description)
            if match is None:
                continue
            visit = visit_of(row.folder)
            if visit is not None and visit not in cohort.visits:
                continue
            if visit is None or not is_participant(row.subject):
                place = f"{row.table}, line {row.line}: folder '{row.folder}' of participant '{row.subject}'"
                source.loose.append(Reason("unknown-series", f"{place} names no OAI visit or no seven-digit participant.", view=view))
                continue
            for side in match["side"][0].upper() if shows[view] == "knee" else "LR":
                if side in sides:
                    folders[source.knee(row.subject, side, visit).case_id, view].add(row.folder)
    for (case_id, view), listed_folders in folders.items():
        add_folders(source.knees[case_id], root, view, sorted(listed_folders), shows[view])


def add_folders(knee: Knee, root: Path, view: str, folders: list[str], shows: str = "knee") -> None:
    """Add the one image that lies in the listed ``folders`` of a knee, or the reason why there is
    not exactly one.
    """
    places = sorted({place for folder in folders if (place := _find_folder(root, folder, knee.visit)) is not None})
    files = [file for place in places for file in image_files(root, place, view, shows)]
    if not files:
        knee.reasons.append(Reason("missing-file", f"no image file in {', '.join(folders)}, which the image index lists.", view=view))
    elif len(files) > 1:
        detail = f"{len(files)} images of one knee, view and visit: {', '.join(file.path for file in files)}; keep the right one."
        knee.reasons.append(Reason("duplicate-image", detail, view=view))
    else:
        knee.files += files


def _find_folder(root: Path, folder: str, visit: str) -> str | None:
    """The path below the root of a listed folder, as a folder or as an archive of that name, with
    or without the visit's or the archive's own folder above it; None where it is not there.
    """
    if ".." in folder.split("/"):
        return None
    bare = folder.removeprefix(f"{visit}/")
    for candidate in dict.fromkeys(prefix.format(visit=visit) + name for name in (folder, bare) for prefix in _PREFIXES):
        if os.path.isdir(f"{root}/{candidate}"):
            return candidate
        for suffix in ARCHIVES:
            if os.path.isfile(f"{root}/{candidate}{suffix}"):
                return candidate + suffix
    return None


def image_files(root: Path, place: str, view: str, shows: str = "knee") -> list[File]:
    """The images of a folder or archive: each volume, picture or archive counts as one; other files
    are one DICOM series, and files that lie beside slices by their names are skipped.

    Of a radiograph (``shows`` both) the only DICOM file is the image; of several, the volumes stage
    finds out which one is a radiograph.
    """
    if place.lower().endswith(ARCHIVES):
        return [File(view, "image", place, "dicom-archive", shows)]
    try:
        with os.scandir(f"{root}/{place}") as entries:
            plain = sorted(entry.name for entry in entries if not entry.name.startswith(".") and _is_file(entry))
    except OSError as error:
        _LOG.warning("%s: cannot be listed (%s)", place, error.strerror)
        return []
    whole = [name for name in plain if format_of(name) in VOLUMES | {"dicom-archive"}]
    pictures = [name for name in plain if format_of(name) in PICTURES]
    slices = [name for name in plain if name not in whole and not lies_beside(name)]
    if shows == "both" and len(slices) == 1:
        return [File(view, "image", f"{place}/{slices[0]}", "dicom-file", shows)]
    if (shows == "both" and slices) or (slices and not whole):
        return [File(view, "image", place, "dicom", shows)]
    if whole or pictures:
        return [File(view, "image", f"{place}/{name}", str(format_of(name)), shows) for name in whole or pictures]
    return [File(view, "image", place, "dicom", shows)] if plain or any(files_below(root, place)) else []


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself
        return False

"""OAI's own layout: ``contents.csv``, image folders, ``kxr_sq_bu{visit}.txt``, ``enrollees.txt``, masks by file name."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path

from kneeoa.cohorts.oai_paths import VISIT_NUMBERS, is_participant, mask_name, visit_of
from kneeoa.cohorts.oai_tables import Row, code, integer, read_clinical, read_contents
from kneeoa.cohorts.source import File, Knee, Reading, Reason, Source
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError

_SERIES = {"sag_dess": re.compile(r"^SAG_3D_DESS_(?P<side>LEFT|RIGHT)$", re.IGNORECASE)}
_SIDES = {"1": "R", "2": "L"}
_SEXES = {"1": "M", "2": "F"}
_IMAGE_FORMATS = {".nii.gz": "nifti", ".nii": "nifti", ".mha": "meta", ".mhd": "meta", ".nrrd": "nrrd"}
GRADES = 5
"""Kellgren-Lawrence grades, 0 to 4: the classes that the level ``kl`` must have."""


def read(cohort: Cohort, root: Path) -> Source:
    """Read the tree below ``root``: the level that it offers is ``kl``; its views are ``sag_dess``.

    Raises:
        KneeoaError: a table is missing or malformed, or a view or visit is not OAI's.
    """
    unknown = [view for view in cohort.views if view not in _SERIES]
    if unknown:
        raise KneeoaError(f"'views' names '{unknown[0]}', which reader 'oai' does not offer; it offers {sorted(_SERIES)}.")
    strange = [visit for visit in cohort.visits if visit not in VISIT_NUMBERS]
    if strange:
        raise KneeoaError(f"'visits' names '{strange[0]}', which is not an OAI visit; they are {sorted(VISIT_NUMBERS)}.")
    source = Source()
    for view in cohort.views:
        _images(source, cohort, root, view)
    for visit in cohort.visits:
        _grades(source, cohort, root, visit)
    if cohort.tissues:
        _masks(source, cohort, root)
    _people(source, root)
    return source


def _images(source: Source, cohort: Cohort, root: Path, view: str) -> None:
    """Add each series of ``view`` in the index; a knee with two different ones, or none that is there, gets its reason."""
    folders: dict[str, set[str]] = defaultdict(set)
    knees: dict[str, Knee] = {}
    for path in _contents_files(root, cohort):
        for row in read_contents(path):
            match = _SERIES[view].match(row["SeriesDescription"])
            folder = row["Folder"].replace("\\", "/").strip("/")
            visit = visit_of(folder)
            if match is None or (visit is not None and visit not in cohort.visits):
                continue
            subject = row["ParticipantID"]
            if visit is None or not is_participant(subject):
                detail = (
                    f"{path.name}: folder '{row['Folder']}' of participant '{subject}' tells no OAI visit or no seven-digit participant."
                )
                source.loose.append(Reason("unknown-series", detail, view=view))
                continue
            knee = source.knee(subject, match["side"][0].upper(), visit)
            knees[knee.case_id] = knee
            folders[knee.case_id].add(folder)
    for case_id, knee in knees.items():
        found = {place for folder in folders[case_id] if (place := _place(root, folder, knee.visit)) is not None}
        files = [entry for place in sorted(found) for entry in _image_files(root, place, view)]
        if not files:
            detail = f"no image file in {', '.join(sorted(folders[case_id]))}, which contents.csv lists."
            knee.reasons.append(Reason("missing-file", detail, view=view))
        elif len(files) > 1:
            detail = f"{len(files)} images of one knee, view and visit: {', '.join(file.path for file in files)}; keep the right one."
            knee.reasons.append(Reason("duplicate-image", detail, view=view))
        else:
            knee.files += files


def _contents_files(root: Path, cohort: Cohort) -> list[Path]:
    folders = [root, *(root / visit for visit in cohort.visits)]
    files = [folder / "contents.csv" for folder in folders if (folder / "contents.csv").is_file()]
    files += [path for visit in cohort.visits for path in sorted((root / visit).glob("*/contents.csv"))]
    if not files:
        raise KneeoaError(f"{root}: has no contents.csv (nor one in its visit folders {list(cohort.visits)}); is it OAI's image tree?")
    return files


def _place(root: Path, folder: str, visit: str) -> str | None:
    """The folder relative to ``root``; ``Folder`` may or may not begin with the visit."""
    for place in (f"{visit}/{folder}", folder):
        if (root / place).is_dir():
            return place
    return None


def _image_files(root: Path, place: str, view: str) -> list[File]:
    """The image of a series folder: each volume file counts as one; files without a known suffix are one DICOM series."""
    names = sorted(name for name in os.listdir(root / place) if not name.startswith("."))
    volumes = [(name, kind) for name in names for suffix, kind in _IMAGE_FORMATS.items() if name.endswith(suffix)]
    if volumes:
        return [File(view, "image", f"{place}/{name}", kind) for name, kind in volumes]
    return [File(view, "image", place, "dicom")] if any((root / place / name).is_file() for name in names) else []


def _grades(source: Source, cohort: Cohort, root: Path, visit: str) -> None:
    """Add the Kellgren-Lawrence grades of a visit; of several readings the preferred project's counts."""
    number = f"{VISIT_NUMBERS[visit]:02d}"
    path = next((p for p in (root / f"kxr_sq_bu{number}.txt", root / f"KXR_SQ_BU{number}.txt") if p.is_file()), None)
    if path is None:
        raise KneeoaError(f"{root}: has no kxr_sq_bu{number}.txt, the table of grades at visit {visit}.")
    column = f"V{number}XRKL"
    readings: dict[str, list[Row]] = defaultdict(list)
    for line, row in enumerate(read_clinical(path, ("ID", "SIDE", column)), start=2):
        side = _SIDES.get(code(row["SIDE"]) or "")
        if side is None or not is_participant(row["ID"]):
            detail = f"{path.name}, reading {line - 1}: id '{row['ID']}' and side '{row['SIDE']}' name no knee."
            source.loose.append(Reason("unknown-knee", detail))
            continue
        readings[source.knee(row["ID"], side, visit).case_id].append(row)
    for case_id, rows in readings.items():
        knee = source.knees[case_id]
        try:
            reading = _reading(rows, column, cohort.reading_project)
        except ValueError as error:
            knee.reasons.append(Reason("invalid-label", f"{path.name}: {column} of {case_id}: {error}."))
            continue
        if reading is not None:
            knee.readings["kl"] = reading


def _reading(rows: list[Row], column: str, project: int | None) -> Reading | None:
    """One grade out of a knee's readings: the preferred project's, else the lowest project's; within one, the first in the file."""
    graded = []
    for row in rows:
        grade = integer(row[column])
        if grade is None:
            continue
        if not 0 <= grade < GRADES:
            raise ValueError(f"grade {grade} is outside 0 to {GRADES - 1}")
        own = integer(row.get("READPRJ"))
        graded.append((own != project, own is None, own or 0, grade))
    if not graded:
        return None
    chosen = min(graded, key=lambda entry: entry[:3])[3]
    return Reading((chosen,), len(graded), len({entry[3] for entry in graded}) > 1)


def _masks(source: Source, cohort: Cohort, root: Path) -> None:
    found: dict[str, list[File]] = defaultdict(list)
    for folder, subfolders, names in os.walk(root / "masks"):
        subfolders.sort()
        for name in sorted(names):
            parsed = mask_name(name)
            if parsed is None:
                continue
            subject, side, visit, kind = parsed
            if kind is None or visit not in cohort.visits:
                continue
            path = (Path(folder) / name).relative_to(root).as_posix()
            found[source.knee(subject, side, visit).case_id].append(File(cohort.views[0], "mask", path, kind))
    for case_id, files in found.items():
        knee = source.knees[case_id]
        if len(files) > 1:
            detail = f"{len(files)} masks of one knee: {', '.join(file.path for file in files)}; keep the right one."
            knee.reasons.append(Reason("duplicate-mask", detail, scope="mask", view=cohort.views[0]))
        else:
            knee.files += files


def _people(source: Source, root: Path) -> None:
    """Add site, sex and age at enrolment where ``enrollees.txt`` is there."""
    path = root / "enrollees.txt"
    if not path.is_file():
        return
    people = {row["ID"]: row for row in read_clinical(path, ("ID",))}
    for knee in source.knees.values():
        row = people.get(knee.subject)
        if row is None:
            continue
        knee.site = code(row.get("V00SITE"))
        knee.sex = _SEXES.get(code(row.get("P02SEX")) or "")
        age = code(row.get("V00AGE"))
        try:
            knee.age = None if age is None else float(age)
        except ValueError as error:
            raise KneeoaError(f"{path}: V00AGE of {knee.subject} is '{row['V00AGE']}'; expected a number of years.") from error

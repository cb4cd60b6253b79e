"""Read a folder of grades: one picture a knee, its grade the folder's name:
``[{train,val,test}/]{0..4}/<id><L|R>.png``.

The folder above the grade is the source's own split, where there is one.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from kneeoa.cohorts import cells
from kneeoa.cohorts.grades_folder_paths import grade_of, picture_name, words_are_grades
from kneeoa.cohorts.readings import Vote, project_order, settle_readings
from kneeoa.cohorts.source import File, Reason, Source, record_unlistable_folders
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from kneeoa.formats.file_names import format_of
from kneeoa.formats.walk import files_below

_LOG = logging.getLogger(__name__)

LEVEL = "kl"


def read(cohort: Cohort, root: Path) -> Source:
    """Read the folder: the level that it offers is ``kl``; one view at one visit. A picture that
    names no person (``NormalG0 (12).png``) counts as a person of its own, and one that names no
    side is read as it is, each with a warning.

    Raises:
        KneeoaError: there is no folder of a grade, or more than one view or visit is asked for.
    """
    if len(cohort.views) != 1 or len(cohort.visits) != 1:
        raise KneeoaError(f"reader 'grades_folder' offers one view at one visit, not {list(cohort.views)} at {list(cohort.visits)}.")
    source = Source()
    places = list(_grade_folders(source, root))
    if not places:
        raise KneeoaError(
            f"{root}: has no folder of a grade (0, 2Mild, KL2), nor one in {', '.join(cells.SPLITS)}; is it a folder of grades?"
        )
    pictures: dict[str, list[tuple[int, File, str | None]]] = defaultdict(list)
    nameless: set[str] = set()
    for place, split, grade in places:
        for path, name in files_below(root, place, record_unlistable_folders(source)):
            try:
                picture = picture_name(path)
                if picture.grades - {grade}:
                    raise ValueError("the file's name and its folder give two grades")
            except ValueError as error:
                source.loose.append(Reason("unknown-file", f"{path}: {error}."))
                continue
            case = source.knee(picture.subject, picture.side, cohort.visits[0]).case_id
            if not picture.named:
                nameless.add(case)
            pictures[case].append((grade, File(cohort.views[0], "image", path, str(format_of(name))), split))
    for case, candidates in pictures.items():
        graded_knee = source.knees[case]
        graded_knee.given_split = candidates[0][2]
        votes = [Vote((grade,)) for grade, _, _ in candidates]
        reading = settle_readings(votes, cohort.readings, project_order(cohort.reading_project))
        if reading is not None:
            graded_knee.readings[LEVEL] = reading
        if len(candidates) > 1:
            paths = ", ".join(file.path for _, file, _ in candidates)
            what = "one knee" if graded_knee.side else "one person, whose names give no side"
            detail = f"{len(candidates)} pictures of {what}: {paths}; keep the right one, or name the side of each."
            graded_knee.reasons.append(Reason("duplicate-image", detail, view=cohort.views[0]))
        else:
            graded_knee.files.append(candidates[0][1])
    if nameless:
        _LOG.warning("%d pictures name no person; each counts as a person of its own", len(nameless))
    unsided = sum(1 for knee in source.knees.values() if knee.side is None)
    if unsided:
        _LOG.warning("%d pictures name no side; they are read as they are, left knees unmirrored", unsided)
    return source


def _grade_folders(source: Source, root: Path) -> Iterator[tuple[str, str | None, int]]:
    """(folder, split, grade), in name order; a folder that is neither a grade's nor a split's
    becomes a loose reason.
    """
    splits = {outer: cells.split(outer) for outer in _folders(root)}
    inside = {outer: _folders(root / outer) for outer, split in splits.items() if split}
    words = words_are_grades([*splits, *(name for names in inside.values() for name in names)])
    for outer, split in splits.items():
        grade = grade_of(outer, words=words)
        if grade is not None:
            yield outer, None, grade
            continue
        inner = {name: grade_of(name, words=words) for name in inside.get(outer, ())}
        if all(grade is None for grade in inner.values()):
            source.loose.append(
                Reason("unknown-folder", f"{outer}/: neither a grade nor a split ({', '.join(cells.SPLITS)}); it is not read.")
            )
        for name, grade in inner.items():
            if grade is not None:
                yield f"{outer}/{name}", split, grade
            elif any(other is not None for other in inner.values()):
                source.loose.append(Reason("unknown-folder", f"{outer}/{name}/: is no grade; it is not read."))


def _folders(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))

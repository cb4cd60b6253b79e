"""Read the original OAI-ZIB release: 507 right knees with masks of four labels, on OAI's baseline
DESS series.

A mask file makes a knee (``segmentation_masks/9001104.segmentation_masks.mhd`` and its ``.raw``;
``.mha``, NIfTI, NRRD as well). Its image is a converted volume of that participant, else OAI's own
series, by the release's ``oai_mri_paths.txt`` or by OAI's image index. Grades come from
``kxr_sq_bu00``; 26 knees have none and stay cases without a level.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from kneeoa.cohorts.oai_grades import add_grades, add_people
from kneeoa.cohorts.oai_paths import below_release, index_files
from kneeoa.cohorts.oai_series import add_folders, add_images, read_image_indexes
from kneeoa.cohorts.oai_zib_paths import role_of, series_lines, subject_of
from kneeoa.cohorts.source import File, Reason, Source, record_unlistable_folders
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from kneeoa.formats.file_names import format_of
from kneeoa.formats.walk import files_below

VISIT, SIDE = "00m", "R"


def read(cohort: Cohort, root: Path) -> Source:
    """Read the release: the levels of ``labels`` (default ``kl``), one view, the right knee at
    baseline.

    Raises:
        KneeoaError: there is no mask or no table of grades, a table is malformed, or another view
            or visit is asked for.
    """
    if len(cohort.views) != 1 or cohort.visits != (VISIT,):
        raise KneeoaError(f"reader 'oai_zib' offers one view at visit {VISIT}, not {list(cohort.views)} at {list(cohort.visits)}.")
    source = Source()
    volumes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for relative, name in files_below(root, failed=record_unlistable_folders(source)):
        subject, role = subject_of(name), role_of(relative)
        if subject is not None and role is not None:
            volumes[subject, role].append(relative)
    subjects = {subject for subject, role in volumes if role == "mask"}
    if not subjects:
        raise KneeoaError(f"{root}: has no mask such as segmentation_masks/9001104.segmentation_masks.mhd; is it the OAI-ZIB release?")
    for subject in sorted(subjects):
        source.knee(subject, SIDE, VISIT)
    _add_files(source, cohort, volumes)
    _add_series(source, cohort, root, {subject for subject in subjects if (subject, "image") not in volumes})
    add_grades(source, cohort, root, VISIT, only=set(source.knees))
    add_people(source, root)
    return source


def _add_files(source: Source, cohort: Cohort, volumes: dict[tuple[str, str], list[str]]) -> None:
    for (subject, role), paths in sorted(volumes.items()):
        knee = source.knees.get(f"{subject}-{SIDE}-{VISIT}")
        if knee is None:
            continue  # an image of a knee that nobody segmented is not of this cohort
        if len(paths) > 1:
            scope = "case" if role == "image" else "mask"
            detail = f"{len(paths)} files of one knee: {', '.join(paths)}; keep the right one."
            knee.reasons.append(Reason(f"duplicate-{role}", detail, scope=scope, view=cohort.views[0]))
        elif role == "image" or cohort.tissues:
            knee.files.append(File(cohort.views[0], role, paths[0], str(format_of(paths[0]))))


def _add_series(source: Source, cohort: Cohort, root: Path, subjects: set[str]) -> None:
    """Add the images of ``subjects``: by the release's own list of the series that masks were drawn
    on, and by OAI's index for those not on it.
    """
    folders: dict[str, set[str]] = defaultdict(set)
    for subject, folder in series_lines(root):
        if subject in subjects:
            folders[subject].add(below_release(folder) or folder)
    for subject, subject_folders in folders.items():
        add_folders(source.knees[f"{subject}-{SIDE}-{VISIT}"], root, cohort.views[0], sorted(subject_folders))
    rest = subjects - set(folders)
    if rest and index_files(root):
        add_images(source, cohort, root, [row for row in read_image_indexes(root) if row.subject in rest], sides=SIDE)

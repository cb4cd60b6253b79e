"""Read OAI's own layout: image indexes, image folders or archives, ``kxr_sq_bu<visit>``, tables of
participants, masks by file name.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from kneeoa.cohorts.oai_grades import add_grades, add_people
from kneeoa.cohorts.oai_paths import VISIT_NUMBERS, mask_name
from kneeoa.cohorts.oai_series import add_images, read_image_indexes, series_patterns
from kneeoa.cohorts.source import File, Reason, Source, record_unlistable_folders
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from kneeoa.formats.walk import files_below


def read(cohort: Cohort, root: Path) -> Source:
    """Read the tree below ``root``: it offers the levels of ``labels`` (default ``kl``), and the
    views of ``oai_paths.SERIES``.

    A bilateral radiograph becomes an image of two cases. Masks are of the first view.

    Raises:
        KneeoaError: a table is missing or malformed, or a view or visit is not OAI's.
    """
    series_patterns(cohort)
    strange = [visit for visit in cohort.visits if visit not in VISIT_NUMBERS]
    if strange:
        raise KneeoaError(f"'visits' names '{strange[0]}', which is not an OAI visit; they are {sorted(VISIT_NUMBERS)}.")
    source = Source()
    add_images(source, cohort, root, read_image_indexes(root))
    for visit in cohort.visits:
        add_grades(source, cohort, root, visit)
    if cohort.tissues:
        _add_masks(source, cohort, root)
    add_people(source, root)
    return source


def _add_masks(source: Source, cohort: Cohort, root: Path) -> None:
    masks: dict[str, list[File]] = defaultdict(list)
    for path, name in files_below(root, "masks", record_unlistable_folders(source)):
        parsed = mask_name(name)
        if parsed is None:
            continue
        subject, side, visit, kind = parsed
        if kind is not None and visit in cohort.visits:
            masks[source.knee(subject, side, visit).case_id].append(File(cohort.views[0], "mask", path, kind))
    for case_id, files in masks.items():
        knee = source.knees[case_id]
        if len(files) > 1:
            detail = f"{len(files)} masks of one knee: {', '.join(file.path for file in files)}; keep the right one."
            knee.reasons.append(Reason("duplicate-mask", detail, scope="mask", view=cohort.views[0]))
        else:
            knee.files += files

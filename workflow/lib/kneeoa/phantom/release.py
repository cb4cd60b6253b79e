"""Write the phantom cohort in the form of OAI's releases: tables, image tree, masks; and its truth,
separately.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kneeoa.atomic_io import replace_folder, write_text
from kneeoa.config.phantom import Phantom
from kneeoa.errors import KneeoaError
from kneeoa.phantom.film_plan import SERIES, PlannedFilm, plan_films
from kneeoa.phantom.labelling import oarsi_grades
from kneeoa.phantom.plan import VISIT, PlannedKnee, plan_cohort, releases
from kneeoa.phantom.scan import make_anatomy, make_mask, scan_image, write_image, write_mask
from kneeoa.tables.cohort import TRUTH

_LOG = logging.getLogger(__name__)

_CODED_SIDE = {"R": "1: Right", "L": "2: Left"}
_CODED_SEX = {"M": "1: Male", "F": "2: Female"}
_WORD = {"R": "RIGHT", "L": "LEFT"}
_MISSING = ".: Missing Form/Incomplete Workbook"
_FIRST_PROJECT, _SECOND_PROJECT = 15, 37


def write_tables(phantom: Phantom, cohort: str, root: Path) -> None:
    """Write ``contents.csv``, ``kxr_sq_bu00.txt`` and ``enrollees.txt`` into ``root`` (formats as
    OAI's releases).
    """
    knees = plan_cohort(phantom, cohort)
    header = ["Folder", "ParticipantID", "StudyDate", "Barcode", "StudyDescription", "SeriesDescription"]
    if phantom.images == "radiographs":
        index = [_film_index_row(film) for film in plan_films(phantom, cohort)]
    else:
        index = [row for knee in knees for row in _index_rows(knee)]
    write_text(root / "contents.csv", _separated(header, index, ",", "\n"))
    names = [f"V00{name}" for name in oarsi_grades(knees[0].findings)]
    header = ["ID", "SIDE", "READPRJ", "VERSION", "V00BARCDBU", "V00XRKL", *names]
    write_text(root / "kxr_sq_bu00.txt", _separated(header, [row for knee in knees for row in _reading_rows(knee)], "|", "\r\n"))
    people = {knee.subject: knee for knee in knees}
    rows = [[k.subject, k.site, _CODED_SEX[k.sex], str(k.age), f"{k.bmi:.1f}"] for k in people.values()]
    write_text(root / "enrollees.txt", _separated(["ID", "V00SITE", "P02SEX", "V00AGE", "P01BMI"], rows, "|", "\r\n"))


def write_manifest(phantom: Phantom, cohort: str, root: Path) -> None:
    """Write ``knees.csv`` into ``root``: a row for each reading of a knee, with its picture, its
    label map and its person.
    """
    header = ["subject", "side", "visit", "image", "mask", "project", "kl", "site", "sex", "age", "bmi"]
    rows = [row for film in plan_films(phantom, cohort) for row in _manifest_rows(film)]
    write_text(root / "knees.csv", _separated(header, rows, ",", "\n"))


@contextmanager
def replace_release(phantom: Phantom, cohort: str, release: str, images: Path, masks: Path) -> Iterator[tuple[Path, Path]]:
    """Open new folders for a release's images and masks; both take their places at the end.

    Raises:
        KneeoaError: there is no such release.
    """
    if release not in releases(phantom):
        raise KneeoaError(f"the phantom cohort '{cohort}' has no release '{release}'; it has {list(releases(phantom))}.")
    with replace_folder(images) as new_images, replace_folder(masks) as new_masks:
        yield new_images, new_masks


def write_part(phantom: Phantom, cohort: str, release: str, images: Path, masks: Path) -> None:
    """Write one release folder: its images and its masks.

    Args:
        phantom: the configuration.
        cohort: the cohort's name.
        release: one of :func:`~kneeoa.phantom.plan.releases`.
        images: the folder ``<root>/00m/<release>``; replaced as a whole.
        masks: the folder ``<root>/masks/<release>``; replaced as a whole.

    Raises:
        KneeoaError: there is no such release.
    """
    with replace_release(phantom, cohort, release, images, masks) as (new_images, new_masks):
        knees = [knee for knee in plan_cohort(phantom, cohort) if knee.release == release]
        for knee in knees:
            grown = make_anatomy(knee, phantom)
            image = scan_image(knee, grown, phantom)
            write_image(knee, new_images / Path(knee.image).relative_to(VISIT, release), image, phantom, cohort)
            write_mask(knee, new_masks / Path(knee.mask).name, make_mask(knee, grown, image[1], phantom))
    _LOG.info("%s: %d knees in release %s", cohort, len(knees), release)


def write_truth(phantom: Phantom, cohort: str, out: Path) -> None:
    """Write the table :data:`~kneeoa.tables.cohort.TRUTH`, which training never reads."""
    rows = []
    for knee in plan_cohort(phantom, cohort):
        fault = knee.expected
        rows.append(
            {
                "cohort": cohort,
                "case_id": knee.case_id,
                "subject": knee.subject,
                "side": knee.side,
                "latent_severity": knee.severity,
                "true_grade": knee.true_grade,
                "read_grade": knee.read_grade,
                "fault": knee.fault,
                "expected_stage": fault.stage if fault else None,
                "expected_scope": fault.scope if fault else None,
                "expected_reason": fault.reason if fault else None,
            }
        )
    TRUTH.write(out, rows)


def _index_rows(knee: PlannedKnee) -> Iterator[list[str]]:
    """Rows of the image index: the series, and for some subjects another one, which is not needed
    and does not exist.
    """
    study = f"OAI^MR^ENROLLMENT^{_WORD[knee.side]}"
    blank = " " if knee.index % 3 == 0 else ""
    yield [knee.folder, knee.subject, knee.date, knee.barcode, study, f"SAG_3D_DESS_{_WORD[knee.side]}{blank}"]
    if knee.index % 4 == 0:
        other = f"{knee.barcode[:-1]}{'5' if knee.side == 'R' else '6'}"
        folder = f"{knee.release}/{knee.subject}/{knee.date}/{other}"
        yield [folder, knee.subject, knee.date, other, study, f"COR_IW_TSE_{_WORD[knee.side]}"]


def _film_index_row(film: PlannedFilm) -> list[str]:
    """The row of the image index of a film."""
    blank = " " if film.right.index % 3 == 0 else ""
    return [film.folder, film.right.subject, film.right.date, film.barcode, "OAI^XR^ENROLLMENT^BILATERAL", f"{SERIES}{blank}"]


def _manifest_rows(film: PlannedFilm) -> Iterator[list[str]]:
    """Rows of the manifest: each knee's reading, and a second one's where it was read twice."""
    for side, knee in film.knees.items():
        files = [film.images[side], "" if film.fault == "missing-mask" else film.masks[side]]
        person = [knee.site, knee.sex, str(knee.age), f"{knee.bmi:.1f}"]
        grades = {_FIRST_PROJECT: knee.read_grade, _SECOND_PROJECT: knee.second_grade}
        for project, grade in grades.items():
            if film.fault == "unread-grade" and project == _FIRST_PROJECT:
                yield [knee.subject, side, VISIT, *files, str(project), "", *person]
            elif film.fault != "unread-grade" and grade is not None:
                yield [knee.subject, side, VISIT, *files, str(project), str(grade), *person]


def _reading_rows(knee: PlannedKnee) -> Iterator[list[str]]:
    """Rows of the table of readings: the main project's, and a second one's where it read the
    knee.
    """
    graded = [f"{grade}: OARSI grade {grade}" for grade in oarsi_grades(knee.findings).values()]
    grade = _MISSING if knee.fault == "unread-grade" else str(knee.read_grade)
    barcode = f"0166{knee.index:08d}"
    yield [knee.subject, _CODED_SIDE[knee.side], str(_FIRST_PROJECT), "0.8", barcode, grade, *graded]
    if knee.second_grade is not None and knee.fault != "unread-grade":
        yield [knee.subject, _CODED_SIDE[knee.side], str(_SECOND_PROJECT), "0.8", barcode, str(knee.second_grade), *graded]


def _separated(header: list[str], rows: list[list[str]], delimiter: str, end: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows([header, *rows])
    return text.getvalue()

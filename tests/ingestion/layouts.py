"""The layouts of raw data, each with a dozen people: how files are written, and where a person's
image, mask and row of the index lie.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kneeoa.config.cohorts import Cohort
from tests.ingestion.stages import folder, series, write_tables

SHARDS = 5
_NUMBERS = range(1, 13)


@dataclass(frozen=True)
class Layout:
    """A layout of raw files: how to write it, and where a subject's image, mask and row of the
    image index lie.
    """

    cohort: Cohort
    subjects: tuple[str, ...]
    write: Callable[[Path, tuple[str, ...]], None]
    image: Callable[[Path, str], Path]
    mask: Callable[[Path, str], Path] | None
    index: str | None
    """The table that says which image is whose."""
    labels: str | None
    """A table of labels alone."""


def _put(path: Path, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _oai(root: Path, subjects: tuple[str, ...]) -> None:
    write_tables(root, [(subject, "RIGHT", "1") for subject in subjects])
    for subject in subjects:
        _put(series(root, subject) / "001")
        _put(root / "masks" / "a" / f"{subject}_R_V00.nii.gz")


def _oai_archive(root: Path, subjects: tuple[str, ...]) -> None:
    header = ["src_subject_id", "interview_date", "image03_id", "image_description", "comments_misc", "image_file"]
    rows = [
        [participant, "01/01/2004", "7", "SAG_3D_DESS_RIGHT", "", f"s3://b/s/00m/{folder(participant)}.tar.gz"] for participant in subjects
    ]
    _put(root / "image03.txt", "".join("\t".join(f'"{cell}"' for cell in row) + "\n" for row in [header, header, *rows]))
    _put(root / "kxr_sq_bu00.txt", "ID|SIDE|READPRJ|V00XRKL\n" + "".join(f"{participant}|1|15|1\n" for participant in subjects))
    for participant in subjects:
        _put(root / "00m" / f"{folder(participant)}.tar.gz")


def _grades(root: Path, subjects: tuple[str, ...]) -> None:
    for number, participant in enumerate(subjects):
        _put(root / "train" / str(number % 5) / f"{participant}R.png")


def _cm(root: Path, subjects: tuple[str, ...]) -> None:
    for participant in subjects:
        _put(root / "imagesTr" / f"oaizib_{participant}_0000.nii.gz")
        _put(root / "labelsTr" / f"oaizib_{participant}.nii.gz")


def _manifest(root: Path, subjects: tuple[str, ...]) -> None:
    _put(
        root / "t.csv",
        "id,side,file,mask,kl\n"
        + "".join(f"{participant},R,images/{participant}.nii.gz,masks/{participant}.nii.gz,1\n" for participant in subjects),
    )
    for participant in subjects:
        _put(root / "images" / f"{participant}.nii.gz")
        _put(root / "masks" / f"{participant}.nii.gz")


PEOPLE = tuple(f"{9500000 + number}" for number in _NUMBERS)
_TISSUES = {"tissues": {"femur": [1]}}
_COLUMNS = {"table": "t.csv", "subject": "id", "side": "side", "path": "file", "mask": "mask"}

LAYOUTS = {
    "oai": Layout(
        Cohort.model_validate({"reader": "oai", "root": "raw", "shards": SHARDS} | _TISSUES),
        PEOPLE,
        _oai,
        lambda root, participant: series(root, participant) / "001",
        lambda root, participant: root / "masks/a" / f"{participant}_R_V00.nii.gz",
        "contents.csv",
        "kxr_sq_bu00.txt",
    ),
    "oai, archives": Layout(
        Cohort(reader="oai", root="raw", shards=SHARDS),
        PEOPLE,
        _oai_archive,
        lambda root, participant: root / "00m" / f"{folder(participant)}.tar.gz",
        None,
        "image03.txt",
        "kxr_sq_bu00.txt",
    ),
    "grades_folder": Layout(
        Cohort(reader="grades_folder", root="raw", shards=SHARDS, views=("pa",)),
        PEOPLE,
        _grades,
        lambda root, participant: next((root / "train").glob(f"*/{participant}R.png")),
        None,
        None,
        None,
    ),
    "oaizib_cm": Layout(
        Cohort.model_validate({"reader": "oaizib_cm", "root": "raw", "shards": SHARDS} | _TISSUES),
        tuple(f"{number:03d}" for number in _NUMBERS),
        _cm,
        lambda root, participant: root / "imagesTr" / f"oaizib_{participant}_0000.nii.gz",
        lambda root, participant: root / "labelsTr" / f"oaizib_{participant}.nii.gz",
        None,
        None,
    ),
    "manifest": Layout(
        Cohort.model_validate(
            {"reader": "manifest", "root": "raw", "shards": SHARDS, "labels": {"kl": "kl"}, "manifest": _COLUMNS} | _TISSUES
        ),
        PEOPLE,
        _manifest,
        lambda root, participant: root / "images" / f"{participant}.nii.gz",
        lambda root, participant: root / "masks" / f"{participant}.nii.gz",
        "t.csv",
        None,
    ),
}

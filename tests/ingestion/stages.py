"""A cohort in OAI's layout through the stages of ingestion, as the workflow's rules call them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.cohorts.build import build_cohort
from kneeoa.config.cohorts import Cohort
from kneeoa.config.hierarchy import Level
from kneeoa.config.volumes import MaskChecks, View
from kneeoa.ingestion.array_writer import open_rows
from kneeoa.ingestion.shard import make_volumes
from kneeoa.masks.shard import make_masks
from kneeoa.tables.cohort import CASES, EXCLUSIONS, LABELS
from kneeoa.tables.shards import MASKS, VOLUMES

LEVELS = (
    Level(name="oa", kind="binary", classes=("no OA", "OA")),
    Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1)),
)
TISSUES = {
    "femoral_cartilage": (2,),
    "tibial_cartilage": (4,),
    "patellar_cartilage": (6,),
    "femur": (1,),
    "tibia": (3,),
    "patella": (5,),
}
CONTENTS = "Folder,ParticipantID,StudyDate,Barcode,StudyDescription,SeriesDescription"
READINGS = "ID|SIDE|READPRJ|VERSION|V00BARCDBU|V00XRKL"


@dataclass(frozen=True)
class Tables:
    """The four files of a shard's stage, and the tables of a cohort, by name."""

    folder: Path

    def of_cohort(self) -> dict[str, Path]:
        return {name: self.folder / f"{name}.parquet" for name in ("cases", "images", "labels", "exclusions")}

    def of_shard(self, stage: str, shard: int) -> dict[str, Path]:
        stem = self.folder / stage / f"shard-{shard}"
        suffixes = {"out_array": ".npy", "out_index": ".parquet", "out_exclusions": ".exclusions.parquet"}
        return {name: stem.with_name(stem.name + suffix) for name, suffix in suffixes.items()}


def cohort(shards: int, *, masks: bool = False) -> Cohort:
    """The configuration of a cohort in OAI's layout; its root is given to each stage."""
    return Cohort(reader="oai", root="raw", shards=shards, tissues=TISSUES if masks else {})


def write_tables(root: Path, knees: Sequence[tuple[str, str, str]]) -> None:
    """Write the index of images and the grades of knees (subject, ``RIGHT`` or ``LEFT``, grade)."""
    root.mkdir(parents=True, exist_ok=True)
    contents = [f"{folder(subject)},{subject},20050101,{barcode(subject)},OAI^MR^{side},SAG_3D_DESS_{side}" for subject, side, _ in knees]
    (root / "contents.csv").write_text("\n".join([CONTENTS, *contents]) + "\n")
    readings = [f"{subject}|{1 if side == 'RIGHT' else 2}|15|0.8|016600000001|{grade}" for subject, side, grade in knees]
    (root / "kxr_sq_bu00.txt").write_text("\r\n".join([READINGS, *readings]) + "\r\n", newline="")


def folder(subject: str) -> str:
    """The series folder of a subject, as the index names it."""
    return f"0.C.2/{subject}/20050101/{barcode(subject)}"


def barcode(subject: str) -> str:
    """The series' barcode: eight digits."""
    return f"1{subject}"


def series(root: Path, subject: str) -> Path:
    """The series folder, made."""
    path = root / "00m" / folder(subject)
    path.mkdir(parents=True, exist_ok=True)
    return path


def mask(root: Path, subject: str, side: str = "R", suffix: str = ".nii.gz") -> Path:
    """The mask's file; its folder is made."""
    (root / "masks").mkdir(parents=True, exist_ok=True)
    return root / "masks" / f"{subject}_{side}_V00{suffix}"


def build_tables(root: Path, out: Path, configured: Cohort) -> dict[str, pd.DataFrame]:
    """The cohort stage."""
    paths = Tables(out).of_cohort()
    build_cohort(configured, "main", root, LEVELS, **paths)
    return {name: table.read(paths[name]) for name, table in (("cases", CASES), ("labels", LABELS), ("exclusions", EXCLUSIONS))}


def run_volumes(root: Path, out: Path, view: View, shard: int) -> tuple[NDArray[np.float16], pd.DataFrame, pd.DataFrame]:
    """The volumes stage of one shard: array, index, exclusions."""
    tables, paths = Tables(out).of_cohort(), Tables(out).of_shard("volumes", shard)
    make_volumes(
        images=tables["images"], cases=tables["cases"], root=root, cohort="main", view_name="sag_dess", view=view, shard=shard, **paths
    )  # fmt: skip
    array: NDArray[np.float16] = open_rows(paths["out_array"]).astype(np.float16)
    return array, VOLUMES.read(paths["out_index"]), EXCLUSIONS.read(paths["out_exclusions"])


def run_masks(root: Path, out: Path, shard: int) -> tuple[NDArray[np.uint8], pd.DataFrame, pd.DataFrame]:
    """The masks stage of one shard: array, index, exclusions."""
    volumes, paths = Tables(out).of_shard("volumes", shard), Tables(out).of_shard("masks", shard)
    make_masks(
        images=Tables(out).of_cohort()["images"], root=root, cohort="main", view_name="sag_dess", tissues=TISSUES, checks=MaskChecks(),
        volumes_array=volumes["out_array"], volumes_index=volumes["out_index"], shard=shard,
        out_cartilage=paths["out_index"].with_suffix(".cartilage.parquet"), **paths,
    )  # fmt: skip
    array: NDArray[np.uint8] = open_rows(paths["out_array"]).astype(np.uint8)
    return array, MASKS.read(paths["out_index"]), EXCLUSIONS.read(paths["out_exclusions"])

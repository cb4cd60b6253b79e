"""A study of a few dozen tiny volumes with a planted signal: a blob as bright as the grade."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.config.training import Training
from kneeoa.network.model import ModelSpec
from kneeoa.tables.cohort import LABELS, SPLITS
from kneeoa.tables.shards import VOLUMES

SHAPE = (8, 16, 16)
OA = Level(name="oa", kind="binary", classes=("no", "yes"))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1))
LEVELS = (OA, KL)


@dataclass(frozen=True)
class Files:
    """The four lists of paths that training and prediction take."""

    arrays: list[Path]
    indices: list[Path]
    splits: list[Path]
    labels: list[Path]

    def arguments(self) -> dict[str, Any]:
        return {"arrays": self.arrays, "indices": self.indices, "splits": self.splits, "labels": self.labels}

    def reversed(self) -> Files:
        return Files(self.arrays[::-1], self.indices[::-1], self.splits[::-1], self.labels[::-1])


def volume_row(cohort: str, case_id: str, shard: int, row: int, voxels: np.ndarray) -> dict[str, Any]:
    return {
        "cohort": cohort,
        "case_id": case_id,
        "view": "sag_dess",
        "shard": shard,
        "row": row,
        "digest": hashlib.sha256(voxels.tobytes()).hexdigest()[:32],
        "source_digest": "0",
        "source_shape": list(SHAPE),
        "source_spacing": [1.0] * 3,
        "source_centre": [0.0] * 3,
        "affine": [float(value) for value in np.eye(4).ravel()],
        "mirrored": False,
        "low": 0.0,
        "high": 1.0,
        "mean": 0.0,
        "sd": 1.0,
        **dict.fromkeys(("joint_row", "joint_column", "joint_fit", "negative")),
    }


def make(
    folder: Path,
    cases: int = 40,
    cohorts: tuple[str, ...] = ("north", "south"),
    shards: int = 2,
    splits: tuple[str, ...] = ("train", "train", "val", "test"),
    levels: tuple[str, ...] = ("kl", "oa"),
    unread: int = 0,
    order: int = 1,
) -> Files:
    """Write a study; ``cases`` in all, grades cycling through 0-4, the first ``unread`` of each
    cohort without any label.

    ``order`` -1 puts the rows of every array and table the other way round.
    """
    draws = np.random.default_rng(5)
    files = Files([], [], [], [])
    for cohort in cohorts:
        volumes: list[list[np.ndarray]] = [[] for _ in range(shards)]
        names: list[list[str]] = [[] for _ in range(shards)]
        split_rows, label_rows = [], []
        for number in range(cases // len(cohorts)):
            grade, case_id = number % 5, f"{1000 + number}-R-00m"
            image = draws.normal(0, 0.3, SHAPE)
            image[2:6, 5:11, 5:11] += grade - 2
            volumes[number % shards].append(image)
            names[number % shards].append(case_id)
            subject = {"cohort": cohort, "case_id": case_id, "subject": str(1000 + number), "side": "R", "visit": "00m"}
            split_rows.append({**subject, "split": splits[(number // 5) % len(splits)]})
            for level, value in (("kl", grade), ("oa", int(grade >= 2))):
                if level in levels and number >= unread:
                    label_rows.append(label_row(cohort, case_id, level, [value]))
        for shard in range(shards):
            stem = folder / f"{cohort}-{shard}"
            stem.parent.mkdir(parents=True, exist_ok=True)
            array = np.array(volumes[shard][::order], dtype=np.float16).reshape(-1, *SHAPE)
            np.save(stem.with_suffix(".npy"), array)
            rows = [volume_row(cohort, name, shard, row, array[row]) for row, name in enumerate(names[shard][::order])]
            VOLUMES.write(stem.with_suffix(".parquet"), rows[::order])
            files.arrays.append(stem.with_suffix(".npy"))
            files.indices.append(stem.with_suffix(".parquet"))
        SPLITS.write(folder / f"{cohort}-splits.parquet", split_rows[::order])
        LABELS.write(folder / f"{cohort}-labels.parquet", label_rows[::order])
        files.splits.append(folder / f"{cohort}-splits.parquet")
        files.labels.append(folder / f"{cohort}-labels.parquet")
    return files


def label_row(cohort: str, case_id: str, level: str, value: list[int | None], source: str = "reader") -> dict[str, Any]:
    identity = {"cohort": cohort, "case_id": case_id, "level": level, "source": source}
    return {**identity, "value": value, "readings": 1, "disagreement": False}


def spec(mode: Mode, levels: tuple[Level, ...] = LEVELS, shape: tuple[int, ...] = SHAPE) -> ModelSpec:
    options = {"width": 4, "stem_stride": 1}
    return ModelSpec(backbone="resnet3d", options=options, dimensions=3, in_channels=1, shape=shape, mode=mode, levels=levels)


SINGLE_OA = Mode(kind="single", levels=("oa",))
SINGLE_KL = Mode(kind="single", levels=("kl",))
DUAL = Mode(kind="dual", levels=("oa", "kl"))

TRAINING = Training(epochs=3, batch=4, learning_rate=3e-3, warmup=0.1, predict_batch=8)


def job(files: Files, out: Path, mode: Mode = DUAL, seed: int = 1, **changes: Any) -> dict[str, Any]:
    """Arguments of ``train``; ``changes`` replace any of them."""
    identity = {"study": "tiny", "arm": "resnet3d-dual", "seed": seed, "spec": spec(mode), "training": TRAINING}
    return {**identity, **files.arguments(), "threads": 1, "out": out, "provenance": {"code": "abc"}, **changes}

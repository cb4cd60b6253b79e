"""Small tables of a cohort for the splits stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kneeoa.config.hierarchy import Level
from kneeoa.tables.cohort import CASES, EXCLUSIONS, LABELS
from kneeoa.tables.shards import VOLUMES

LEVELS = (
    Level(name="oa", kind="binary", classes=("no", "yes")),
    Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1)),
)


@dataclass
class Tables:
    """Knees added one by one, written as the stages before would."""

    root: Path
    cases: list[dict[str, Any]] = field(default_factory=list)
    labels: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    exclusions: list[dict[str, Any]] = field(default_factory=list)

    def add(self, subject: str, side: str, grade: int | None, *, views: tuple[str, ...] = ("sag_dess",), given: str | None = None) -> str:
        case_id = f"{subject}-{side}-00m"
        case = {"cohort": "main", "case_id": case_id}
        empty = dict.fromkeys(("site", "sex", "age"))
        self.cases.append({**case, "subject": subject, "side": side, "visit": "00m", "shard": 0, **empty, "given_split": given})
        for level, value in (("oa", None if grade is None else int(grade >= 2)), ("kl", grade)):
            if value is not None:
                self.labels.append({**case, "level": level, "source": "reader", "value": [value], "readings": 1, "disagreement": False})
        for view in views:
            numbers = {"low": 0.0, "high": 1.0, "mean": 0.0, "sd": 1.0}
            numbers |= dict.fromkeys(("joint_row", "joint_column", "joint_fit", "negative"))
            place = {"source_shape": [1, 1, 1], "source_spacing": [1.0, 1, 1], "source_centre": [0.0] * 3}
            place |= {"affine": [0.0] * 16, "mirrored": False}
            self.volumes.append(
                {**case, "view": view, "shard": 0, "row": len(self.volumes), "digest": "", "source_digest": "", **place, **numbers}
            )
        return case_id

    def exclude(self, case_id: str | None, stage: str, reason: str, scope: str = "case") -> None:
        subject = case_id.split("-")[0] if case_id else None
        row = {"cohort": "main", "case_id": case_id, "subject": subject, "view": None, "stage": stage, "scope": scope}
        self.exclusions.append({**row, "reason": reason, "detail": "why"})

    def write(self) -> dict[str, Any]:
        """The input files of ``make_splits``, as its keyword arguments. Volumes come in two shards,
        one of them empty.
        """
        names = ("cases", "labels", "volumes", "more", "exclusions")
        paths = {name: self.root / f"{name}.parquet" for name in names}
        CASES.write(paths["cases"], self.cases)
        LABELS.write(paths["labels"], self.labels)
        VOLUMES.write(paths["volumes"], self.volumes)
        VOLUMES.write(paths["more"], [])
        EXCLUSIONS.write(paths["exclusions"], self.exclusions)
        return {
            "cases": paths["cases"],
            "labels": paths["labels"],
            "volumes": [paths["volumes"], paths["more"]],
            "exclusions": [paths["exclusions"]],
        }
